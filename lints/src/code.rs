//! A body's operations as rules ask for them: what calls what, where a value comes from and goes to,
//! and which way leads back into a loop.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{
    Block, BlockId, Body, Callee, LocalId, LocalKind, LoopId, Op, OpKind, PathRef, Place, Span, Terminator,
};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::infer::TypedBody;
use ctxlint_analysis::model::{FnModel, FnRole, TypeRole};
use ctxlint_analysis::summary;
use ctxlint_analysis::types::{BodyRef, Target, Ty};
pub(crate) use ctxlint_analysis::ways::At;
use ctxlint_analysis::ways::Ways;

/// How far a value is followed through names, references and wrappers.
const MAX_STEPS: usize = 12;

/// A body with what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Code<'a> {
    pub(crate) analysis: &'a Analysis,
    pub(crate) who: BodyRef,
    pub(crate) body: &'a Body,
    pub(crate) typed: &'a TypedBody,
}

/// A call.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) at: At,
    pub(crate) op: &'a Op,
    pub(crate) target: &'a Target,
    /// What the called function's model says, if it has one.
    pub(crate) model: Option<&'a FnModel>,
    /// The callee's name.
    pub(crate) name: Span,
    pub(crate) receiver: Option<&'a Place>,
    /// Arguments; a receiver's base stands first.
    pub(crate) args: Vec<LocalId>,
}

impl<'a> Call<'a> {
    /// What the called function does.
    pub(crate) fn role(&self) -> Option<FnRole> {
        self.model.map(|model| model.role)
    }

    /// Whether it does one of these.
    pub(crate) fn is(&self, roles: &[FnRole]) -> bool {
        self.role().is_some_and(|role| roles.contains(&role))
    }
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is awaited by itself.
    Awaited,
    /// It is an argument of a call: its operation.
    Passed(At),
    /// It is given back to the caller.
    Returned,
    /// Anything else.
    Other,
}

impl<'a> Code<'a> {
    /// A body of the program.
    pub(crate) fn of(analysis: &'a Analysis, who: BodyRef) -> Option<Code<'a>> {
        let (body, typed) = (analysis.program.body(who)?, analysis.program.typed(who)?);
        Some(Code { analysis, who, body, typed })
    }

    /// All bodies.
    pub(crate) fn all(analysis: &'a Analysis) -> impl Iterator<Item = Code<'a>> {
        analysis.program.bodies().iter().filter_map(move |body| Code::of(analysis, *body))
    }

    /// The calls of modelled functions that do one of these, role by role.
    pub(crate) fn calling(analysis: &'a Analysis, roles: &[FnRole]) -> impl Iterator<Item = (Code<'a>, Call<'a>)> {
        let mentions = roles.iter().flat_map(|role| analysis.mentions_of(*role));
        mentions.filter_map(move |(who, at)| {
            let code = Code::of(analysis, *who)?;
            Some((code, code.call(*at)?))
        })
    }

    /// The bodies that call a modelled function that does one of these.
    pub(crate) fn that_call(analysis: &'a Analysis, roles: &[FnRole]) -> impl Iterator<Item = Code<'a>> {
        let bodies: BTreeSet<BodyRef> = Code::calling(analysis, roles).map(|(code, _)| code.who).collect();
        bodies.into_iter().filter_map(move |who| Code::of(analysis, who))
    }

    /// The same, and those that call one that does it for its callers, as `hands_on` says.
    pub(crate) fn that_reach(
        analysis: &'a Analysis,
        roles: &[FnRole],
        hands_on: impl Fn(&Code<'a>) -> bool,
    ) -> impl Iterator<Item = Code<'a>> {
        let mut left: Vec<Code<'a>> = Code::that_call(analysis, roles).collect();
        let mut found: BTreeSet<BodyRef> = left.iter().map(|code| code.who).collect();
        while let Some(code) = left.pop() {
            if !hands_on(&code) {
                continue;
            }
            let callers = analysis.callers_of(code.who).iter().map(|(caller, _)| *caller);
            let news = callers.filter(|caller| found.insert(*caller));
            left.extend(news.filter_map(|caller| Code::of(analysis, caller)));
        }
        found.into_iter().filter_map(move |who| Code::of(analysis, who))
    }

    /// Where its locals occur and where control can go in it.
    pub(crate) fn ways(&self) -> &'a Ways {
        static NONE: OnceLock<Ways> = OnceLock::new();
        self.analysis.ways(self.who).unwrap_or_else(|| NONE.get_or_init(Ways::default))
    }

    /// The place of some bytes.
    pub(crate) fn site(&self, span: Span) -> Site {
        Site::new(self.who.file, span)
    }

    /// A local's type.
    pub(crate) fn ty(&self, local: LocalId) -> &'a Ty {
        self.typed.local(local)
    }

    /// A place's type.
    pub(crate) fn type_at(&self, place: &Place) -> Cow<'a, Ty> {
        self.analysis.program.type_at(self.typed, place)
    }

    /// Whether a place holds a context.
    pub(crate) fn is_context(&self, place: &Place) -> bool {
        self.analysis.program.role(&self.type_at(place)) == Some(TypeRole::Context)
    }

    /// All operations, with their places.
    pub(crate) fn ops(&self) -> impl Iterator<Item = (At, &'a Block, &'a Op)> + use<'a> {
        self.body
            .blocks
            .iter()
            .zip(0u32..)
            .flat_map(|(block, b)| block.ops.iter().zip(0u32..).map(move |(op, o)| (At { block: b, op: o }, block, op)))
    }

    /// The operation at a place.
    pub(crate) fn op(&self, at: At) -> Option<&'a Op> {
        self.body.op(at.block, at.op)
    }

    /// What the operation at a place calls or names.
    pub(crate) fn target(&self, at: At) -> &'a Target {
        self.typed.target(BlockId(at.block), at.op as usize)
    }

    /// The innermost loop that a place is in.
    pub(crate) fn loop_at(&self, at: At) -> Option<LoopId> {
        self.body.block(BlockId(at.block))?.in_loop
    }

    /// The call at a place, if there is one.
    pub(crate) fn call(&self, at: At) -> Option<Call<'a>> {
        let op = self.op(at)?;
        let (name, receiver, args) = match &op.kind {
            OpKind::Call { callee: Callee::Path(path), args } => (last_span(path), None, args.clone()),
            OpKind::MethodCall { receiver, name_span, args, .. } => {
                let mut all = vec![receiver.base];
                all.extend(args);
                (*name_span, Some(receiver), all)
            }
            _ => return None,
        };
        let target = self.target(at);
        let model = self.analysis.program.model_of(target);
        Some(Call { at, op, target, model, name, receiver, args })
    }

    /// The body of the program that a call runs.
    pub(crate) fn callee(&self, call: &Call<'a>) -> Option<Code<'a>> {
        let Target::Def(def) = call.target else { return None };
        Code::of(self.analysis, summary::body_of(&self.analysis.program, *def)?)
    }

    /// The operations of some blocks, with their places.
    pub(crate) fn ops_in<'b>(self, blocks: &'b BTreeSet<u32>) -> impl Iterator<Item = (At, &'a Op)> + use<'a, 'b> {
        blocks.iter().flat_map(move |&block| {
            let ops = self.body.blocks.get(block as usize).map_or(&[][..], |known| &known.ops);
            ops.iter().zip(0u32..).map(move |(op, at)| (At { block, op: at }, op))
        })
    }

    /// The calls by name in some blocks.
    pub(crate) fn calls_in<'b>(self, blocks: &'b BTreeSet<u32>) -> impl Iterator<Item = Call<'a>> + use<'a, 'b> {
        self.ops_in(blocks).filter_map(move |(at, _)| self.call(at))
    }

    /// All calls by name.
    pub(crate) fn calls(self) -> impl Iterator<Item = Call<'a>> + use<'a> {
        self.ops().filter_map(move |(at, ..)| self.call(at))
    }

    /// The operations that give a local its value.
    pub(crate) fn definitions(self, local: LocalId) -> impl Iterator<Item = (At, &'a Op)> + use<'a> {
        self.ways().occurrences().definitions(local).iter().filter_map(move |at| Some((*at, self.op(*at)?)))
    }

    /// The operation that gives a local its value, if there is just one.
    pub(crate) fn definition(&self, local: LocalId) -> Option<(At, &'a Op)> {
        let mut all = self.definitions(local);
        let only = all.next()?;
        all.next().is_none().then_some(only)
    }

    /// The operations that read a local, write into it by name, or mention it where nobody knows what
    /// happens, with their places and blocks.
    pub(crate) fn mentions(self, local: LocalId) -> impl Iterator<Item = (At, &'a Block, &'a Op)> + use<'a> {
        let places = self.ways().occurrences().mentions(local).iter();
        places.filter_map(move |at| Some((*at, self.body.blocks.get(at.block as usize)?, self.op(*at)?)))
    }

    /// The ends of blocks that read a local.
    pub(crate) fn ends_with(self, local: LocalId) -> impl Iterator<Item = &'a Terminator> + use<'a> {
        let places = self.ways().occurrences().mentions(local).iter();
        let blocks = places.filter_map(move |at| Some((at.op as usize, self.body.blocks.get(at.block as usize)?)));
        blocks.filter(|(op, block)| *op == block.ops.len()).map(|(_, block)| &block.end)
    }

    /// The local that a local is another name of: through moves and borrows.
    pub(crate) fn root(&self, local: LocalId) -> LocalId {
        let mut local = local;
        for _ in 0..MAX_STEPS {
            match self.definition(local).map(|(_, op)| &op.kind) {
                Some(OpKind::Use(place) | OpKind::Ref(place, _))
                    if place.path.iter().all(|step| matches!(step, ctxlint_analysis::facts::Step::Deref)) =>
                {
                    local = place.base;
                }
                _ => break,
            }
        }
        local
    }

    /// The local that a local comes from, by moves, borrows and clones, also as a part of it.
    pub(crate) fn source(&self, local: LocalId) -> LocalId {
        let mut local = local;
        for _ in 0..MAX_STEPS {
            local = match self.definition(local).map(|(at, op)| (at, &op.kind)) {
                Some((_, OpKind::Use(place) | OpKind::Ref(place, _))) => place.base,
                Some((at, _)) => match self.call(at).filter(|call| call.is(&[FnRole::Clone])) {
                    Some(Call { args, .. }) if !args.is_empty() => args.first().copied().unwrap_or(local),
                    _ => break,
                },
                None => break,
            };
        }
        local
    }

    /// Whether a way leads on from one operation to another.
    pub(crate) fn leads(&self, from: At, to: At) -> bool {
        (from.block == to.block && from.op < to.op) || self.ways().leads(from.block, |block| block == to.block)
    }

    /// The locals that are other names of a local, through moves and borrows, and itself.
    pub(crate) fn names_of(&self, local: LocalId) -> BTreeSet<LocalId> {
        let is_it = |place: &Place| place.path.iter().all(|step| matches!(step, ctxlint_analysis::facts::Step::Deref));
        self.spread(local, MAX_STEPS, |_, _, op| match &op.kind {
            OpKind::Use(place) | OpKind::Ref(place, _) if is_it(place) => {
                op.dest.filter(|dest| self.definition(*dest).is_some())
            }
            _ => None,
        })
    }

    /// A local and those that operations on it lead to, step by step: `next` says where one that
    /// mentions the given local leads.
    pub(crate) fn spread(
        &self,
        local: LocalId,
        steps: usize,
        next: impl Fn(LocalId, At, &'a Op) -> Option<LocalId>,
    ) -> BTreeSet<LocalId> {
        let mut found = BTreeSet::from([local]);
        let mut latest = vec![local];
        for _ in 0..steps {
            let ops = latest.iter().flat_map(|local| self.mentions(*local).map(move |(at, _, op)| (*local, at, op)));
            let mut more: Vec<LocalId> = ops.filter_map(|(local, at, op)| next(local, at, op)).collect();
            more.retain(|local| found.insert(*local));
            if more.is_empty() {
                break;
            }
            latest = more;
        }
        found
    }

    /// The call that a value is the result of, through moves, borrows and wrappers that are looked through.
    pub(crate) fn made_by(&self, local: LocalId, through: &[FnRole]) -> Option<Call<'a>> {
        let mut local = self.root(local);
        for _ in 0..MAX_STEPS {
            let (at, op) = self.definition(local)?;
            if let OpKind::Await(future) = &op.kind {
                local = self.root(*future);
                continue;
            }
            let call = self.call(at)?;
            if !call.is(through) {
                return Some(call);
            }
            let subject = call.model.map_or(0, |model| model.subject);
            local = self.root(*call.args.get(subject)?);
        }
        None
    }

    /// What becomes of the value of a local, through moves into names.
    pub(crate) fn fate(&self, local: LocalId) -> Fate {
        let mut local = local;
        'next: for _ in 0..MAX_STEPS {
            for (at, _, op) in self.mentions(local) {
                match &op.kind {
                    OpKind::Await(future) if *future == local => return Fate::Awaited,
                    OpKind::Use(place) if place.base == local && place.path.is_empty() => match op.dest {
                        Some(dest) => {
                            local = dest;
                            continue 'next;
                        }
                        None => return Fate::Other,
                    },
                    OpKind::Call { args, .. } if args.contains(&local) => return Fate::Passed(at),
                    OpKind::MethodCall { receiver, args, .. } if receiver.base == local || args.contains(&local) => {
                        return Fate::Passed(at);
                    }
                    OpKind::Ref(place, _) if place.base == local => return Fate::Other,
                    _ => {}
                }
            }
            let returned = |end: &Terminator| matches!(end, Terminator::Return(_));
            return if self.ends_with(local).any(returned) { Fate::Returned } else { Fate::Other };
        }
        Fate::Other
    }

    /// The blocks a loop is made of, its inner loops' included.
    pub(crate) fn blocks_of(&self, of: LoopId) -> &'a BTreeSet<u32> {
        self.ways().blocks_of(of)
    }

    /// Whether a loop is this one or stands in it.
    pub(crate) fn is_within(&self, inner: Option<LoopId>, of: LoopId) -> bool {
        self.loops_from(inner).any(|known| known == of)
    }

    /// A loop and those round it, inner first.
    pub(crate) fn loops_from(self, inner: Option<LoopId>) -> impl Iterator<Item = LoopId> + use<'a> {
        self.body.loops_around(inner)
    }

    /// Whether an operation calls something that never comes back.
    pub(crate) fn never_returns(&self, at: At) -> bool {
        self.analysis.never_returns(self.who, at)
    }

    /// Whether control may not come back from a macro that nobody knows. It does if a method is called on what the
    /// macro gives.
    pub(crate) fn may_leave(&self, op: &Op) -> bool {
        let (OpKind::Unknown { path: Some(path), .. }, made) = (&op.kind, op.dest) else { return false };
        if let Some(leaves) = self.analysis.program.macro_leaves(self.who.file, path) {
            return leaves;
        }
        let is_called_on = |op: &Op| match &op.kind {
            OpKind::MethodCall { receiver, .. } => Some(receiver.base) == made,
            _ => false,
        };
        !made.is_some_and(|made| self.mentions(made).any(|(_, _, op)| is_called_on(op)))
    }

    /// Whether a block's loop can have another turn after it.
    pub(crate) fn turns(&self, block: u32, of: LoopId) -> bool {
        self.body.loops.get(of.index()).is_some_and(|known| self.ways().turns(block, of, known.head))
    }

    /// The blocks of a loop after which it can have another turn.
    pub(crate) fn turning(&self, of: LoopId) -> BTreeSet<u32> {
        self.blocks_of(of).iter().copied().filter(|block| self.turns(*block, of)).collect()
    }

    /// Whether a local is bound outside a loop, and nothing in it gives it another value.
    pub(crate) fn is_steady(&self, local: LocalId, of: LoopId) -> bool {
        let within = |at: &At| {
            let block = self.body.blocks.get(at.block as usize);
            block.is_some_and(|block| self.is_within(block.in_loop, of))
        };
        !self.definitions(local).any(|(at, _)| within(&at))
            && !self.mentions(local).any(|(at, _, op)| within(&at) && changes(&op.kind, local))
    }

    /// Whether a loop gives a local another value by name.
    pub(crate) fn is_assigned_in(&self, local: LocalId, of: LoopId) -> bool {
        self.mentions(local).filter(|(_, block, _)| self.is_within(block.in_loop, of)).any(|(_, _, op)| {
            match &op.kind {
                OpKind::Assign { place, .. } | OpKind::AssignOp { place, .. } => place.base == local,
                _ => false,
            }
        })
    }

    /// Whether a local may have another value than the one it is bound to.
    pub(crate) fn is_changed(&self, local: LocalId) -> bool {
        self.mentions(local).any(|(_, _, op)| changes(&op.kind, local))
    }

    /// Whether a local is bound within a loop.
    pub(crate) fn is_bound_in(&self, local: LocalId, of: LoopId) -> bool {
        let block = |at: At| self.body.blocks.get(at.block as usize);
        let mut bound = self.definitions(local).peekable();
        bound.peek().is_some() && bound.all(|(at, _)| block(at).is_some_and(|block| self.is_within(block.in_loop, of)))
    }

    /// Whether anything reads a local, or mentions it where nobody knows what happens.
    pub(crate) fn is_read(&self, local: LocalId) -> bool {
        self.mentions(local).any(|(_, _, op)| !matches!(op.kind, OpKind::Wild(_)))
            || self.ends_with(local).any(|end| !matches!(end, Terminator::If { .. }))
    }

    /// Where a block waits at or after an operation, if it does.
    fn wait_in(&self, block: u32, from: u32, to: u32) -> Option<Span> {
        let known = self.body.blocks.get(block as usize)?;
        let awaits = known.ops.iter().zip(0u32..).filter(|(_, at)| *at >= from && *at < to);
        let mut found = awaits.filter(|(op, _)| matches!(op.kind, OpKind::Await(_))).map(|(op, _)| op.span);
        found.next().or(match &known.end {
            Terminator::Select { span, .. } if to as usize > known.ops.len() => Some(*span),
            _ => None,
        })
    }

    /// Whether anything is awaited or blocks on a way on from an operation.
    pub(crate) fn waits_after(&self, at: At) -> bool {
        let blocks = |block: u32, from: u32| {
            self.wait_in(block, from, u32::MAX).is_some()
                || self.body.blocks.get(block as usize).is_some_and(|known| {
                    (from..known.ops.len() as u32).any(|op| {
                        self.call(At { block, op }).is_some_and(|call| {
                            call.is(&[FnRole::Waiting, FnRole::Outbound, FnRole::Join, FnRole::RunSelf])
                        })
                    })
                })
        };
        blocks(at.block, at.op + 1) || self.ways().leads(at.block, |block| blocks(block, 0))
    }

    /// An `.await` on a way from one operation to another.
    pub(crate) fn awaits_between(&self, from: At, to: At) -> Option<Span> {
        self.between(from, to).into_iter().find_map(|(block, part)| self.wait_in(block, part.start, part.end))
    }

    /// The operations on ways from one operation to another.
    pub(crate) fn ops_between(self, from: At, to: At) -> impl Iterator<Item = (At, &'a Op)> + use<'a> {
        self.between(from, to).into_iter().flat_map(move |(block, part)| {
            let ops = self.body.blocks.get(block as usize).map_or(&[][..], |known| &known.ops);
            let ops = ops.iter().zip(0u32..).filter(move |(_, op)| part.contains(op));
            ops.map(move |(op, at)| (At { block, op: at }, op))
        })
    }

    /// The parts of blocks that lie on ways from one operation to another; none if no way leads there.
    fn between(&self, from: At, to: At) -> Vec<(u32, Range<u32>)> {
        if from.block == to.block && from.op < to.op {
            return vec![(from.block, from.op + 1..to.op)];
        }
        let Some(between) = self.ways().between(from.block, to.block) else { return Vec::new() };
        let whole = between.into_iter().map(|block| (block, 0..u32::MAX));
        let first = (from.block, from.op + 1..u32::MAX);
        std::iter::once(first).chain(whole).chain([(to.block, 0..to.op)]).collect()
    }

    /// Whether a local has a name.
    pub(crate) fn is_named(&self, local: LocalId) -> bool {
        self.body.local(local).is_some_and(|local| local.kind != LocalKind::Temp)
    }
}

/// Whether an operation may give a local another value than it is bound to.
fn changes(kind: &OpKind, local: LocalId) -> bool {
    match kind {
        OpKind::Assign { place, .. }
        | OpKind::AssignOp { place, .. }
        | OpKind::Ref(place, ctxlint_analysis::facts::Mutability::Mut) => place.base == local,
        _ => false,
    }
}

fn last_span(path: &PathRef) -> Span {
    path.segments.last().map_or(path.span, |segment| segment.span)
}
