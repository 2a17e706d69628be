//! Tokens that are kept in fields: a context that is its own handle, in a private field of a struct of the
//! program. Whoever gets at it does so by the field's name, so that all who do are in view.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Body, Name, Place, Step};
use crate::infer::TypedBody;
use crate::link::Program;
use crate::types::{DefId, Ty, TyCon};

use super::fields::FieldName;
use super::run::Run;
use super::value::{CtxKind, InputPath, ObjId, Uses, Val};

/// A struct and its field.
pub type Field = (DefId, Name);

/// What a body does with fields that keep tokens, other than by its inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// What is put into them.
    pub from: BTreeMap<Field, BTreeSet<Origin>>,
    /// Those it reads of something that nothing is known of.
    pub unfollowed: BTreeSet<Field>,
    /// Collections that it puts handles or tokens into.
    pub filled: BTreeSet<Field>,
    /// Collections that it takes something out of, to throw that away.
    pub emptied: BTreeSet<Field>,
    /// It was not gone through to the end.
    pub unfinished: bool,
}

/// Where a token comes from that is put into a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It is made in this body, or comes in the field out of a callee that makes it.
    Made(ObjId),
    /// It is given to the body.
    Given(InputPath),
    /// Nobody knows, or it derives from another.
    Other,
}

impl Origin {
    /// Where a value comes from that is a token, or may be one.
    pub(super) fn of(value: &Val) -> Origin {
        match value {
            Val::Ctx(ctx) => match &ctx.kind {
                CtxKind::Own => Origin::Made(ctx.id.made()),
                CtxKind::Input(path) => Origin::Given(path.clone()),
                _ => Origin::Other,
            },
            Val::Input(path) => Origin::Given(path.clone()),
            _ => Origin::Other,
        }
    }
}

/// The field a place is in or is, by its struct if that is known.
pub(crate) fn of_place(program: &Program, base: &Ty, place: &Place) -> Option<FieldName> {
    let steps = place.path.iter().filter_map(|step| match step {
        Step::Field(name) => Some(Way::Field(name)),
        Step::Variant(variant, name) => Some(Way::Variant(variant, name)),
        Step::Deref => None,
        Step::Index | Step::Nth(_) => Some(Way::Inside),
    });
    last_field(program, base, steps)
}

/// The same of a part of an input.
pub(crate) fn of_input(program: &Program, (body, typed): (&Body, &TypedBody), path: &InputPath) -> Option<FieldName> {
    let steps = path.path.iter().map(|step| match step.as_str() {
        "?" | "[]" => Way::Inside,
        dotted => dotted.split_once('.').map_or(Way::Field(step), |(variant, name)| Way::Variant(variant, name)),
    });
    last_field(program, body.input(path.input).map_or(&Ty::Unknown, |local| typed.local(local)), steps)
}

/// A step from a value to a part of it.
enum Way<'s> {
    Field(&'s Name),
    Variant(&'s str, &'s str),
    /// To what it holds.
    Inside,
}

fn last_field<'s>(program: &Program, from: &Ty, steps: impl Iterator<Item = Way<'s>>) -> Option<FieldName> {
    let mut found = None;
    let mut ty = from.clone();
    // What is in a map may be a pair of which this is the second part.
    let mut is_second = false;
    for step in steps {
        let of_map = std::mem::replace(&mut is_second, matches!(step, Way::Inside));
        ty = match step {
            Way::Field(name) if of_map && name == "1" && program.field(&ty, name).is_none() => ty,
            Way::Field(name) => {
                let (owner, of_field) = program.field(&ty, name).unwrap_or_default();
                let def = if let Ty::Adt(TyCon::Def(def), _) = owner { Some(def) } else { None };
                found = Some((def, name.clone()));
                of_field
            }
            Way::Variant(variant, name) => program.variant_field_type(&ty, variant, name),
            Way::Inside => program.held(program.peel(&ty)),
        };
    }
    found
}

impl Run<'_> {
    /// Notes what is put into a field, if that keeps a token.
    pub(super) fn keep(&mut self, owner: DefId, name: &Name, value: &Val) {
        let Some(origin) = origin(value) else { return };
        if self.program.keeps_token(owner, name) {
            self.kept.from.entry((owner, name.clone())).or_default().insert(origin);
        }
    }

    /// Notes what comes in a field out of a callee, if that made it; the rest the callee tells itself.
    pub(super) fn keep_made(&mut self, owner: DefId, name: &Name, value: &Val) {
        if let Some(Val::Ctx(ctx)) = kept(value)
            && ctx.kind == CtxKind::Own
        {
            self.keep(owner, name, value);
        }
    }

    /// Notes what is written to a place.
    pub(super) fn keep_at(&mut self, place: &Place, value: &Val) {
        if place.path.is_empty() {
            return;
        }
        if let Some((Some(owner), name)) = of_place(self.program, self.type_of(place.base), place) {
            self.keep(owner, &name, value);
        }
    }

    /// Notes what is written to what a reference leads to.
    pub(super) fn keep_in(&mut self, subject: &Val, value: &Val) {
        let Val::Input(path) = subject.behind() else { return };
        let field = of_input(self.program, (self.body, self.typed), path);
        if let Some((Some(owner), name)) = field {
            self.keep(owner, &name, value);
        }
    }

    /// Notes that something is taken out of a collection in a field and thrown away.
    pub(super) fn note_emptied(&mut self, collection: &Val) {
        let Val::Input(path) = collection.behind() else { return };
        if let Some((Some(owner), name)) = of_input(self.program, (self.body, self.typed), path) {
            self.kept.emptied.insert((owner, name));
        }
    }

    /// Notes that a place is read, if it is a field that keeps a token and nothing is known of what is there.
    pub(super) fn note_unfollowed(&mut self, place: &Place, value: &Val) {
        if place.path.is_empty() || matches!(kept(value), None | Some(Val::Input(_) | Val::Ctx(_))) {
            return;
        }
        if self.program.may_be_token(&self.type_at(place)) {
            let field = of_place(self.program, self.type_of(place.base), place);
            self.kept.unfollowed.extend(field.and_then(|(owner, name)| Some((owner?, name))));
        }
    }

    /// A value goes out of sight in a field, in this way: whether that is all there is to say of it, since the field
    /// keeps a token.
    pub(super) fn goes_in_field(&mut self, owner: DefId, name: &Name, value: &Val, how: Uses) -> bool {
        let Some(value @ Val::Ctx(ctx)) = kept(value) else { return false };
        if Origin::of(value) == Origin::Other || !self.program.keeps_token(owner, name) {
            return false;
        }
        self.keep(owner, name, value);
        self.use_ctx(ctx, how);
        true
    }
}

/// Where a token comes from; nothing where it is missing.
pub(crate) fn origin(value: &Val) -> Option<Origin> {
    kept(value).map(Origin::of)
}

/// What a field's value keeps: the token, or what may be one; nothing where that is missing.
fn kept(value: &Val) -> Option<&Val> {
    match value.behind() {
        Val::Agg(agg) => match agg.fields.as_slice() {
            [(_, held)] if value.succeeds() == Some(true) => kept(held),
            [] if value.succeeds() == Some(false) => None,
            _ => Some(value.behind()),
        },
        value => Some(value),
    }
}
