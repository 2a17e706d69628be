//! What the program's own types dereference to, where nobody writes that down.

use std::borrow::Cow;

use crate::facts::{LocalId, Place};

use super::run::{At, Run};
use super::value::Val;
use super::world::World;

impl<'a> Run<'a> {
    /// A place as it is followed: what a map has under a key, and through what is dereferenced on the way.
    pub(super) fn spelled<'p>(&self, place: &'p Place) -> Cow<'p, Place>
    where
        'a: 'p,
    {
        let place = self.typed.spelled(place).unwrap_or(place);
        self.keyed(place).map_or(Cow::Borrowed(place), Cow::Owned)
    }

    /// What arguments give; of what dereferences to what the callee takes, that.
    pub(super) fn take_given(&mut self, at: At, skipped: u32, args: &[LocalId], world: &mut World) -> Vec<Val> {
        let mut values = self.take_all(args, world);
        for (arg, fields) in self.typed.derefs_at(at.block, at.op) {
            let Some(arg) = arg.checked_sub(skipped).map(|arg| arg as usize) else { continue };
            if let (Some(value), Some(local)) = (values.get_mut(arg), args.get(arg)) {
                *value = value.at(fields);
                let place = Place::local(*local).along(fields);
                self.read_outside(&place, value);
            }
        }
        values
    }

    /// The place a receiver dereferences to, where it is of a type of the program's own.
    pub(super) fn dereferenced(&self, at: At, receiver: &Place) -> Option<Place> {
        let (_, fields) = self.typed.derefs_at(at.block, at.op).find(|(arg, _)| *arg == 0)?;
        Some(receiver.clone().along(fields))
    }
}
