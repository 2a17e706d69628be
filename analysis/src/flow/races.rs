//! Races: `select!` and the functions that are like it. The first piece of work that ends decides where
//! control goes, and the others are given up.

use crate::facts::{Arm, BlockId, Place, Span};
use crate::model::TypeRole;
use crate::types::Ty;

use super::events::Seen;
use super::gives::{Gives, MAX_WAYS};
use super::run::{At, Run};
use super::value::{Uses, Val};
use super::world::World;

/// How many steps the ways on from an arm are followed.
const MAX_WAYS_ON: usize = 64;

/// Pieces of work of which the first to end ends the others.
struct Race {
    /// Something else than the ends of contexts is waited for.
    works: bool,
    /// Something else than work under a context can end it.
    bounded: bool,
}

impl Race {
    /// What waiting for a context's end in it does with the context.
    fn use_of_end(&self) -> Uses {
        if self.works { Uses::RACE } else { Uses::WAIT }
    }
}

impl Run<'_> {
    fn race(&self, pieces: &[Val], types: &[&Ty]) -> Race {
        let mut typed = types.iter().map(Some).chain(std::iter::repeat(None));
        let works = pieces.iter().any(|piece| !matches!(piece.behind(), Val::Done(_)));
        Race { works, bounded: pieces.iter().any(|piece| self.bounds(piece, typed.next().flatten().copied())) }
    }

    /// Whether a piece of work ends the others of a race by what is not itself work under some context: the
    /// clock, a message, a signal, a token, a context that can end, or what nobody knows.
    fn bounds(&self, piece: &Val, ty: Option<&Ty>) -> bool {
        match piece.behind() {
            Val::Done(ctx) => !ctx.never_ends(),
            Val::Future(body, _) | Val::Closure(body, _) => {
                self.summaries.get(*body).is_none_or(|summary| !summary.works())
            }
            Val::Work(pieces, _) | Val::Many(pieces) => pieces.iter().any(|piece| self.bounds(piece, None)),
            Val::Input(_) | Val::Called(..) => ty.is_some_and(|ty| self.program.role(ty) == Some(TypeRole::Channel)),
            _ => true,
        }
    }

    /// A `select!`: where control goes by each of its arms, and with what.
    pub(super) fn select(
        &mut self,
        at: At,
        arms: &[Arm],
        other: Option<BlockId>,
        span: Span,
        mut world: World,
    ) -> Vec<(BlockId, World)> {
        self.waits_besides = true;
        let mut future =
            |arm: &Arm| self.end_of(self.body.local_span(arm.future), world.take(&Place::local(arm.future)));
        let futures: Vec<Val> = arms.iter().map(&mut future).collect();
        let types: Vec<&Ty> = arms.iter().map(|arm| self.type_of(arm.future)).collect();
        let race = self.race(&futures, &types);
        let mut next = Vec::new();
        self.settle_fresh(&mut world);
        for future in &futures {
            if let Val::Done(ctx) = future.behind() {
                self.use_ctx(ctx, race.use_of_end());
            }
        }
        for (index, (arm, future)) in arms.iter().zip(&futures).enumerate() {
            let mut world = world.clone();
            let here = At { block: at.block, op: at.op + 1 + index as u32 };
            if let Val::Done(ctx) = future.behind() {
                let again = world.is_done(ctx);
                let (block, guarded) = (arm.block.0, arm.guarded);
                let name = self.body.local_span(arm.future);
                world.done.insert(ctx.id, ());
                let stays = again && self.stays(at, arm.block, &world);
                self.record(here, name, span, Seen::Arm { ctx: ctx.clone(), block, again, guarded, stays });
                next.push((arm.block, world));
                continue;
            }
            // Losing futures are dropped: whatever they hold counts as looked after.
            let driven = self.drive_raced(here, arm.body_span, future.clone(), world, &race);
            for (mut world, output) in driven {
                for lost in &futures {
                    self.settle(&mut world, lost);
                }
                let output = self.with_type(output, self.type_of(arm.output), Some((here, arm.body_span)));
                world.set(arm.output, output);
                next.push((arm.block, world));
            }
        }
        if let Some(other) = other {
            next.push((other, world));
        }
        next
    }

    /// Whether every way from a block leads to the next turn of the loop around a place. Where there are too many
    /// ways it is taken not to be so.
    fn stays(&mut self, at: At, from: BlockId, world: &World) -> bool {
        let Some(around) = self.body.block(BlockId(at.block)).and_then(|block| block.in_loop) else { return false };
        let Some(head) = self.body.loops.get(around.index()).map(|around| around.head) else { return false };
        let is_recording = std::mem::replace(&mut self.recording, false);
        // What was asked in an earlier turn may be answered differently in this one.
        let mut left = vec![(from, world.unasked())];
        let mut stays = is_recording;
        for _ in 0..MAX_WAYS_ON {
            let Some((block, world)) = left.pop().filter(|_| stays) else { break };
            if block == head {
                continue;
            }
            let in_loop = self.body.block(block).and_then(|block| block.in_loop);
            let next = self.block(block, world);
            stays = self.body.loops_around(in_loop).any(|of| of == around) && !next.is_empty();
            left.extend(next);
        }
        self.recording = is_recording;
        stays && left.is_empty()
    }

    /// A piece of work is run against the others of a race.
    fn drive_raced(&mut self, at: At, name: Span, piece: Val, world: World, race: &Race) -> Vec<(World, Val)> {
        self.timed += u32::from(race.bounded);
        let driven = self.drive(at, name, piece, world);
        self.timed -= u32::from(race.bounded);
        driven
    }

    /// The first of several pieces of work that ends: the others are given up somewhere on their way.
    pub(super) fn drive_first(
        &mut self,
        at: At,
        name: Span,
        pieces: &[Val],
        cases: &[Gives],
        world: World,
    ) -> Vec<(World, Val)> {
        let list = match pieces {
            [only] => match only.behind() {
                Val::Many(list) => Some(list.as_slice()),
                _ => None,
            },
            _ => None,
        };
        let pieces: &[Val] =
            &list.unwrap_or(pieces).iter().map(|piece| self.end_of(name, piece.clone())).collect::<Vec<_>>();
        let race = self.race(pieces, &[]);
        let mut found = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            let driven = match piece.behind() {
                Val::Done(ctx) => {
                    let mut world = world.clone();
                    self.wait_for_end(ctx, race.use_of_end(), &mut world);
                    vec![(world, Val::Unknown)]
                }
                _ => self.drive_raced(at, name, piece.clone(), world.clone(), &race),
            };
            let position = if list.is_some() { 0 } else { index };
            for (mut world, output) in driven {
                for lost in pieces {
                    self.settle(&mut world, lost);
                }
                let mut outputs = vec![Val::Unknown; position];
                outputs.push(output);
                let case = cases.get(position).unwrap_or(&Gives::Unknown);
                if !case.has(position) {
                    outputs.iter().for_each(|output| self.look_after(output, &mut world));
                }
                found.push((world, case.value(&outputs)));
            }
        }
        // A piece that lost may have used what it was given.
        let mut any = world;
        found.iter().for_each(|(world, _)| {
            any.join(world);
        });
        if found.len() > MAX_WAYS || found.is_empty() {
            return vec![(any, Val::Unknown)];
        }
        for (world, _) in &mut found {
            any.used.iter().for_each(|(id, how)| world.mark(*id, how.clone()));
        }
        found
    }
}
