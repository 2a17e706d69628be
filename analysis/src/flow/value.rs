//! What a local can hold, as far as contexts, handles and tasks are concerned.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::facts::{Name, Place, Span, Step};
use crate::source::FileId;
use crate::types::{BodyRef, DefId, Ty};

pub use super::contexts::{Ctx, CtxKind, CtxNode, Life, Time};
use super::gives::Gives;
pub use super::objects::{ObjKind, Object, Owner, Task, TaskCtx};
pub use super::uses::{InputUses, Uses};

/// A place in the program's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The file; file 0 by default.
    pub file: FileIdOrd,
    /// The bytes.
    pub span: Span,
}

/// A file's index, with an order and a default.
pub type FileIdOrd = u32;

impl Site {
    /// The site of these bytes in this file.
    pub fn new(file: FileId, span: Span) -> Site {
        Site { file: file.0, span }
    }

    /// Its file.
    pub fn file_id(self) -> FileId {
        FileId(self.file)
    }
}

/// An object by the operation that makes it. One operation in a loop makes a new object each turn:
/// `old` is what earlier turns made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjId {
    /// The block.
    pub block: u32,
    /// The operation in the block.
    pub op: u32,
    /// Which of the objects the operation makes.
    pub slot: u16,
    /// Made in an earlier turn of a loop.
    pub old: bool,
}

impl ObjId {
    /// The same in the turn that makes it.
    pub fn made(self) -> ObjId {
        ObjId { old: false, ..self }
    }
}

/// A value that a body is given: a capture or parameter, and the way into it.
///
/// Inputs are numbered with a body's captures first and its parameters after them. The way is told
/// by field names; `?` stands for what an `Option` or `Result` holds and `[]` for an element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputPath {
    /// Which input.
    pub input: u32,
    /// The way into it.
    pub path: Steps,
}

/// The steps of a way into an input. Copies share them; most ways have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Steps(Option<Arc<[Name]>>);

impl Deref for Steps {
    type Target = [Name];

    fn deref(&self) -> &[Name] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl InputPath {
    /// The input as a whole.
    pub fn whole(input: u32) -> InputPath {
        InputPath { input, path: Steps::default() }
    }

    /// What is there, of what a body is given.
    pub fn among(&self, inputs: &[Val]) -> Option<Val> {
        Some(inputs.get(self.input as usize)?.at(&self.path))
    }

    /// One step further.
    pub fn then(&self, step: Name) -> InputPath {
        self.along(&[step])
    }

    /// Further along. A part of a recursive type is told apart from what it is a part of, but not from its own
    /// parts of that type: steps that come a third time in a row lead to where they led the second time. What is
    /// longer than eight steps all the same is cut.
    pub fn along(&self, steps: &[Name]) -> InputPath {
        if steps.is_empty() {
            return self.clone();
        }
        let mut path = self.path.to_vec();
        for step in steps {
            if path.len() < MAX_STEPS {
                path.push(step.clone());
                path.truncate(path.len() - third_time(&path));
            }
        }
        InputPath { input: self.input, path: Steps(Some(path.into())) }
    }
}

/// How many steps at the end came twice before, right before it.
fn third_time(path: &[Name]) -> usize {
    let is_third = |length: &usize| {
        let mut parts = path.rchunks_exact(*length);
        let (last, second, first) = (parts.next(), parts.next(), parts.next());
        first.is_some() && last == second && second == first
    };
    (1..=path.len() / 3).find(is_third).unwrap_or_default()
}

/// How many steps a way into an input has at most.
const MAX_STEPS: usize = 8;

/// A function as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// Of the program.
    Def(DefId),
    /// Of a library: its canonical path.
    External(SmolStr, Site),
    /// A constructor of a tuple struct or variant: its name, and the type of what it makes.
    Constructor(SmolStr, Arc<Ty>),
}

/// What a local holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Val {
    /// Nothing of interest, or nothing that is known.
    #[default]
    Unknown,
    /// Moved away.
    Moved,
    /// A context.
    Ctx(Ctx),
    /// A handle, guard, task or the like, owned here.
    Obj(ObjId),
    /// A reference, and the place it refers to if that is a place of this body.
    Ref(Box<Val>, Option<Place>),
    /// A tuple, struct or variant.
    Agg(Agg),
    /// A collection of these.
    Many(Vec<Val>),
    /// An input of the body, not taken apart.
    Input(InputPath),
    /// A closure or `async` block, with its captures.
    Closure(BodyRef, Vec<Val>),
    /// A call of an `async fn` of the program that nobody has polled yet, with its arguments.
    Future(BodyRef, Vec<Val>),
    /// A future or other thing that runs these when it is itself run, and what it then gives.
    Work(Vec<Val>, Gives),
    /// The same under a limit of time, or until a context ends: if that comes first, it fails.
    Timed(Box<Val>, Option<Ctx>),
    /// What `done()` gives: a future that waits for a context's end.
    Done(Ctx),
    /// A function.
    Function(Function),
    /// What calling an input gives, with the arguments.
    Called(InputPath, Vec<Val>),
    /// Something out of a request; a context in it is the request's.
    Request(ObjId, Site),
    /// Something of the server's; a context in it is the server's.
    Server(ObjId, Site),
    /// An answer that says something of a context: where it is `true`, `Some` or `Ok`, or else where it is none of
    /// them.
    Asked(Ctx, Says, bool),
    /// A known truth.
    Bool(bool),
    /// A known length of time, in nanoseconds, or a known number.
    Nanos(u128),
    /// The moment at which it was asked for.
    Now,
}

/// What an answer may say of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// That it has ended.
    Ended,
    /// That it can end.
    CanEnd,
    /// That it has a deadline.
    Limited,
}

/// A tuple, struct or variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agg {
    /// The struct or enum, if it is of the program.
    pub def: Option<DefId>,
    /// The variant.
    pub variant: Option<Name>,
    /// Fields that hold something.
    pub fields: Vec<(Name, Val)>,
    /// What the other fields are those of: `..base`, or a value given to the body of which some
    /// fields were written.
    pub rest: Option<Box<Val>>,
}

impl Agg {
    /// The field's value.
    pub fn field(&self, name: &str) -> Val {
        match (self.own(name), &self.rest) {
            (Some(value), _) => value.clone(),
            (None, Some(rest)) => rest.project(&Step::Field(name.into())),
            (None, None) => Val::Unknown,
        }
    }

    /// A field that it has itself.
    fn own(&self, name: &str) -> Option<&Val> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The field that it has itself for a step of an input's way.
    fn part(&self, step: &str) -> Option<&Val> {
        match &self.variant {
            None if step != "?" && step != "[]" => self.own(step),
            Some(variant) if step == "?" && is_success(variant) => self.own("0"),
            _ => None,
        }
    }

    /// Whether it is this variant, as far as that is known. What is there stays so when a result is made
    /// an option of it, or the other way round.
    pub fn is_variant(&self, name: &str) -> Option<bool> {
        let have = self.variant.as_deref()?;
        let same = |of: fn(&str) -> bool| self.def.is_none() && of(have) && of(name);
        Some(have == name || same(is_success) || same(is_failure))
    }

    /// The same with the fields of its `rest` as its own, where those are known.
    pub fn settled(mut self) -> Agg {
        let Some(rest) = self.rest.take() else { return self };
        match rest.behind() {
            Val::Agg(base) if base.variant.is_none() => {
                for (name, value) in &base.fields {
                    if !self.fields.iter().any(|(known, _)| known == name) {
                        self.fields.push((name.clone(), value.clone()));
                    }
                }
                self.def = self.def.or(base.def);
                self.rest = base.rest.clone();
            }
            Val::Input(path) => self.rest = Some(Box::new(Val::Input(path.clone()))),
            _ => {}
        }
        self
    }
}

impl Val {
    /// Whether it is there, or a success, as far as that is known.
    pub fn succeeds(&self) -> Option<bool> {
        match self.behind() {
            Val::Agg(agg) => agg.variant.as_ref().map(|variant| is_success(variant)),
            _ => None,
        }
    }
}

/// How many limits there are to the time of work that is done until this comes: none if that is the end of a context
/// that never ends.
pub(super) fn limits(until: &Option<Ctx>) -> u32 {
    u32::from(!until.as_ref().is_some_and(|ctx| ctx.never_ends()))
}

/// Whether a variant's name says that there is something.
pub fn is_success(variant: &str) -> bool {
    matches!(variant, "Ok" | "Some" | "Continue" | "Ready")
}

/// Whether a variant's name says that there is nothing, or an error.
pub fn is_failure(variant: &str) -> bool {
    matches!(variant, "Err" | "None" | "Break" | "Pending")
}

impl Val {
    /// `Some(value)`, `Ok(value)`.
    pub fn success(variant: &str, value: Val) -> Val {
        Val::Agg(Agg { variant: Some(variant.into()), fields: vec![("0".into(), value)], ..Agg::default() })
    }

    /// A variant without fields.
    pub fn variant(name: &str) -> Val {
        Val::Agg(Agg { variant: Some(name.into()), ..Agg::default() })
    }

    /// A tuple of these.
    pub fn tuple(values: Vec<Val>) -> Val {
        let fields = values.into_iter().enumerate().map(|(i, v)| (SmolStr::from(i.to_string()), v)).collect();
        Val::Agg(Agg { fields, ..Agg::default() })
    }

    /// The same value, borrowed.
    pub fn borrowed(self, place: Option<Place>) -> Val {
        match self {
            Val::Ref(inner, known) => Val::Ref(inner, known.or(place)),
            Val::Unknown => match place {
                Some(_) => Val::Ref(Box::new(Val::Unknown), place),
                None => Val::Unknown,
            },
            other => Val::Ref(Box::new(other), place),
        }
    }

    /// The value behind references.
    pub fn behind(&self) -> &Val {
        let mut value = self;
        while let Val::Ref(inner, _) = value {
            value = inner;
        }
        value
    }

    fn into_behind(self) -> Val {
        let mut value = self;
        while let Val::Ref(inner, _) = value {
            value = *inner;
        }
        value
    }

    /// Whether anything is known of it.
    pub fn is_unknown(&self) -> bool {
        matches!(self.behind(), Val::Unknown)
    }

    /// The input it is, or is called or run under a limit of time.
    pub fn input(&self) -> Option<&InputPath> {
        match self.behind() {
            Val::Input(path) | Val::Called(path, _) => Some(path),
            Val::Timed(inner, _) => inner.input(),
            _ => None,
        }
    }

    /// The context it is, through references.
    pub fn as_ctx(&self) -> Option<&Ctx> {
        match self.behind() {
            Val::Ctx(ctx) => Some(ctx),
            _ => None,
        }
    }

    /// The same with this context for the one that it is.
    pub(super) fn with_ctx(&self, ctx: &Ctx) -> Val {
        match self {
            Val::Ref(inner, place) => Val::Ref(Box::new(inner.with_ctx(ctx)), place.clone()),
            Val::Ctx(_) => Val::Ctx(ctx.clone()),
            other => other.clone(),
        }
    }

    /// The object it is, through references.
    pub fn as_obj(&self) -> Option<ObjId> {
        match self.behind() {
            Val::Obj(id) => Some(*id),
            _ => None,
        }
    }

    /// The value at the end of a way. What is not on the way is not copied.
    pub(super) fn follow(&self, path: &[Step]) -> Val {
        let Some((step, rest)) = path.split_first() else { return self.clone() };
        match (self, self.part(step)) {
            (Val::Ref(inner, place), _) => {
                let place = place.clone().map(|mut place| {
                    place.path.extend(path.iter().cloned());
                    place
                });
                inner.follow(path).borrowed(place)
            }
            (_, Some(part)) => part.follow(rest),
            (_, None) => self.project(step).follow(rest),
        }
    }

    /// A field that a tuple, struct or variant has itself.
    fn part(&self, step: &Step) -> Option<&Val> {
        let Val::Agg(agg) = self else { return None };
        match (step, &agg.variant) {
            (Step::Field(name), None) => agg.own(name),
            (Step::Variant(variant, name), Some(have)) if have == variant => agg.own(name),
            _ => None,
        }
    }

    /// The value one step further.
    pub fn project(&self, step: &Step) -> Val {
        match self {
            Val::Ref(inner, place) => {
                let step_on = |place: Place| if inner.stands_for(step) { place } else { place.then(step.clone()) };
                inner.project(step).borrowed(place.clone().map(step_on))
            }
            Val::Agg(agg) => match step {
                Step::Deref => self.clone(),
                Step::Field(name) if agg.variant.is_none() => agg.field(name),
                Step::Variant(variant, name) => match &agg.variant {
                    Some(have) if have == variant || (is_success(have) && is_success(variant)) => agg.field(name),
                    None if is_success(variant) => self.clone(),
                    _ => Val::Unknown,
                },
                // Any of what comes out of a channel.
                Step::Index => self.part(&Step::Field("[]".into())).cloned().unwrap_or_default(),
                _ => Val::Unknown,
            },
            Val::Input(path) => match step {
                Step::Deref => self.clone(),
                Step::Field(name) => Val::Input(path.then(name.clone())),
                Step::Index | Step::Nth(_) => Val::Input(path.then("[]".into())),
                Step::Variant(variant, name) if is_success(variant) && name == "0" => Val::Input(path.then("?".into())),
                Step::Variant(variant, name) => Val::Input(path.then(format_smolstr!("{variant}.{name}"))),
            },
            Val::Many(values) => match step {
                Step::Deref => self.clone(),
                Step::Nth(at) => Val::nth(values, *at as usize),
                Step::Index => Val::any_of(values).borrowed(None),
                _ => Val::Unknown,
            },
            Val::Request(..) | Val::Server(..) => self.clone(),
            _ if matches!(step, Step::Deref) => self.clone(),
            _ if self.stands_for(step) => self.clone(),
            _ => Val::Unknown,
        }
    }

    /// Whether this is what a step leads to: a lock's or pointer's content is told as the lock or pointer itself.
    pub(super) fn stands_for(&self, step: &Step) -> bool {
        let is_success = || matches!(step, Step::Variant(variant, _) if is_success(variant));
        matches!(self, Val::Ctx(_) | Val::Obj(_) | Val::Closure(..)) && is_success()
    }

    /// The value at the end of an input's way.
    pub fn at(&self, path: &[Name]) -> Val {
        let mut value = self.clone();
        for name in path {
            let step = match name.as_str() {
                "?" => Step::Variant("Ok".into(), "0".into()),
                // Any of the elements.
                "[]" => match value.behind() {
                    Val::Many(values) if values.len() != 1 => continue,
                    _ => Step::Index,
                },
                dotted if dotted.contains('.') => match dotted.split_once('.') {
                    Some((variant, field)) => Step::Variant(variant.into(), field.into()),
                    None => return Val::Unknown,
                },
                _ => Step::Field(name.clone()),
            };
            value = match value.behind() {
                Val::Many(values) if step != Step::Index => {
                    Val::Many(values.iter().map(|value| value.project(&step)).collect())
                }
                _ => value.project(&step),
            };
        }
        value
    }

    /// What is behind references at the end of an input's way. What is there as a part is not copied.
    pub(super) fn behind_at(&self, path: &[Name]) -> Cow<'_, Val> {
        let value = self.behind();
        let Some((name, rest)) = path.split_first() else { return Cow::Borrowed(value) };
        let part = match value {
            Val::Unknown => return Cow::Borrowed(&Val::Unknown),
            Val::Input(given) => return Cow::Owned(Val::Input(given.along(path))),
            Val::Agg(agg) => agg.part(name),
            _ => None,
        };
        match part {
            Some(part) => part.behind_at(rest),
            None => Cow::Owned(value.at(path).into_behind()),
        }
    }

    /// Everything in it that `found` is to see, with the way to it; borrowed parts are told as such.
    pub fn walk(&self, found: &mut dyn FnMut(&Val, &[Name], bool)) {
        self.walk_from(&mut Vec::new(), false, found);
    }

    fn walk_from(&self, path: &mut Vec<Name>, borrowed: bool, found: &mut dyn FnMut(&Val, &[Name], bool)) {
        found(self, path, borrowed);
        match self {
            Val::Ref(inner, _) => inner.walk_from(path, true, found),
            Val::Agg(agg) => {
                for (name, value) in &agg.fields {
                    path.push(match &agg.variant {
                        None => name.clone(),
                        Some(variant) if is_success(variant) && name == "0" => "?".into(),
                        Some(variant) => format_smolstr!("{variant}.{name}"),
                    });
                    value.walk_from(path, borrowed, found);
                    path.pop();
                }
                if let Some(rest) = &agg.rest {
                    rest.walk_from(path, borrowed, found);
                }
            }
            Val::Many(values) => {
                path.push("[]".into());
                for value in values {
                    value.walk_from(path, borrowed, found);
                }
                path.pop();
            }
            Val::Timed(inner, _) => inner.walk_from(path, borrowed, found),
            Val::Closure(_, values) | Val::Future(_, values) | Val::Work(values, _) | Val::Called(_, values) => {
                path.push("()".into());
                for value in values {
                    value.walk_from(path, borrowed, found);
                }
                path.pop();
            }
            _ => {}
        }
    }

    /// Whether it is a variant.
    pub(super) fn is_variant(&self) -> bool {
        matches!(self, Val::Agg(Agg { variant: Some(_), .. }))
    }

    /// Whether a context, handle, task or work is part of it.
    pub fn matters(&self) -> bool {
        match self {
            Val::Ctx(_)
            | Val::Obj(_)
            | Val::Done(_)
            | Val::Asked(..)
            | Val::Closure(..)
            | Val::Future(..)
            | Val::Called(..)
            | Val::Moved
            | Val::Request(..)
            | Val::Server(..)
            | Val::Input(_) => true,
            Val::Ref(inner, _) | Val::Timed(inner, _) => inner.matters(),
            Val::Agg(agg) => {
                agg.fields.iter().any(|(_, value)| value.matters())
                    || agg.rest.as_ref().is_some_and(|rest| rest.matters())
            }
            Val::Many(values) | Val::Work(values, _) => values.iter().any(Val::matters),
            Val::Unknown | Val::Function(_) | Val::Bool(_) | Val::Nanos(_) | Val::Now => false,
        }
    }

    /// The variant that two values both are, without what is in it.
    pub(super) fn common_variant(&self, other: &Val) -> Option<Val> {
        let (Val::Agg(ours), Val::Agg(theirs)) = (self, other) else { return None };
        let variant = ours.variant.as_ref().filter(|variant| theirs.variant.as_ref() == Some(*variant))?;
        (ours.def == theirs.def)
            .then(|| Val::Agg(Agg { def: ours.def, variant: Some(variant.clone()), ..Agg::default() }))
    }

    /// Whether there are numbers, truths or times in it that can be forgotten, or variants that hold nothing that matters.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Val::Nanos(_) | Val::Bool(_) | Val::Now => true,
            Val::Agg(Agg { variant: Some(_), .. }) if !self.matters() => true,
            Val::Ref(inner, _) => inner.is_fixed(),
            Val::Agg(agg) => agg.fields.iter().any(|(_, value)| value.is_fixed()),
            Val::Many(values) => !Val::is_clouded(values) || values.iter().any(Val::is_fixed),
            _ => false,
        }
    }

    /// Forgets the numbers, truths and times in it, which variant it is of where that holds nothing that matters, and
    /// what collections in it do not hold.
    pub(super) fn unfix(&mut self) {
        match self {
            Val::Nanos(_) | Val::Bool(_) | Val::Now => *self = Val::Unknown,
            Val::Agg(Agg { variant: Some(_), .. }) if !self.matters() => *self = Val::Unknown,
            Val::Ref(inner, _) => inner.unfix(),
            Val::Agg(agg) => agg.fields.iter_mut().for_each(|(_, value)| value.unfix()),
            Val::Many(values) => {
                values.iter_mut().for_each(Val::unfix);
                super::contents::add(values, Val::Unknown);
            }
            _ => {}
        }
    }

    /// The same with nothing known of the objects in it, nor of what it holds instead of them.
    pub(super) fn without_objects(&self) -> Val {
        let list = |values: &Vec<Val>| -> Vec<Val> { values.iter().map(Val::without_objects).collect() };
        match self {
            Val::Obj(_) | Val::Moved => Val::Unknown,
            Val::Ref(inner, place) => Val::Ref(Box::new(inner.without_objects()), place.clone()),
            Val::Agg(agg) if agg.variant.is_some() && !self.is_work() => Val::Unknown,
            Val::Agg(agg) => Val::Agg(Agg {
                fields: agg.fields.iter().map(|(name, value)| (name.clone(), value.without_objects())).collect(),
                ..agg.clone()
            }),
            Val::Many(values) => Val::Many(list(values)),
            Val::Closure(..) | Val::Future(..) | Val::Work(..) | Val::Timed(..) if self.owns() => Val::Unknown,
            other => other.clone(),
        }
    }

    /// The same in its fields and variants with nothing known of the objects in it.
    pub(super) fn without_own_objects(&self) -> Val {
        match self {
            Val::Agg(agg) => {
                let fields = agg.fields.iter().map(|(name, value)| (name.clone(), value.without_own_objects()));
                Val::Agg(Agg { fields: fields.collect(), ..agg.clone() })
            }
            other => other.without_objects(),
        }
    }

    /// Whether a context, or what may be one or run with one, is part of it.
    fn is_work(&self) -> bool {
        let mut found = false;
        self.walk(&mut |value, _, _| {
            found |= matches!(value, Val::Ctx(_) | Val::Input(_) | Val::Closure(..) | Val::Future(..) | Val::Work(..));
        });
        found
    }

    /// Whether it owns an object.
    pub fn owns(&self) -> bool {
        let mut owns = false;
        self.walk(&mut |value, _, borrowed| owns |= !borrowed && matches!(value, Val::Obj(_)));
        owns
    }

    /// The same as one of several: contexts in it are any of those that were made so.
    pub(super) fn one_of_several(&self, is_made_again: &dyn Fn(&CtxNode) -> bool) -> Val {
        match self {
            Val::Ctx(ctx) => Val::Ctx(Ctx::new(ctx.one_of_several(is_made_again))),
            Val::Ref(inner, place) => Val::Ref(Box::new(inner.one_of_several(is_made_again)), place.clone()),
            Val::Agg(agg) => {
                let fields = agg.fields.iter();
                let fields = fields.map(|(name, value)| (name.clone(), value.one_of_several(is_made_again)));
                Val::Agg(Agg { fields: fields.collect(), ..agg.clone() })
            }
            Val::Many(values) => Val::Many(values.iter().map(|value| value.one_of_several(is_made_again)).collect()),
            other => other.clone(),
        }
    }

    /// The same with every object renamed.
    pub fn renamed(&self, rename: &dyn Fn(ObjId) -> ObjId) -> Val {
        let list = |values: &Vec<Val>| -> Vec<Val> { values.iter().map(|value| value.renamed(rename)).collect() };
        match self {
            Val::Obj(id) => Val::Obj(rename(*id)),
            Val::Ref(inner, place) => Val::Ref(Box::new(inner.renamed(rename)), place.clone()),
            Val::Agg(agg) => Val::Agg(Agg {
                def: agg.def,
                variant: agg.variant.clone(),
                fields: agg.fields.iter().map(|(name, value)| (name.clone(), value.renamed(rename))).collect(),
                rest: agg.rest.clone(),
            }),
            Val::Many(values) => {
                // What several turns put in stands once.
                let mut renamed: Vec<Val> = Vec::with_capacity(values.len());
                for value in list(values) {
                    if !value.owns() || !renamed.contains(&value) {
                        renamed.push(value);
                    }
                }
                Val::Many(renamed)
            }
            Val::Closure(body, values) => Val::Closure(*body, list(values)),
            Val::Future(body, values) => Val::Future(*body, list(values)),
            Val::Work(values, gives) => Val::Work(list(values), gives.clone()),
            Val::Timed(inner, until) => Val::Timed(Box::new(inner.renamed(rename)), until.clone()),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InputPath, MAX_STEPS};

    fn along(steps: &str) -> String {
        let steps: Vec<_> = steps.split('/').map(Into::into).collect();
        InputPath::whole(0).along(&steps).path.join("/")
    }

    #[test]
    fn parts_of_recursive_types_lead_back() {
        assert_eq!(along("a/b"), "a/b");
        assert_eq!(along("inner/inner"), "inner/inner");
        assert_eq!(along("next/next/next/next"), "next/next");
        assert_eq!(along("parent/?/parent/?/parent/?/token"), "parent/?/parent/?/token");
        assert_eq!(along("tree/left/right/left/right/left/right/ctx"), "tree/left/right/left/right/ctx");
    }

    #[test]
    fn long_ways_are_cut() {
        assert_eq!(along("a/b/c/d/e/f/g/h/i/j").split('/').count(), MAX_STEPS);
    }
}
