//! What is put into collections of a body, and what is taken out of them.
//!
//! A collection that is made empty, or of elements that are all in view, is followed for as long as
//! it is changed in view: then it holds some of its [`Val::Many`], and what is taken out of it is one
//! of them. An unknown element stands for all that is not in view, and stays. A map holds pairs.

use crate::facts::{LocalId, LocalKind, Place, Step, Terminator, Test};
use crate::model::{Bound, FnRole, Shape, TypeModel, TypeRole};
use crate::types::Ty;

use super::plain::some;
use super::roles::Applied;
use super::run::{At, Run};
use super::value::{Agg, Ctx, CtxKind, CtxNode, Val};
use super::world::World;

/// How many elements of a collection are told apart.
const MAX_ELEMENTS: usize = 16;

pub(super) const OPTION: &str = "std::option::Option";
pub(super) const RESULT: &str = "std::result::Result";
pub(super) const EITHER: &str = "futures::future::Either";
pub(super) const VEC: &str = "std::vec::Vec";
pub(super) const ITERATOR: &str = "std::iter::Iterator";

impl Val {
    /// Any element of a collection: known as far as all are the same.
    pub(super) fn any_of(values: &[Val]) -> Val {
        let known = values.iter().filter(|value| !matches!(value, Val::Unknown)).cloned();
        match known.reduce(|one, other| one.common(&other)) {
            Some(any) if known_alone(values) => any,
            // For tasks and handles the doubt is in their favour.
            Some(any) if any.owns() => any.without_contexts(),
            _ => Val::Unknown,
        }
    }

    /// The element at a position. Where others may have changed the collection, it may be in another place.
    pub(super) fn nth(values: &[Val], at: usize) -> Val {
        match values.get(at) {
            Some(value) if known_alone(values) => value.clone(),
            Some(value) if value.owns() => value.without_contexts(),
            _ => Val::Unknown,
        }
    }

    /// What an option or result holds, where it is known whether it holds something.
    pub(super) fn held(&self) -> Option<Option<Val>> {
        match self.behind() {
            Val::Agg(Agg { def: None, variant: Some(_), .. }) => {
                Some(self.succeeds()?.then(|| self.behind().project(&some())))
            }
            _ => None,
        }
    }

    /// What two values have in common: of tuples and structs the fields that are the same.
    fn common(&self, other: &Val) -> Val {
        match (self, other) {
            _ if self == other => self.clone(),
            (Val::Agg(one), Val::Agg(other)) if one.def == other.def && one.variant == other.variant => {
                let mut agg = one.clone();
                agg.fields.iter_mut().for_each(|(name, value)| *value = value.common(&other.field(name)));
                agg.rest = None;
                Val::Agg(agg)
            }
            (Val::Ctx(one), Val::Ctx(other)) if without_values(one).id == without_values(other).id => {
                Val::Ctx(without_values(one).clone())
            }
            // Which of them it is nobody knows; that it never ends is known.
            (Val::Ctx(one), Val::Ctx(other)) if one.never_ends() && other.never_ends() => {
                Val::Ctx(without_values(one).clone())
            }
            _ => Val::Unknown,
        }
    }

    /// Whether it is a collection that may hold what is not in view.
    pub(super) fn is_clouded(values: &[Val]) -> bool {
        !known_alone(values)
    }

    /// The same with nothing known of the contexts in it.
    fn without_contexts(&self) -> Val {
        match self {
            Val::Ctx(_) | Val::Input(_) | Val::Request(..) | Val::Server(..) => Val::Unknown,
            Val::Ref(inner, place) => Val::Ref(Box::new(inner.without_contexts()), place.clone()),
            Val::Agg(agg) => {
                let mut agg = agg.clone();
                agg.fields.iter_mut().for_each(|(_, value)| *value = value.without_contexts());
                agg.rest = None;
                Val::Agg(agg)
            }
            other => other.clone(),
        }
    }
}

/// The context that it has the life of, where nothing but values were added to that.
fn without_values(ctx: &Ctx) -> &Ctx {
    match &ctx.kind {
        CtxKind::Derived { parent, bound: Bound::None, other: None, .. } => without_values(parent),
        _ => ctx,
    }
}

fn known_alone(values: &[Val]) -> bool {
    !values.iter().any(|value| matches!(value, Val::Unknown))
}

/// Puts an element to the others.
pub(super) fn add(values: &mut Vec<Val>, element: Val) {
    let element = if values.len() < MAX_ELEMENTS { element } else { Val::Unknown };
    if !values.contains(&element) {
        values.push(element);
    }
}

impl Run<'_> {
    /// An argument of a call goes into a collection; whether that is all that becomes of it.
    pub(super) fn collect(&mut self, call: &Applied<'_>, index: usize, value: &Val, world: &mut World) -> bool {
        let Some(place) = call.receiver else { return false };
        let is_task = self.holds_task(value);
        if !is_task && call.model.value.is_some_and(|element| element != index) {
            return false;
        }
        let ty = self.type_of(place.base);
        let is_local = self.body.local(place.base).is_some_and(|local| local.kind == LocalKind::Binding);
        if !is_local || !place.path.is_empty() || matches!(ty, Ty::Ref(..)) || !self.is_collection(ty) {
            if self.is_collection_at(place) {
                world.unfix(place.base);
            }
            return false;
        }
        let mut values = match world.env.get(&place.base).map(|value| &**value) {
            None if is_task => Vec::new(),
            Some(Val::Many(values)) => values.clone(),
            _ => return false,
        };
        match is_task {
            true => {
                let value = value.one_of_several(&|node| self.is_made_in_loop(node));
                let element = if self.is_map(ty) { Val::tuple(vec![Val::Unknown, value]) } else { value };
                if !values.contains(&element) {
                    values.push(element);
                }
            }
            false if call.model.value.is_none() => add(&mut values, Val::Unknown),
            false => {
                let element = self.element(value);
                let is_known = !element.is_unknown() && self.is_map(ty);
                add(&mut values, if is_known { Val::tuple(vec![Val::Unknown, element]) } else { element });
            }
        }
        world.set(place.base, Val::Many(values));
        is_task
    }

    /// What is kept of a value in a collection: the contexts in it, and what it was given with. Of
    /// what a loop makes there is one for each turn, and nobody knows which of them it is.
    pub(super) fn element(&self, value: &Val) -> Val {
        let value = value.behind().without_objects();
        let (mut holds, mut is_one) = (false, true);
        value.walk(&mut |value, _, _| match value {
            Val::Ctx(ctx) => {
                holds = true;
                is_one &= !ctx.line().iter().any(|node| self.is_made_in_loop(node));
            }
            Val::Input(_) => holds = true,
            Val::Closure(..) | Val::Future(..) | Val::Work(..) | Val::Called(..) => is_one = false,
            _ => {}
        });
        if holds && is_one { value } else { Val::Unknown }
    }

    fn is_made_in_loop(&self, node: &CtxNode) -> bool {
        let block = self.body.block(crate::facts::BlockId(node.id.block));
        block.is_some_and(|block| block.in_loop.is_some())
    }

    fn is_collection(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Slice(_)) || self.program.type_model(ty).is_some_and(is_collection)
    }

    /// Whether a place is a collection, behind whatever leads to it.
    pub(super) fn is_collection_at(&self, place: &Place) -> bool {
        self.is_collection(self.program.peel(&self.type_at(place)))
    }

    /// The place of what a map has under a key: of its elements, which are pairs, the second part. What
    /// a loop goes over are the pairs.
    pub(super) fn keyed(&self, place: &Place) -> Option<Place> {
        let at = place.path.iter().position(|step| *step == Step::Index)?;
        let (before, after) = (place.path.get(..at)?.to_vec(), place.path.get(at..)?);
        let map = Place { base: place.base, path: before };
        if !self.is_map(&self.type_at(&map)) || self.is_looped(&map) {
            return None;
        }
        let mut path = map.path;
        path.extend([Step::Index, Step::Field("1".into())]);
        path.extend(after.iter().skip(1).cloned());
        Some(Place { base: place.base, path })
    }

    fn is_looped(&self, place: &Place) -> bool {
        self.body
            .blocks
            .iter()
            .any(|block| matches!(&block.end, Terminator::Match { place: over, test: Test::Next, .. } if over == place))
    }

    /// Others may write to a collection that is lent to them.
    pub(super) fn lend(&self, local: LocalId, world: &mut World) {
        let ty = self.type_of(local);
        if self.program.type_model(self.program.peel(ty)).is_some_and(|model| model.shared) {
            world.unfix(local);
        }
    }

    /// Whether its elements are pairs, of which it gives the second ones.
    pub(super) fn is_map(&self, ty: &Ty) -> bool {
        let model = self.program.type_model(self.program.peel(ty));
        model.is_some_and(|model| is_collection(model) && model.holds == Some(1))
    }

    /// What a function gives that takes from a collection or looks into it; none where that is not
    /// followed, or where what it gives is to be looked after.
    pub(super) fn taken(&self, call: &Applied<'_>, subject: &Val) -> Option<Val> {
        let ty = self.subject_type(call)?;
        let (shape, is_map) = (call.model.returns.as_ref()?, self.is_map(&ty));
        match subject.behind() {
            Val::Many(values) if !subject.owns() => match shape {
                Shape::Named(path, args) if path == ITERATOR => {
                    let parts: Option<Vec<Val>> =
                        values.iter().map(|value| self.part(value, args.first()?, is_map)).collect();
                    parts.map(Val::Many)
                }
                shape => self.part(&Val::any_of(values), optional(shape), is_map).map(|part| undecided(shape, part)),
            },
            // An option is gone over like a list of one element, or of none.
            value @ Val::Agg(_) => match shape {
                Shape::Named(path, args) if path == ITERATOR => {
                    let parts = value.held()?.into_iter().map(|held| self.part(&held, args.first()?, is_map));
                    parts.collect::<Option<Vec<Val>>>().map(Val::Many)
                }
                _ => None,
            },
            // A collection that the body is only shown: any of its elements.
            Val::Input(_)
                if self.is_shown(call.receiver?) && (is_map || self.is_collection(self.program.peel(&ty))) =>
            {
                match shape {
                    Shape::Named(path, _) if path == ITERATOR => None,
                    shape => self.part(&subject.behind().project(&Step::Index), optional(shape), is_map),
                }
            }
            _ => None,
        }
    }

    /// A function looks into a collection as a whole, or is about one of its elements.
    pub(super) fn look_into(&mut self, call: &Applied<'_>, all: &Val, world: &mut World) {
        if keeps_whole(call.model.role) && !(call.model.role == FnRole::Look && is_given_work(call)) {
            return;
        }
        self.look_after(all, world);
        let shows_one = call.model.gives.is_empty() || call.model.gives == [Shape::Inner(None)];
        self.lose_tokens(all, &if shows_one { all.project(&Step::Index) } else { Val::Unknown });
    }

    /// Elements of a collection that is given are shown to work, or given back where others take their places: who
    /// asks whether anybody uses what is in a field is to know.
    pub(super) fn note_elements(&mut self, call: &Applied<'_>, all: &Val) {
        let (Val::Input(path), Some(place)) = (all.behind(), call.receiver) else { return };
        let shows = match call.model.role {
            FnRole::Look => is_given_work(call) && self.is_collection_at(place),
            FnRole::Push => self.is_collection_at(place) && !self.only_puts(call.at, place),
            _ => false,
        };
        if shows {
            self.note_input(path);
        }
    }

    /// Whether a call puts something into a collection, and what it gives back of it is thrown away.
    pub(super) fn only_puts(&self, at: At, place: &Place) -> bool {
        self.is_collection_at(place) && self.dest(at).is_none_or(|old| self.is_thrown_away(old, 4))
    }

    /// A collection with the elements of another one behind its own, or beside them: those are looked after.
    pub(super) fn beside(&mut self, call: &Applied<'_>, subject: Val, other: &Val, world: &mut World) -> Val {
        self.look_after(other, world);
        self.lose_tokens(other, &Val::Unknown);
        match subject {
            Val::Many(mut values) if call.model.returns.is_none() => {
                add(&mut values, Val::Unknown);
                Val::Many(values)
            }
            subject => subject,
        }
    }

    /// What a function gives that makes something else of a collection: nothing is told of that, unless it is a
    /// collection of the same elements.
    pub(super) fn reshaped(&mut self, call: &Applied<'_>, subject: Val, world: &mut World) -> Val {
        match (&call.model.returns, subject.behind()) {
            (Some(Shape::Tuple(parts)), Val::Many(values)) => {
                let part = |at: usize| {
                    let step = Step::Field(smol_str::format_smolstr!("{at}"));
                    Val::Many(values.iter().map(|value| value.project(&step)).collect())
                };
                Val::tuple((0..parts.len()).map(part).collect())
            }
            (Some(Shape::Named(path, _)), Val::Many(_)) if path == ITERATOR => {
                self.look_after(&subject, world);
                self.lose_tokens(&subject, &Val::Unknown);
                Val::Unknown
            }
            _ => subject,
        }
    }

    /// The part of an element that a shape names; none for shapes that say something else.
    fn part(&self, element: &Val, shape: &Shape, is_map: bool) -> Option<Val> {
        let second = || match element {
            Val::Unknown => Val::Unknown,
            element => element.project(&Step::Field("1".into())),
        };
        match shape {
            Shape::Ref(inner) => self.part(element, inner, is_map).map(|value| value.borrowed(None)),
            // A guard of it.
            Shape::Named(path, args) => {
                let guard = self.program.models.ty(path).filter(|model| model.role == TypeRole::Pointer)?;
                let held = self.part(element, args.get(guard.holds.unwrap_or(0))?, is_map)?;
                Some(held.borrowed(None))
            }
            Shape::Inner(None) | Shape::Inner(Some(1)) if is_map => Some(second()),
            Shape::Inner(None | Some(0)) if !is_map => Some(element.clone()),
            Shape::Tuple(_) if is_map => Some(element.clone()),
            // Each with something beside it.
            Shape::Tuple(parts) if parts.contains(&Shape::Inner(None)) => Some(Val::tuple(
                parts.iter().map(|part| self.part(element, part, is_map).unwrap_or_default()).collect(),
            )),
            _ => None,
        }
    }

    /// Whether a place is behind a shared reference and nothing else.
    fn is_shown(&self, place: &Place) -> bool {
        place.path.is_empty() && matches!(self.type_of(place.base), Ty::Ref(_, false))
    }
}

fn is_given_work(call: &Applied<'_>) -> bool {
    call.values.iter().skip(1).any(|arg| matches!(arg, Val::Closure(..) | Val::Function(_)))
}

/// Whether a function of this role leaves a collection as it is, or takes it as a whole.
fn keeps_whole(role: FnRole) -> bool {
    matches!(
        role,
        FnRole::Look
            | FnRole::Push
            | FnRole::Same
            | FnRole::Wrap
            | FnRole::Clone
            | FnRole::Drop
            | FnRole::Forget
            | FnRole::Drive
            | FnRole::Timeout
            | FnRole::Join
            | FnRole::Spawn
            | FnRole::DetachTask
    )
}

fn is_collection(model: &TypeModel) -> bool {
    model.role == TypeRole::Collection || model.items.is_some()
}

/// What an optional thing may hold: values in view stand for themselves.
fn optional(shape: &Shape) -> &Shape {
    match shape {
        Shape::Named(path, args) if path == OPTION => args.first().unwrap_or(shape),
        shape => shape,
    }
}

/// A variant would be taken for that of the option it is given in.
fn undecided(shape: &Shape, value: Val) -> Val {
    match (shape, value.behind()) {
        (Shape::Named(path, _), Val::Agg(agg)) if path == OPTION && agg.variant.is_some() => Val::Unknown,
        _ => value,
    }
}
