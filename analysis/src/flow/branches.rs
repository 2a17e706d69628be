//! Where control goes by what is asked, and what the answers say.

use std::rc::Rc;

use crate::facts::{BlockId, ItemKind, LocalId, OpKind, Place, Test};
use crate::model::TypeRole;
use crate::types::Ty;

use super::conditions::{self, Cond};
use super::run::Run;
use super::value::{Agg, Ctx, CtxKind, CtxNode, Life, ObjId, Says, Val};
use super::world::World;

/// The slots of contexts that turned out to have a deadline begin here.
const LIMITED_SLOT: u16 = 500;

impl<'a> Run<'a> {
    pub(super) fn branch(
        &mut self,
        condition: LocalId,
        then: BlockId,
        other: BlockId,
        world: World,
    ) -> Vec<(BlockId, World)> {
        let value = world.read(&Place::local(condition));
        if let Val::Bool(truth) = value.behind() {
            return vec![(if *truth { then } else { other }, world)];
        }
        let question = conditions::question(self.body, &self.definitions, condition);
        let mut next = Vec::new();
        for (block, truth, mut world) in ways(&question, (then, other), &world) {
            match self.missing_where(condition) {
                Some(missing) if missing == truth => world.missing = true,
                Some(_) => world.present = true,
                None => {}
            }
            if let Val::Asked(ctx, says, meaning) = value.behind()
                && truth == *meaning
            {
                self.learn(ctx, *says, &mut world);
            }
            next.push((block, world));
        }
        next
    }

    /// Takes in what an answer says of a context.
    pub(super) fn learn(&self, ctx: &Ctx, says: Says, world: &mut World) {
        match says {
            Says::Ended => world.done.insert(ctx.id, ()),
            Says::CanEnd => world.can_end.insert(ctx.id, ()),
            Says::Limited => self.limited(ctx, world),
        }
    }

    /// A context turned out to have a deadline: what is done under it from here on is bounded. What the caller
    /// lent stays what it is.
    fn limited(&self, ctx: &Ctx, world: &mut World) {
        if matches!(ctx.life(), Life::Bounded(_)) {
            return;
        }
        let id = ObjId { slot: ctx.id.slot.saturating_add(LIMITED_SLOT), ..ctx.id };
        let limited = Ctx::new(CtxNode { id, site: ctx.site, kind: CtxKind::Limited(ctx.clone()) });
        let is_it = |value: &Val| value.as_ctx().is_some_and(|held| held.id == ctx.id);
        let holding = world.env.iter().filter(|(local, value)| is_it(value) && !self.is_lent_param(**local));
        for (local, value) in holding.map(|(local, value)| (*local, value.clone())).collect::<Vec<_>>() {
            world.env.insert(local, Rc::new(value.with_ctx(&limited)));
        }
    }

    /// Of a question about an optional context: which answer says that there is none.
    fn missing_where(&self, condition: LocalId) -> Option<bool> {
        let (mut local, mut straight) = (condition, true);
        for _ in 0..4 {
            match self.definitions.op(self.body, local)? {
                OpKind::Unary(_, inner) => (local, straight) = (*inner, !straight),
                OpKind::MethodCall { receiver, name, .. } if self.may_hold_context(&self.type_at(receiver)) => {
                    let is_none = matches!(name.as_str(), "is_none" | "is_err");
                    return (is_none || matches!(name.as_str(), "is_some" | "is_ok")).then_some(is_none == straight);
                }
                _ => return None,
            }
        }
        None
    }

    fn may_hold_context(&self, ty: &Ty) -> bool {
        self.program.role(ty) == Some(TypeRole::Maybe)
            && match self.program.peel(ty) {
                Ty::Adt(_, args) => args.first().is_some_and(|arg| match self.program.role(arg) {
                    Some(TypeRole::Context) => true,
                    Some(TypeRole::Extractor) => self.program.holds_context(arg),
                    _ => false,
                }),
                _ => false,
            }
    }

    pub(super) fn matching(
        &mut self,
        place: &Place,
        test: &Test,
        then: BlockId,
        other: BlockId,
        mut world: World,
    ) -> Vec<(BlockId, World)> {
        let value = world.read(place);
        // An option is gone over like a list of one, of which there is a first turn, or of none.
        if let (Test::Next, Some(held)) = (test, value.held()) {
            let has_turn = held.is_some();
            if let Some(held) = held {
                let list = Val::Many(vec![held]);
                world.set(place.base, if matches!(value, Val::Ref(..)) { list.borrowed(None) } else { list });
            }
            return vec![(if has_turn { then } else { other }, world)];
        }
        let decided = match (value.behind(), test) {
            (Val::Agg(agg), Test::Variant(path)) if self.may_be_variant(agg, path.last()) => {
                agg.is_variant(path.last())
            }
            (value, Test::Success) => value.succeeds(),
            (Val::Bool(truth), Test::Lit(crate::facts::Lit::Bool(want))) => Some(truth == want),
            (Val::Nanos(number), Test::Lit(crate::facts::Lit::Int(Some(want)))) => Some(*number == u128::from(*want)),
            _ => None,
        };
        if let Some(matches) = decided {
            return vec![(if matches { then } else { other }, world)];
        }
        let question = conditions::pattern_question(self.body, place, test);
        let optional = self.may_hold_context(&self.type_at(place));
        let mut next = Vec::new();
        for (block, truth, mut world) in ways(&question, (then, other), &world) {
            if let (Test::Lit(crate::facts::Lit::Bool(want)), Val::Asked(ctx, says, meaning)) = (test, value.behind())
                && (*want == truth) == *meaning
            {
                self.learn(ctx, *says, &mut world);
            }
            let says_some = match test {
                Test::Variant(path) => match path.last() {
                    "Some" | "Ok" => Some(truth),
                    "None" | "Err" => Some(!truth),
                    _ => None,
                },
                Test::Success => Some(truth),
                _ => None,
            };
            match (says_some, value.behind()) {
                (Some(some), Val::Asked(ctx, says, meaning)) if some == *meaning => self.learn(ctx, *says, &mut world),
                (Some(false), _) if optional => world.missing = true,
                (Some(true), _) if optional => world.present = true,
                _ => {}
            }
            next.push((block, world));
        }
        next
    }

    /// Whether a pattern's name is that of a variant: it may be a constant's, or another name for one.
    fn may_be_variant(&self, agg: &Agg, name: &str) -> bool {
        match agg.def.and_then(|def| self.program.item(def)).map(|item| &item.kind) {
            Some(ItemKind::Enum { variants, .. }) => variants.iter().any(|variant| variant.name == name),
            _ => true,
        }
    }
}

/// The ways on from a question that can be, each with its answer and what holds there.
fn ways(
    question: &Option<(Cond, bool)>,
    (then, other): (BlockId, BlockId),
    world: &World,
) -> impl Iterator<Item = (BlockId, bool, World)> {
    [(then, true), (other, false)].into_iter().filter_map(move |(block, truth)| {
        let mut world = world.clone();
        let can_be = question.as_ref().is_none_or(|(cond, straight)| world.suppose(cond, truth == *straight));
        can_be.then_some((block, truth, world))
    })
}
