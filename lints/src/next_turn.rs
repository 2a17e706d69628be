//! What lies between an arm that a context's end has won, or a test that found it done, and the next time the
//! same is waited for or asked: a loop spins only if nothing on that way waits, replaces the context or ends the loop.

use std::collections::BTreeSet;

use ctxlint_analysis::facts::{Arm, LocalId, Mutability, Op, OpKind, Place, Step, Terminator};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::{BodyRef, Target, Ty};

use crate::code::{At, Call, Code};
use crate::waits;

/// How far a value is followed to what it is made of, and callees are looked into.
const MAX_STEPS: u8 = 12;
const MAX_HOPS: u8 = 3;

/// How often tests are looked at again because of what others let pass.
const MAX_ROUNDS: usize = 8;

/// The way from a block to the next time an event happens.
pub(crate) struct NextTurn<'a> {
    code: Code<'a>,
    flow: &'a Flow,
    event: &'a Event,
    /// Its blocks, in the one that the event is in only what comes before it.
    blocks: BTreeSet<u32>,
}

impl<'a> NextTurn<'a> {
    /// The way, if there is one and none that leads elsewhere. `stays` says that all lead to the loop's next turn first.
    pub(crate) fn of(code: Code<'a>, flow: &'a Flow, event: &'a Event, from: u32, stays: bool) -> Option<NextTurn<'a>> {
        let mut turn = NextTurn { code, flow, event, blocks: code.ways().on_the_way(from, event.block)? };
        let head = code.body.loops.get(event.in_loop?.index())?.head.0;
        let to_head = code.ways().on_the_way(from, head).filter(|_| stays);
        turn.blocks = match to_head {
            Some(to_head) => turn.to_next(head, &to_head)?,
            None => turn.to_next(from, &BTreeSet::new())?,
        };
        (!turn.may_be_left()).then_some(turn)
    }

    /// Whether a macro on the way may leave the loop: what it stands for is not in view, or says so.
    fn may_be_left(&self) -> bool {
        let before = |at: At| at.block != self.event.block || at.op < self.event.op;
        self.code.ops_in(&self.blocks).any(|(at, op)| before(at) && self.code.may_leave(op))
    }

    /// Whether it can be gone without waiting for anything. A context that is done is not waited for.
    pub(crate) fn waits_for_nothing(&self, from: u32) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![from];
        while let Some(block) = left.pop() {
            if block == self.event.block {
                return !self.waits_in(block, self.event.op);
            }
            if self.blocks.contains(&block) && seen.insert(block) && !self.waits_in(block, u32::MAX) {
                left.extend(self.at_once(block));
            }
        }
        false
    }

    /// The blocks that are gone through from a block to the event, with those by which it has come to that block;
    /// none if a way ends. A test that was passed before, and of which nothing has changed since, is passed again.
    fn to_next(&self, from: u32, come_by: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
        let mut open = BTreeSet::new();
        for _ in 0..MAX_ROUNDS {
            let mut passed = self.passed(from, &open)?;
            passed.extend(come_by);
            let varies = |block: &u32| self.test(*block).is_some_and(|place| self.varies(&place, &passed, MAX_STEPS));
            let more: Vec<u32> =
                passed.iter().copied().filter(|block| !open.contains(block) && varies(block)).collect();
            if more.is_empty() {
                return Some(passed);
            }
            open.extend(more);
        }
        None
    }

    /// The blocks that are gone through from a block to the event, when tests go as before unless they are among the
    /// `open`.
    fn passed(&self, from: u32, open: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
        let mut seen = BTreeSet::new();
        let mut left = vec![from];
        while let Some(block) = left.pop() {
            if !seen.insert(block) || block == self.event.block {
                continue;
            }
            if !self.leads_back(block) {
                return None;
            }
            let next = self.code.ways().next(block).iter().copied();
            let goes_as_before = !open.contains(&block) && self.test(block).is_some() && self.is_always_passed(block);
            let is_else = |next: u32| self.race().is_some_and(|(_, other)| other == Some(next));
            left.extend(next.filter(|n| !is_else(*n) && (!goes_as_before || self.leads_beside(*n, block))));
        }
        seen.insert(self.event.block);
        Some(seen)
    }

    /// Whether something on the way may change what a value is made of, or it is looked up anew where others may
    /// put something else: behind a lock, in a channel.
    pub(crate) fn renews(&self, local: LocalId) -> bool {
        let looks_up =
            |(at, _): (At, &Op)| self.code.call(at).is_some_and(|call| looks_up(&self.code, &call, MAX_HOPS));
        let sources = self.sources(Place::local(local));
        // To wait for a future that was made before the loop is no change.
        let is_poll = |op: &Op| match (&op.kind, op.dest) {
            (OpKind::Ref(_, Mutability::Mut), Some(dest)) => sources.iter().any(|place| place.base == dest),
            _ => false,
        };
        sources.iter().any(|place| {
            self.changed_by(place, &self.blocks).any(|op| !is_poll(op))
                || self.made_in(place.base, &self.blocks).any(looks_up)
        })
    }

    /// Whether the same race has another arm that can end the loop, and something on the way changes what that
    /// waits for: it closes a channel, or sets off a signal.
    pub(crate) fn ends_another_arm(&self) -> bool {
        let Some((arms, _)) = self.race() else { return false };
        let beside: BTreeSet<u32> = self.blocks.iter().copied().filter(|block| *block != self.event.block).collect();
        arms.iter().any(|arm| {
            !beside.contains(&arm.block.0)
                && self.sources(Place::local(arm.future)).iter().any(|place| self.changes(place, &beside))
                && self.to_next(arm.block.0, &self.blocks).is_none()
        })
    }

    /// The arms of the race that the event is in, and where it goes when none of them can win, which is never.
    fn race(&self) -> Option<(&'a [Arm], Option<u32>)> {
        match &self.code.body.blocks.get(self.event.block as usize)?.end {
            Terminator::Select { arms, other, .. } => Some((arms, other.map(|other| other.0))),
            _ => None,
        }
    }

    /// Where control goes from a block at once: from a race that a context which is done has won before, by that
    /// arm; from another one only later.
    fn at_once(&self, block: u32) -> Vec<u32> {
        match self.code.body.blocks.get(block as usize).map(|block| &block.end) {
            Some(Terminator::Select { .. }) => {
                let events = self.flow.events.iter().filter(|event| event.block == block);
                let arms = events.flat_map(|event| &event.seen).filter_map(|seen| match seen {
                    Seen::Arm { block, again: true, .. } => Some(*block),
                    _ => None,
                });
                arms.collect()
            }
            _ => self.code.ways().next(block).to_vec(),
        }
    }

    /// What the test at a block's end looks at.
    fn test(&self, block: u32) -> Option<Place> {
        match &self.code.body.blocks.get(block as usize)?.end {
            Terminator::If { condition, .. } => Some(Place::local(*condition)),
            Terminator::Match { place, .. } => Some(place.clone()),
            _ => None,
        }
    }

    /// Whether a way leads from a block to the event.
    fn leads_back(&self, block: u32) -> bool {
        self.code.ways().leads(block, |at| at == self.event.block)
    }

    /// Whether one does that does not come by another block.
    fn leads_beside(&self, block: u32, beside: u32) -> bool {
        let is_event = |at: u32| at == self.event.block;
        is_event(block) || (block != beside && self.code.ways().leads_beside(block, Some(beside), is_event))
    }

    /// Whether every turn of the outermost loop comes by a block before it comes to the event.
    fn is_always_passed(&self, block: u32) -> bool {
        let outermost = self.code.loops_from(self.event.in_loop).last();
        let head = outermost.and_then(|of| self.code.body.loops.get(of.index())).map(|known| known.head.0);
        head.is_some_and(|head| !self.leads_beside(head, block))
    }

    /// Whether what a place holds may be something else after some blocks. What a call says may always be.
    fn varies(&self, place: &Place, blocks: &BTreeSet<u32>, fuel: u8) -> bool {
        let Some(fuel) = fuel.checked_sub(1) else { return true };
        let local = |local: &LocalId| self.varies(&Place::local(*local), blocks, fuel);
        let mut made = self.made_in(place.base, blocks);
        let Some((_, op)) = made.next() else { return self.changes(place, blocks) };
        if made.next().is_some() || self.changes(place, blocks) {
            return true;
        }
        match &op.kind {
            OpKind::Use(place) | OpKind::Ref(place, _) => self.varies(place, blocks, fuel),
            OpKind::Binary(_, left, right) => local(left) || local(right),
            OpKind::Unary(_, value) | OpKind::Cast(value, _) => local(value),
            OpKind::Tuple(parts) | OpKind::Array(parts) => parts.iter().any(local),
            OpKind::Lit(_) | OpKind::Path(_) => false,
            _ => true,
        }
    }

    /// The operations in some blocks that give a local its value.
    fn made_in<'b>(
        &self,
        local: LocalId,
        blocks: &'b BTreeSet<u32>,
    ) -> impl Iterator<Item = (At, &'a Op)> + use<'a, 'b> {
        self.code.definitions(local).filter(|(at, _)| blocks.contains(&at.block))
    }

    /// A place, and those that what is in it is made of on the way.
    fn sources(&self, place: Place) -> Vec<Place> {
        let mut found = vec![place];
        let mut at = 0;
        while let Some(base) = found.get(at).map(|place| place.base).filter(|_| at < usize::from(MAX_STEPS) * 4) {
            at += 1;
            for (_, op) in self.made_in(base, &self.blocks) {
                let more = self.parts(op).into_iter().filter(|place| !found.contains(place));
                found.extend(more.collect::<Vec<_>>());
            }
        }
        found
    }

    /// What an operation makes its value of.
    fn parts(&self, op: &Op) -> Vec<Place> {
        let locals = |locals: &[LocalId]| locals.iter().copied().map(Place::local).collect();
        match &op.kind {
            OpKind::Use(place) | OpKind::Ref(place, _) => vec![place.clone()],
            OpKind::MethodCall { receiver, args, .. } => {
                let mut all: Vec<Place> = locals(args);
                all.push(receiver.clone());
                all
            }
            OpKind::Call { args, .. } | OpKind::Tuple(args) | OpKind::Array(args) => locals(args),
            OpKind::Await(value) => locals(&[*value]),
            OpKind::Closure(inner) => {
                let inner = self.code.analysis.program.body(BodyRef { file: self.code.who.file, body: *inner });
                inner.into_iter().flat_map(|inner| &inner.captures).map(|(outer, _)| Place::local(*outer)).collect()
            }
            OpKind::Unknown { mentions, .. } => mentions.clone(),
            _ => Vec::new(),
        }
    }

    /// What in some blocks of the way may change what a place holds.
    fn changed_by<'b>(&'b self, place: &'b Place, blocks: &'b BTreeSet<u32>) -> impl Iterator<Item = &'a Op> + 'b {
        let before = |at: At| at.block != self.event.block || at.op < self.event.op;
        let all = self.code.ops_in(blocks).filter(move |(at, _)| before(*at));
        all.filter(move |(at, op)| may_change(&self.code, *at, op, place, MAX_HOPS)).map(|(_, op)| op)
    }

    fn changes(&self, place: &Place, blocks: &BTreeSet<u32>) -> bool {
        self.changed_by(place, blocks).next().is_some()
    }

    /// Whether a block waits for something before one of its operations.
    fn waits_in(&self, block: u32, before: u32) -> bool {
        let ops = self.code.body.blocks.get(block as usize).map_or(&[][..], |known| &known.ops);
        ops.iter().zip(0..before).any(|(op, at)| waits_for_something(&self.code, At { block, op: at }, op, MAX_HOPS))
    }
}

/// Whether an operation waits for something else than a context's end.
fn waits_for_something(code: &Code<'_>, at: At, op: &Op, hops: u8) -> bool {
    match &op.kind {
        OpKind::Await(future) => code.made_by(*future, &[]).is_none_or(|call| awaits_something(code, &call)),
        OpKind::Call { .. } | OpKind::MethodCall { .. } => code.call(at).is_some_and(|call| blocks(code, &call, hops)),
        _ => false,
    }
}

/// Whether the future that a call gives is one of something else than a context's end.
fn awaits_something(code: &Code<'_>, call: &Call<'_>) -> bool {
    if call.is(&[FnRole::Wait, FnRole::Run, FnRole::RunSelf]) {
        return false;
    }
    let callee = code.callee(call).filter(|callee| callee.body.is_async);
    let summary = callee.and_then(|callee| code.analysis.summaries.get(callee.who));
    summary.is_none_or(|summary| summary.waits_besides)
}

/// Whether a call comes back only after it has waited for something.
fn blocks(code: &Code<'_>, call: &Call<'_>, hops: u8) -> bool {
    if call.is(&[FnRole::Waiting, FnRole::Outbound, FnRole::Join]) {
        return !waits::gives_future(code, call);
    }
    let callee = code.callee(call).filter(|callee| !callee.body.is_async);
    let Some((callee, hops)) = callee.zip(hops.checked_sub(1)) else { return false };
    callee.calls().any(|call| blocks(&callee, &call, hops))
}

/// Whether a call looks into something whose content others can change through a shared reference or another end.
fn looks_up(code: &Code<'_>, call: &Call<'_>, hops: u8) -> bool {
    let is_cell = |place: &Place| {
        let role = code.analysis.program.role(&code.type_at(place));
        matches!(role, Some(TypeRole::Collection | TypeRole::Channel))
    };
    if call.receiver.is_some_and(is_cell) {
        return true;
    }
    let Some((callee, hops)) = code.callee(call).zip(hops.checked_sub(1)) else { return false };
    callee.calls().any(|call| looks_up(&callee, &call, hops))
}

/// Whether an operation may change what a place holds.
fn may_change(code: &Code<'_>, at: At, op: &Op, place: &Place, hops: u8) -> bool {
    match &op.kind {
        OpKind::Assign { place: to, .. } | OpKind::AssignOp { place: to, .. } | OpKind::Ref(to, Mutability::Mut) => {
            overlap(to, place)
        }
        // A reference to write to is handed on.
        OpKind::Use(lent) => overlap(lent, place) && matches!(*code.type_at(lent), Ty::Ref(_, true)),
        OpKind::MethodCall { receiver, .. } => overlap(receiver, place) && may_write(code, at, receiver),
        OpKind::Unknown { mentions, .. } => mentions.iter().any(|mentioned| overlap(mentioned, place)),
        OpKind::Closure(inner) => {
            let inner = Code::of(code.analysis, BodyRef { file: code.who.file, body: *inner });
            let (Some(inner), Some(hops)) = (inner, hops.checked_sub(1)) else { return true };
            let mut captured = inner.body.captures.iter().filter(|(outer, _)| *outer == place.base);
            captured.any(|(_, own)| {
                let place = Place { base: *own, path: place.path.clone() };
                inner.ops().any(|(at, _, op)| may_change(&inner, at, op, &place, hops))
            })
        }
        _ => false,
    }
}

/// Whether one of two places is the other or a part of it.
fn overlap(one: &Place, other: &Place) -> bool {
    let steps = |place: &'_ Place| place.path.iter().filter(|step| **step != Step::Deref).cloned().collect::<Vec<_>>();
    one.base == other.base && steps(one).iter().zip(&steps(other)).all(|(one, other)| one == other)
}

/// Whether a method may change what it is called on, or end what that stands for.
fn may_write(code: &Code<'_>, at: At, receiver: &Place) -> bool {
    let Some(call) = code.call(at) else { return true };
    if let Target::Def(def) = call.target {
        return matches!(code.analysis.program.param_types(*def).first(), Some(Ty::Ref(_, true)));
    }
    if let Some(model) = call.model {
        let writes = [FnRole::Replace, FnRole::Swap, FnRole::Insert, FnRole::Take, FnRole::Push];
        // A channel is the same without the messages that are taken out of it.
        let is_channel = code.analysis.program.role(&code.type_at(receiver)) == Some(TypeRole::Channel);
        return model.writes
            || (call.is(&writes) && !(is_channel && call.is(&[FnRole::Take, FnRole::Push])))
            || call.is(&[FnRole::Cancel, FnRole::Abort]);
    }
    let can_be_written = |ty: &Ty| !matches!(ty, Ty::Ref(_, false));
    let local = code.body.local(receiver.base);
    can_be_written(code.ty(receiver.base))
        && can_be_written(&code.type_at(receiver))
        && (local.is_some_and(|local| local.mutable || local.name.is_none())
            || matches!(code.ty(receiver.base), Ty::Ref(_, true) | Ty::Unknown))
}
