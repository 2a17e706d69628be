//! What work that runs other work gives, by what that gives: a race with the end of a context or of
//! some time, several pieces of work together.

use crate::facts::{Name, Span};
use crate::model::Shape;

use super::contents::{OPTION, RESULT};
use super::run::{At, Run};
use super::value::Val;
use super::world::World;

/// What work gives, by what the pieces of it give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Gives {
    /// Nothing that is known.
    #[default]
    Unknown,
    /// What the piece at this position gives.
    Piece(usize),
    /// A tuple.
    Tuple(Vec<Gives>),
    /// Something in the first of these variants, or the second without any of it.
    Either(Name, Name, Box<Gives>),
}

impl Gives {
    /// What a library's function gives that is given pieces of work as these arguments; where that is a
    /// future, what the future gives.
    pub(super) fn of(shape: Option<&Shape>, work: &[usize]) -> Gives {
        match shape {
            Some(Shape::Future(given)) => Gives::held(given, work),
            Some(shape) => Gives::held(shape, work),
            None => Gives::Unknown,
        }
    }

    fn held(shape: &Shape, work: &[usize]) -> Gives {
        let either = |some: &str, none: &str, of: &Shape| match Gives::held(of, work) {
            Gives::Unknown => Gives::Unknown,
            given => Gives::Either(some.into(), none.into(), Box::new(given)),
        };
        match shape {
            Shape::Awaited(given) => Gives::held(given, work),
            Shape::Arg(at) | Shape::Output(at) => {
                work.iter().position(|index| index == at).map_or(Gives::Unknown, Gives::Piece)
            }
            Shape::Tuple(parts) => Gives::Tuple(parts.iter().map(|part| Gives::held(part, work)).collect()),
            Shape::Named(path, args) => match (path.as_str(), args.first()) {
                (OPTION, Some(of)) => either("Some", "None", of),
                (RESULT, Some(of)) => either("Ok", "Err", of),
                _ => Gives::Unknown,
            },
            _ => Gives::Unknown,
        }
    }

    /// Where it is something in a variant: that, and the two variants.
    fn success(&self) -> (&Gives, Option<(&Name, &Name)>) {
        match self {
            Gives::Either(some, none, given) => (given, Some((some, none))),
            given => (given, None),
        }
    }

    /// Whether what a piece gives is part of its value.
    fn has(&self, piece: usize) -> bool {
        match self {
            Gives::Piece(at) => *at == piece,
            Gives::Tuple(parts) => parts.iter().any(|part| part.has(piece)),
            Gives::Unknown | Gives::Either(..) => false,
        }
    }

    fn value(&self, outputs: &[Val]) -> Val {
        match self {
            Gives::Piece(at) => outputs.get(*at).cloned().unwrap_or_default(),
            Gives::Tuple(parts) => {
                let parts: Vec<Val> = parts.iter().map(|part| part.value(outputs)).collect();
                if parts.iter().all(Val::is_unknown) { Val::Unknown } else { Val::tuple(parts) }
            }
            Gives::Unknown | Gives::Either(..) => Val::Unknown,
        }
    }
}

impl Run<'_> {
    /// Pieces of work are run. What may be given up before its end may have done all of its work, or
    /// nothing: then only what holds either way holds.
    pub(super) fn drive_all(
        &mut self,
        at: At,
        name: Span,
        pieces: &[Val],
        gives: &Gives,
        world: World,
    ) -> Vec<(World, Val)> {
        let before = world.clone();
        let mut ways = vec![(world, Vec::with_capacity(pieces.len()))];
        for piece in pieces {
            let most = ways.len().max(1) * 4;
            let mut next = Vec::new();
            for (world, outputs) in ways {
                for (world, output) in self.drive(at, name, piece.clone(), world) {
                    next.push((world, outputs.iter().cloned().chain([output]).collect::<Vec<_>>()));
                }
            }
            next.truncate(most);
            ways = next;
        }
        let (given, variants) = gives.success();
        let mut found: Vec<(World, Val)> = Vec::with_capacity(ways.len() + 1);
        for (mut world, outputs) in ways {
            for (piece, output) in outputs.iter().enumerate() {
                // What cannot be told any more is looked after by whoever gets it.
                if !given.has(piece) {
                    self.look_after(output, &mut world);
                }
            }
            found.push((world, given.value(&outputs)));
        }
        match variants {
            Some((some, none)) if found.is_empty() || found.iter().any(|(_, value)| !value.is_unknown()) => {
                let mut given_up = before;
                found.iter().for_each(|(world, _)| {
                    given_up.join(world);
                });
                let given = found.into_iter().map(|(world, value)| (world, Val::success(some, value)));
                given.chain([(given_up, Val::variant(none))]).collect()
            }
            _ => found,
        }
    }
}
