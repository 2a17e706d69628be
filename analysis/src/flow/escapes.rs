//! What goes out of sight: into code that is not in view, into fields, or back to the caller.

use crate::facts::Name;
use crate::model::FnRole;
use crate::types::{DefId, Ty, TyCon};

use super::calls::MAX_DEPTH;
use super::run::{At, Run};
use super::value::{Agg, Uses, Val, limits};
use super::world::{Use, World};

impl<'a> Run<'a> {
    /// A value goes out of sight.
    pub(super) fn escape(&mut self, at: At, world: &mut World, value: &Val, uses: Uses) {
        self.escape_from(at, world, value, uses, 0);
    }

    fn escape_from(&mut self, at: At, world: &mut World, value: &Val, uses: Uses, depth: u8) {
        match value.behind() {
            // What is sent by it from now on is the caller's to know.
            Val::Obj(id) if uses == Uses::RETURN && self.is_sender(*id) => self.channels.give_back(*id),
            Val::Obj(id) => {
                self.mark(world, *id, Use::Real);
                if !uses.any(Uses::SPAWN) {
                    self.wait_at(value);
                }
            }
            Val::Input(path) if uses.any(Uses::RETURN) && self.handed_on > 0 => self.use_input(path, Uses::RETURN),
            Val::Input(path) => self.use_input(path, uses.and(Uses::ESCAPE).and(Uses::USED)),
            Val::Ctx(ctx) | Val::Done(ctx) => self.use_ctx(ctx, uses),
            value @ Val::Server(..) => self.note_static(value),
            Val::Agg(agg) => {
                for (name, value) in &agg.fields {
                    match agg.def {
                        Some(def) => self.escape_field(at, world, def, name, value, uses, depth),
                        None => self.escape_from(at, world, value, uses, depth),
                    }
                }
                if let Some(rest) = &agg.rest {
                    self.escape_from(at, world, rest, uses, depth);
                }
            }
            Val::Many(values) | Val::Work(values, _) => {
                for value in values {
                    self.escape_from(at, world, value, uses, depth);
                }
            }
            Val::Timed(inner, until) => {
                if let Some(ctx) = until {
                    self.use_ctx(ctx, uses);
                }
                let limit = limits(until);
                self.timed += limit;
                self.escape_from(at, world, inner, uses, depth);
                self.timed -= limit;
            }
            Val::Closure(body, inputs) | Val::Future(body, inputs) if depth < MAX_DEPTH => {
                let span = self.body.span;
                self.run_unknown(at, span, *body, inputs, world, depth + 1);
            }
            _ => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one field of a value that goes out of sight")]
    fn escape_field(&mut self, at: At, world: &mut World, def: DefId, name: &Name, value: &Val, uses: Uses, depth: u8) {
        let how = if uses.any(Uses::RETURN) { Uses::RETURN_KEPT } else { Uses::KEPT };
        if !self.stays_in_field(def, name, value, world) && !self.goes_in_field(def, name, value, how) {
            self.escape_from(at, world, value, uses, depth);
        }
    }

    /// Whether a field has handles that go with the whole struct: whoever uses them says its name.
    pub(super) fn stays_in_field(&mut self, def: DefId, name: &Name, value: &Val, world: &mut World) -> bool {
        let mut handles = Vec::new();
        let is_part = |step: &Name| step == "?" || step.bytes().all(|byte| byte.is_ascii_digit());
        value.walk(&mut |value, path, borrowed| {
            if let (Val::Obj(id), false) = (value, borrowed)
                && path.iter().all(is_part)
                && self.is_handle(*id)
            {
                handles.push((*id, path.iter().filter(|step| *step != "?").cloned().collect::<Vec<_>>()));
            }
        });
        for (id, path) in &handles {
            self.mark(world, *id, Use::Stored(def, super::fields::part_of(name, path)));
        }
        !handles.is_empty()
    }

    /// A value is put into a slot or a collection of a field: whether it has handles or tokens that stay there. What
    /// is put there with them goes out of sight.
    pub(super) fn stays_in_slot(&mut self, at: At, slot: &Val, value: &Val, world: &mut World) -> bool {
        let Val::Input(path) = slot.behind() else { return false };
        let field = super::kept::of_input(self.program, (self.body, self.typed), path);
        let Some((Some(def), name)) = field.filter(|(def, name)| def.is_some_and(|def| self.has_alone(def, name)))
        else {
            return false;
        };
        let is_collection = self.role_at(at) == Some(FnRole::Push);
        let parts: Vec<&Val> = match value.behind() {
            Val::Agg(Agg { def: None, variant: None, fields, rest: None }) => {
                fields.iter().map(|(_, part)| part).collect()
            }
            value => vec![value],
        };
        let mut stay = |part: &&Val| {
            self.stays_in_field(def, &name, part, world) || self.goes_in_field(def, &name, part, Uses::KEPT)
        };
        let (stays, goes): (Vec<&Val>, Vec<&Val>) = parts.into_iter().partition(&mut stay);
        if stays.is_empty() {
            return false;
        }
        if is_collection {
            self.kept.filled.insert((def, name));
        }
        for part in goes {
            self.escape(at, world, part, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
        }
        true
    }

    /// Whether nobody gets at what is put into a field but by its name.
    pub(super) fn has_alone(&self, def: DefId, field: &Name) -> bool {
        self.program.is_own_place(&self.program.field_type(&Ty::Adt(TyCon::Def(def), Vec::new()), field))
    }

    /// A value is given back to the caller.
    pub(super) fn escape_returned(&mut self, world: &mut World, value: &Val) {
        let at = At { block: u32::MAX - 1, op: 0 };
        match value.behind() {
            Val::Input(path) => self.use_input(path, Uses::RETURN),
            value @ Val::Server(..) => self.note_static(value),
            Val::Ctx(ctx) => self.use_ctx(ctx, Uses::RETURN),
            Val::Obj(id) if self.is_sender(*id) => self.channels.give_back(*id),
            Val::Obj(id) => self.mark(world, *id, Use::Real),
            Val::Agg(agg) => {
                for (name, value) in &agg.fields {
                    match agg.def {
                        Some(def) => {
                            let mut handle = None;
                            if let Val::Obj(id) = value.at(&[]).behind()
                                && self.is_handle(*id)
                            {
                                handle = Some(*id);
                            }
                            match handle {
                                Some(id) => {
                                    self.mark(world, id, Use::Stored(def, name.clone()));
                                }
                                None if matches!(value, Val::Agg(_)) => {
                                    self.escape_field(at, world, def, name, value, Uses::RETURN, 0)
                                }
                                None if self.goes_in_field(def, name, value, Uses::RETURN_KEPT) => {}
                                None => self.escape_returned(world, value),
                            }
                        }
                        None => self.escape_returned(world, value),
                    }
                }
                if let Some(rest) = &agg.rest {
                    self.escape_returned(world, rest);
                }
            }
            Val::Many(values) => {
                for value in values {
                    self.escape_returned(world, value);
                }
            }
            // The caller may run it or not; what it needs counts as used.
            Val::Closure(..) | Val::Future(..) | Val::Work(..) | Val::Timed(..) | Val::Done(_) => {
                self.handed_on += 1;
                self.escape(at, world, value, Uses::WORK.and(Uses::RETURN));
                self.handed_on -= 1;
            }
            _ => {}
        }
    }
}
