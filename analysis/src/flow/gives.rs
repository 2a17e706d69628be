//! What work that runs other work gives, by what that gives: a race with the end of a context or of
//! some time, several pieces of work together, or whichever of them ends first.

use crate::facts::{Name, Span};
use crate::model::{FnModel, FnRole, Shape};

use super::contents::{EITHER, OPTION, RESULT, VEC};
use super::plain::some;
use super::run::{At, Run};
use super::value::Val;
use super::world::World;

/// How many ways through several pieces of work are told apart.
pub(super) const MAX_WAYS: usize = 32;

/// What work gives, by what the pieces of it give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Gives {
    /// Nothing that is known.
    #[default]
    Unknown,
    /// What the piece at this position gives.
    Piece(usize),
    /// What the piece at this position gives where it succeeds; where one fails, all of it fails.
    Held(usize),
    /// The piece at this position is a list of pieces: the list of what they give.
    All(usize),
    /// The same of what each gives where it succeeds.
    AllHeld(usize),
    /// The pieces are those of such a list; whether they are to succeed.
    List(bool),
    /// A tuple.
    Tuple(Vec<Gives>),
    /// A variant.
    Variant(Name, Box<Gives>),
    /// Something in the first of these variants, or the second without any of it.
    Either(Name, Name, Box<Gives>),
    /// What the first piece gives is given to the second, as told: always, or where it succeeds or fails. What
    /// that gives is itself work, or not.
    Then(Box<Gives>, Then),
    /// What is given where the piece at each position is the first to end. Where there is one for a list of
    /// pieces, it is that for each of them.
    First(Vec<Gives>),
}

/// How work goes on after other work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Then {
    always: bool,
    runs: bool,
}

impl Gives {
    /// What follows a future, where a function of a library is one that makes it follow.
    pub(super) fn after(model: &FnModel) -> Option<Gives> {
        let runs = match model.role {
            FnRole::Map | FnRole::InnerOr => false,
            FnRole::AndThen | FnRole::OrElse => true,
            _ => return None,
        };
        if !model.on.iter().any(|on| on == "future") {
            return None;
        }
        let shown = model.gives.first()?;
        let always = matches!(shown, Shape::Awaited(_));
        Some(Gives::Then(Box::new(Gives::held(shown, &[model.subject])), Then { always, runs }))
    }

    /// What a library's function gives that is given pieces of work as these arguments; where that is a
    /// future, what the future gives.
    pub(super) fn of(model: &FnModel, work: &[usize]) -> Gives {
        let shape = match &model.returns {
            Some(Shape::Future(given)) => Some(&**given),
            shape => shape.as_ref(),
        };
        match (shape, model.first) {
            (Some(Shape::Named(path, sides)), true) if path == EITHER => {
                let sides = ["Left", "Right"].iter().zip(sides);
                Gives::First(sides.map(|(name, side)| Gives::side(name, side, work)).collect())
            }
            (shape, true) => {
                let each = shape.map_or(Gives::Unknown, |shape| Gives::held(shape, work));
                Gives::First(vec![each; work.len()])
            }
            (shape, false) => shape.map_or(Gives::Unknown, |shape| Gives::held(shape, work)),
        }
    }

    /// One that came first, beside the other, of which nobody knows how far it came.
    fn side(name: &str, side: &Shape, work: &[usize]) -> Gives {
        let given = match side {
            Shape::Tuple(parts) => {
                let first = parts.first().map_or(Gives::Unknown, |first| Gives::held(first, work));
                Gives::Tuple(vec![first, Gives::Unknown])
            }
            _ => Gives::Unknown,
        };
        Gives::Variant(name.into(), Box::new(given))
    }

    fn held(shape: &Shape, work: &[usize]) -> Gives {
        let piece = |at: &usize, gives: fn(usize) -> Gives| {
            work.iter().position(|index| index == at).map_or(Gives::Unknown, gives)
        };
        let either = |some: &str, none: &str, of: &Shape| match Gives::held(of, work) {
            Gives::Unknown => Gives::Unknown,
            given => Gives::Either(some.into(), none.into(), Box::new(given)),
        };
        match shape {
            Shape::Awaited(given) => match &**given {
                // Any of a list.
                Shape::Held(of) => Gives::held(of, work),
                given => Gives::held(given, work),
            },
            Shape::Held(given) => match Gives::held(given, work) {
                Gives::Piece(at) => Gives::Held(at),
                _ => Gives::Unknown,
            },
            Shape::Arg(at) | Shape::Output(at) => piece(at, Gives::Piece),
            Shape::Tuple(parts) => Gives::Tuple(parts.iter().map(|part| Gives::held(part, work)).collect()),
            Shape::Named(path, args) => match (path.as_str(), args.first()) {
                (OPTION, Some(of)) => either("Some", "None", of),
                (RESULT, Some(of)) => either("Ok", "Err", of),
                (VEC, Some(of)) => match Gives::held(of, work) {
                    Gives::Piece(at) => Gives::All(at),
                    Gives::Held(at) => Gives::AllHeld(at),
                    _ => Gives::Unknown,
                },
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
    pub(super) fn has(&self, piece: usize) -> bool {
        match self {
            Gives::Piece(at) | Gives::Held(at) | Gives::All(at) | Gives::AllHeld(at) => *at == piece,
            Gives::Tuple(parts) => parts.iter().any(|part| part.has(piece)),
            Gives::Variant(_, given) => given.has(piece),
            Gives::Unknown | Gives::Either(..) | Gives::List(_) | Gives::First(_) | Gives::Then(..) => false,
        }
    }

    /// Where a piece is a list of pieces: what is given of that list.
    fn list(&self, piece: usize) -> Option<Gives> {
        match self {
            Gives::All(at) if *at == piece => Some(Gives::List(false)),
            Gives::AllHeld(at) if *at == piece => Some(Gives::List(true)),
            _ => None,
        }
    }

    /// Whether all of it fails, by what the pieces gave.
    fn fails(&self, outputs: &[Val]) -> bool {
        let failed = |at: &usize| outputs.get(*at).is_some_and(|output| output.succeeds() == Some(false));
        match self {
            Gives::Held(at) | Gives::AllHeld(at) => failed(at),
            Gives::Tuple(parts) => parts.iter().any(|part| part.fails(outputs)),
            Gives::List(true) => outputs.iter().any(|output| output.succeeds() == Some(false)),
            _ => false,
        }
    }

    pub(super) fn value(&self, outputs: &[Val]) -> Val {
        let held = |output: &Val| if output.is_unknown() { Val::Unknown } else { output.project(&some()) };
        match self {
            Gives::Piece(at) | Gives::All(at) => outputs.get(*at).cloned().unwrap_or_default(),
            Gives::Held(at) | Gives::AllHeld(at) => outputs.get(*at).map(held).unwrap_or_default(),
            Gives::List(to_succeed) if outputs.iter().any(|output| !output.is_unknown()) => Val::Many(
                outputs.iter().map(|output| if *to_succeed { held(output) } else { output.clone() }).collect(),
            ),
            Gives::Tuple(parts) => {
                let parts: Vec<Val> = parts.iter().map(|part| part.value(outputs)).collect();
                if parts.iter().all(Val::is_unknown) { Val::Unknown } else { Val::tuple(parts) }
            }
            Gives::Variant(name, given) => Val::success(name, given.value(outputs)),
            Gives::Unknown | Gives::Either(..) | Gives::List(_) | Gives::First(_) | Gives::Then(..) => Val::Unknown,
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
        if let Gives::First(cases) = gives {
            return self.drive_first(at, name, pieces, cases, world);
        }
        if let (Gives::Then(shown, then), [first, second]) = (gives, pieces) {
            return self.drive_after(at, name, first, (shown, second), *then, world);
        }
        let (given, variants) = gives.success();
        let before = world.clone();
        let mut ways = vec![(world, Vec::with_capacity(pieces.len()))];
        for (index, piece) in pieces.iter().enumerate() {
            let most = (ways.len().max(1) * 4).min(MAX_WAYS);
            let mut next = Vec::new();
            for (world, outputs) in ways {
                let driven = match (piece.behind(), given.list(index)) {
                    (Val::Many(list), Some(of_list)) => self.drive_all(at, name, list, &of_list, world),
                    _ => self.drive(at, name, piece.clone(), world),
                };
                for (world, output) in driven {
                    next.push((world, outputs.iter().cloned().chain([output]).collect::<Vec<_>>()));
                }
            }
            next.truncate(most);
            ways = next;
        }
        let mut found: Vec<(World, Val)> = Vec::with_capacity(ways.len() + 1);
        let mut failed = Vec::new();
        for (mut world, mut outputs) in ways {
            let fails = given.fails(&outputs);
            for (piece, output) in outputs.iter_mut().enumerate() {
                match given {
                    Gives::List(_) => *output = self.listed(output, &mut world),
                    // What cannot be told any more is looked after by whoever gets it.
                    _ if !given.has(piece) => self.look_after(output, &mut world),
                    _ => {}
                }
            }
            match fails {
                true => failed.push(world),
                false => found.push((world, given.value(&outputs))),
            }
        }
        match (variants, given) {
            (Some((some, none)), _) if found.is_empty() || found.iter().any(|(_, value)| !value.is_unknown()) => {
                let mut given_up = before;
                found.iter().map(|(world, _)| world).chain(&failed).for_each(|world| {
                    given_up.join(world);
                });
                let given = found.into_iter().map(|(world, value)| (world, Val::success(some, value)));
                given.chain([(given_up, Val::variant(none))]).collect()
            }
            (None, Gives::List(true)) => {
                let given = found.into_iter().map(|(world, value)| (world, Val::success("Ok", value)));
                given.chain(failed.into_iter().map(|world| (world, Val::variant("Err")))).collect()
            }
            _ => {
                found.extend(failed.into_iter().map(|world| (world, Val::Unknown)));
                found
            }
        }
    }

    /// Work is run, and then what follows it.
    fn drive_after(
        &mut self,
        at: At,
        name: Span,
        first: &Val,
        (shown, second): (&Gives, &Val),
        then: Then,
        world: World,
    ) -> Vec<(World, Val)> {
        let mut found = Vec::new();
        for (mut world, output) in self.drive(at, name, first.clone(), world) {
            if !then.always {
                self.look_after(&output, &mut world);
            }
            let (before, shown) = (world.clone(), shown.value(&[output]));
            for (world, given) in self.call_value(at, name, second.clone(), vec![shown], world) {
                let driven = if then.runs { self.drive(at, name, given, world) } else { vec![(world, given)] };
                found.extend(driven.into_iter().map(|(world, given)| match then.always {
                    true => (world, given),
                    false => (world.perhaps_after(&before), Val::Unknown),
                }));
            }
        }
        found.truncate(MAX_WAYS);
        found
    }

    /// What one of a list of pieces gives. Tasks are followed into collections, and contexts where one
    /// stands for all that are made alike: none of them can be ended without the others.
    fn listed(&mut self, output: &Val, world: &mut World) -> Val {
        if self.holds_task(output) {
            return output.clone();
        }
        self.look_after(output, world);
        let output = output.behind();
        let mut has_own_end = false;
        output.walk(&mut |value, _, _| {
            has_own_end |= value.as_ctx().is_some_and(|ctx| ctx.line().iter().any(|node| node.is_bound()));
        });
        if has_own_end { Val::Unknown } else { output.without_objects() }
    }
}
