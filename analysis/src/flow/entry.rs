//! What a body is given, and what values of a type mean.

use crate::facts::{LocalId, Span};
use crate::handlers::Origin;
use crate::model::TypeRole;
use crate::types::{BodyRef, Ty};

use super::copying::Copying;
use super::run::{At, INPUT_BLOCK, Run, input_object};
use super::value::{Ctx, CtxKind, CtxNode, InputPath, ObjId, Site, Val};
use super::world::{MAX_WORLDS, World};

/// The slot of what a handler's extractors are given.
const EXTRACTED_SLOT: u16 = 400;

impl<'a> Run<'a> {
    /// The worlds that the body begins in: one, but for what a handler's extractors may give in several ways.
    pub(super) fn entry(&mut self) -> Vec<World> {
        let mut world = World::default();
        let captures = self.body.captures.len();
        for (index, (_, local)) in self.body.captures.iter().enumerate() {
            let value = self.given(InputPath::whole(index as u32), *local);
            world.set(*local, value);
        }
        for (index, local) in self.body.params.iter().enumerate() {
            let value = self.given(InputPath::whole((captures + index) as u32), *local);
            world.set(*local, value);
        }
        let mut worlds = vec![world];
        for (index, local) in self.body.params.iter().enumerate() {
            let extracted = self.extracted(index, *local);
            if !extracted.is_empty() && extracted.len() * worlds.len() <= MAX_WORLDS / 2 {
                let with = |world: &World, value: &Val| {
                    let mut world = world.clone();
                    world.set(*local, value.clone());
                    world
                };
                worlds = worlds.iter().flat_map(|world| extracted.iter().map(|value| with(world, value))).collect();
            }
        }
        worlds
    }

    /// What a handler is given as this parameter, where a body of the program makes it from the request: one
    /// for each way that makes something else. Nothing if that is not known.
    fn extracted(&mut self, index: usize, local: LocalId) -> Vec<Val> {
        let handler = self.program.handler(self.who);
        let Some(Origin::Extracted(maker)) = handler.and_then(|handler| handler.params.get(index)) else {
            return Vec::new();
        };
        let Some((summary, inputs)) = self.summaries.get(*maker).zip(self.of_request(*maker)) else {
            return Vec::new();
        };
        let site = self.body.local_span(local);
        let at = At { block: INPUT_BLOCK, op: index as u32 };
        self.slots.remove(&at);
        let mut made = Vec::new();
        // What comes out of an early way out is seldom told.
        for ret in summary.rets.iter().filter(|ret| ret.succeeds() == Some(true)) {
            made.push(Copying::of(self, at, site, &inputs, summary).value(ret).without_own_objects());
        }
        if made.is_empty() {
            return made;
        }
        let whole = |value: &Val| value.project(&super::plain::some());
        if self.program.role(self.type_of(local)) == Some(TypeRole::Maybe) {
            made.push(Val::variant("None"));
            return made;
        }
        made.iter().map(whole).collect()
    }

    /// What an extractor makes its value of: the request and the server.
    fn of_request(&self, maker: BodyRef) -> Option<Vec<Val>> {
        let (body, handler) = (self.program.body(maker)?, self.program.handler(maker)?);
        let params = handler.params.iter().zip(&body.params).zip(0..);
        let given = params.map(|((origin, local), index)| {
            let id = ObjId { block: INPUT_BLOCK, op: index, slot: EXTRACTED_SLOT, old: false };
            let site = Site::new(maker.file, body.local_span(*local));
            match origin {
                Origin::Request => Val::Request(id, site),
                Origin::Server => Val::Server(id, site),
                Origin::Either | Origin::Extracted(_) | Origin::Callers => Val::Unknown,
            }
        });
        Some(given.collect())
    }

    pub(super) fn given(&mut self, path: InputPath, local: LocalId) -> Val {
        if self.program.is_inert(self.type_of(local)) {
            return Val::Unknown;
        }
        self.with_type(Val::Input(path), self.type_of(local), None)
    }

    /// The object that stands for the context of an input.
    pub(super) fn input_id(&mut self, path: &InputPath) -> ObjId {
        let next = self.inputs.len() as u32;
        let index = *self.inputs.entry(path.clone()).or_insert(next);
        input_object(index)
    }

    /// What a value of this type means: an input of a context type is a context, and so on.
    pub(super) fn with_type(&mut self, value: Val, ty: &Ty, made_at: Option<(At, Span)>) -> Val {
        if let Val::Ref(inner, place) = value {
            let inner = self.with_type(*inner, ty, made_at);
            return match inner {
                Val::Unknown if place.is_none() => Val::Unknown,
                inner => Val::Ref(Box::new(inner), place),
            };
        }
        if self.program.role(ty) != Some(TypeRole::Context) {
            return if matches!(value, Val::Input(_)) && self.program.is_inert(ty) { Val::Unknown } else { value };
        }
        let (id, site, kind) = match &value {
            Val::Input(path) => (self.input_id(path), self.input_site(path), self.input_kind(path)),
            Val::Request(id, site) => (*id, *site, CtxKind::Request),
            Val::Server(id, site) => (*id, *site, CtxKind::Server),
            Val::Unknown | Val::Called(..) => match made_at {
                Some((at, span)) => {
                    (ObjId { block: at.block, op: at.op, slot: 999, old: false }, self.site(span), CtxKind::Opaque)
                }
                None => return value,
            },
            _ => return value,
        };
        Val::Ctx(Ctx::new(CtxNode { id, site, kind }))
    }

    pub(super) fn input_site(&self, path: &InputPath) -> Site {
        self.site(self.body.input_span(path.input))
    }

    pub(super) fn input_kind(&self, path: &InputPath) -> CtxKind {
        match self.program.given_to_handler(self.who, path) {
            None => CtxKind::Input(path.clone()),
            Some(Origin::Request) => CtxKind::Request,
            Some(Origin::Server) => CtxKind::Server,
            Some(Origin::Either | Origin::Extracted(_) | Origin::Callers) => CtxKind::Opaque,
        }
    }
}
