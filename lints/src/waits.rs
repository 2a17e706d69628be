//! Where a body waits by itself: awaited or blocking, neither raced nor bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ctxlint_analysis::facts::{
    BodyKind, LocalId, LocalKind, LoopId, Op, OpKind, Place, Span, Terminator, Test, UnaryOp,
};
use ctxlint_analysis::flow::constants;
use ctxlint_analysis::flow::value::is_success;
use ctxlint_analysis::model::{Bound, FnModel, FnRole, TypeRole};
use ctxlint_analysis::types::BodyRef;

use crate::code::{At, Call, Code, Fate};
use crate::ends_with_context::{ends_with_context, was_given_one};
use crate::support;

/// Lengths of time below this are a moment, in nanoseconds.
const MOMENT: u128 = 1_000_000_000;

/// Through how many hands the run of a future is followed.
const MAX_HANDS: u8 = 6;

/// A wait.
pub(crate) struct Wait<'a> {
    /// The call, or the `.await` of what is no call.
    pub(crate) at: At,
    /// Its name.
    pub(crate) name: Span,
    /// The function that waits, if it is one.
    pub(crate) model: Option<&'a FnModel>,
    /// The innermost loop it is in.
    pub(crate) in_loop: Option<LoopId>,
    /// What it is given, a receiver first.
    args: Vec<LocalId>,
}

impl Wait<'_> {
    /// What it waits for, in words.
    pub(crate) fn what(&self) -> &str {
        self.model.and_then(|model| model.what.as_deref()).unwrap_or("a task")
    }

    /// How long it waits at most, if somebody says so.
    fn length(&self, code: &Code<'_>) -> Option<LocalId> {
        // A ticker has its length from where it is made.
        let made = || code.made_by(*self.args.first()?, &[]);
        match self.model?.time {
            Some(time) => self.args.get(time).copied(),
            None => made().and_then(|call| call.args.get(call.model?.time?).copied()),
        }
    }

    /// Whether its caller says how long it waits.
    fn is_given_length(&self, code: &Code<'_>) -> bool {
        self.length(code).is_some_and(|length| code.body.params.contains(&code.root(length)))
    }

    /// Whether it waits for a task that was told to end: then that ends at its next wait.
    pub(crate) fn is_for_aborted(&self, code: &Code<'_>) -> bool {
        let Some(task) = self.args.first().map(|task| code.root(*task)) else { return false };
        let is_told = |call: &Call<'_>| {
            call.is(&[FnRole::Abort]) && call.args.first().is_some_and(|told| code.root(*told) == task)
        };
        let told: Vec<At> = code.calls().filter(is_told).map(|call| call.at).collect();
        let is_before = |told: &At| told.block == self.at.block && told.op < self.at.op;
        let up_to_it = || code.ways().up_to(&told.iter().map(|at| at.block).collect());
        !told.is_empty() && (told.iter().any(is_before) || !up_to_it().contains(&self.at.block))
    }

    /// Whether it is the first wait for something that is there at once then: a ticker's first tick.
    pub(crate) fn is_over_at_once(&self, code: &Code<'_>) -> bool {
        let Some(ticker) = self.args.first().map(|ticker| code.root(*ticker)) else { return false };
        let Some(made) = code.made_by(ticker, &[]).filter(|call| call.model.is_some_and(|model| model.first_at_once))
        else {
            return false;
        };
        let is_wait = |call: &Call<'_>| {
            call.is(&[FnRole::Waiting]) && call.args.first().copied().map(|arg| code.root(arg)) == Some(ticker)
        };
        let mut others = code.calls().filter(|call| call.at != self.at && is_wait(call));
        code.loop_at(made.at) == self.in_loop && !others.any(|other| code.leads(other.at, self.at))
    }

    /// Whether it may last: what it waits for may come much later or never.
    pub(crate) fn is_idle(&self, code: &Code<'_>) -> bool {
        if !self.model.is_some_and(|model| model.idle) {
            return false;
        }
        !self.length(code).is_some_and(|length| is_moment(code, length, MAX_HANDS))
    }
}

/// The waits of a body that nothing else ends: those that are raced, bounded or given a context left out.
pub(crate) fn of<'a>(code: &Code<'a>) -> Vec<Wait<'a>> {
    let mut found: Vec<Wait<'a>> = code.calls().filter_map(|call| of_call(code, call)).collect();
    let made: BTreeSet<LocalId> = found.iter().filter_map(|wait| code.op(wait.at)?.dest).collect();
    for (at, block, op) in code.ops() {
        let OpKind::Await(future) = &op.kind else { continue };
        let role = code.analysis.program.role(code.ty(*future));
        let by_itself = matches!(role, Some(TypeRole::Channel | TypeRole::Task));
        if by_itself && !made.contains(future) && !ends_with_context(code, *future) {
            let name = code.body.local_span(*future);
            found.push(Wait { at, name, model: None, in_loop: block.in_loop, args: vec![*future] });
        }
    }
    found
}

/// The calls of functions of the program that begin with a wait that may last, whoever calls them.
pub(crate) fn by_callees<'a>(code: &Code<'a>) -> impl Iterator<Item = Wait<'a>> {
    let code = *code;
    code.calls().filter_map(move |call| {
        let is_awaited = || call.op.dest.is_some_and(|future| code.fate(future) == Fate::Awaited);
        let is_given_context = || call.args.iter().any(|local| code.is_context(&Place::local(*local)));
        if call.model.is_some() || !is_awaited() || is_given_context() {
            return None;
        }
        let callee = code.callee(&call).filter(|callee| callee.body.is_async)?;
        let begins = |wait: &Wait<'_>| wait.at.block == 0 && wait.is_idle(&callee) && !wait.is_given_length(&callee);
        let wait = of(&callee).into_iter().find(begins)?;
        let in_loop = code.loop_at(call.at);
        Some(Wait { at: call.at, name: call.name, model: wait.model, in_loop, args: Vec::new() })
    })
}

fn of_call<'a>(code: &Code<'a>, call: Call<'a>) -> Option<Wait<'a>> {
    let model = call.model?;
    let joins = model.role == FnRole::Join && {
        let subject = call.args.first().map(|local| code.ty(*local));
        subject.is_some_and(|ty| code.analysis.program.role(ty) == Some(TypeRole::Task))
    };
    let is_future = gives_future(code, &call);
    // A sender that gives a future waits for room.
    let waits = match model.role {
        FnRole::Waiting | FnRole::Outbound => true,
        FnRole::Push => is_future,
        _ => joins,
    };
    if !waits || model.bound != Bound::None {
        return None;
    }
    let ends = |local: &LocalId| code.is_context(&Place::local(*local)) || ends_with_context(code, *local);
    if call.args.iter().any(ends) || was_given_one(code, &call) {
        return None;
    }
    if is_future && code.fate(call.op.dest?) != Fate::Awaited {
        return None;
    }
    let in_loop = code.loop_at(call.at);
    Some(Wait { at: call.at, name: call.name, model: Some(model), in_loop, args: call.args })
}

/// The contexts that are at hand in a body.
pub(crate) struct Contexts {
    /// Where each is bound, captures at the very beginning; in that order.
    bound: Vec<(u32, LocalId)>,
}

impl Contexts {
    /// Those of a body.
    pub(crate) fn of(code: &Code<'_>) -> Contexts {
        let locals = code.body.locals.iter().zip((0..).map(LocalId));
        let mut bound: Vec<(u32, LocalId)> = locals
            .filter(|(local, id)| local.kind != LocalKind::Temp && code.is_context(&Place::local(*id)))
            .map(|(local, id)| (if local.kind == LocalKind::Capture { 0 } else { local.span.start + 1 }, id))
            .collect();
        bound.sort_unstable();
        Contexts { bound }
    }

    /// The one that is at hand where a body waits: of those in scope the one bound last, unless it never ends.
    pub(crate) fn at(&self, code: &Code<'_>, wait: &Wait<'_>) -> Option<LocalId> {
        let before = self.bound.partition_point(|(start, _)| *start <= wait.name.start);
        let bound = self.bound.get(..before)?.iter().rev();
        let local = bound.map(|(_, local)| *local).find(|local| is_in_scope(code, *local, wait.at))?;
        let endless = [FnRole::Root, FnRole::Placeholder, FnRole::Detach];
        let made = code.made_by(local, &[FnRole::Clone]);
        (!made.is_some_and(|call| call.is(&endless))).then_some(local)
    }
}

/// Whether a way leads from where a local is bound to an operation on which its scope does not end. What a body is
/// given is bound everywhere.
fn is_in_scope(code: &Code<'_>, local: LocalId, at: At) -> bool {
    let mut left: Vec<(u32, u32)> = code.definitions(local).map(|(bound, _)| (bound.block, bound.op + 1)).collect();
    if left.is_empty() {
        return true;
    }
    let mut seen = BTreeSet::new();
    while let Some((block, from)) = left.pop() {
        if block == at.block && from <= at.op {
            if !ends_scope(code, local, block, from..at.op) {
                return true;
            }
        } else if !ends_scope(code, local, block, from..u32::MAX) {
            left.extend(code.ways().next(block).iter().filter(|next| seen.insert(**next)).map(|next| (*next, 0)));
        }
    }
    false
}

/// Whether the scope of a local ends in a part of a block.
fn ends_scope(code: &Code<'_>, local: LocalId, block: u32, part: Range<u32>) -> bool {
    let ops = code.body.blocks.get(block as usize).map_or(&[][..], |known| &known.ops);
    let ends = |op: &Op| matches!(&op.kind, OpKind::EndScope { locals, .. } if locals.contains(&local));
    ops.iter().zip(0..).any(|(op, at)| part.contains(&at) && ends(op))
}

/// Where in a body its contexts have certainly ended.
pub(crate) struct Ended {
    /// By the local that a context comes from, the operations from which on it has.
    from: BTreeMap<LocalId, Vec<At>>,
    /// The blocks that some way leads to before it comes to one of those.
    before: BTreeMap<LocalId, BTreeSet<u32>>,
}

impl Ended {
    /// Those of a body.
    pub(crate) fn of(code: &Code<'_>) -> Ended {
        let mut from: BTreeMap<LocalId, Vec<At>> = BTreeMap::new();
        for (context, at) in ends(code) {
            from.entry(context).or_default().push(at);
        }
        Ended { from, before: BTreeMap::new() }
    }

    /// Whether an operation is reached only once a context has ended.
    pub(crate) fn has(&mut self, code: &Code<'_>, context: LocalId, at: At) -> bool {
        let context = code.source(context);
        let Some(from) = self.from.get(&context) else { return false };
        let is_behind = |end: &At| end.block == at.block && end.op <= at.op;
        let up_to_it = || code.ways().up_to(&from.iter().map(|end| end.block).collect());
        let before = self.before.entry(context).or_insert_with(up_to_it);
        !before.contains(&at.block) || from.iter().any(is_behind)
    }
}

/// Each end of a context: the local it comes from, and the operation from which on it has ended.
fn ends(code: &Code<'_>) -> Vec<(LocalId, At)> {
    let context_of = |call: Call<'_>| Some(code.source(*call.args.first()?));
    let mut found = Vec::new();
    for (at, _, op) in code.ops() {
        let (context, from) = match &op.kind {
            OpKind::Await(future) => (end(code, *future).and_then(context_of), At { op: at.op + 1, ..at }),
            _ => {
                let Some(call) = code.call(at) else { continue };
                let blocks = call.is(&[FnRole::Wait]) && !gives_future(code, &call);
                let asked = || done_block(code, &call, support::asks(code, &call)?);
                match asked() {
                    Some(block) => (context_of(call), At { block, op: 0 }),
                    None if blocks => (context_of(call), At { op: at.op + 1, ..at }),
                    None => continue,
                }
            }
        };
        found.extend(context.map(|context| (context, from)));
    }
    let arms = code.body.blocks.iter().flat_map(|block| match &block.end {
        Terminator::Select { arms, .. } => arms.as_slice(),
        _ => &[],
    });
    for arm in arms {
        let context = end(code, arm.future).and_then(context_of);
        found.extend(context.map(|context| (context, At { block: arm.block.0, op: 0 })));
    }
    found
}

/// The call that gives a future that waits for a context's end.
fn end<'a>(code: &Code<'a>, future: LocalId) -> Option<Call<'a>> {
    code.made_by(future, &[]).filter(|call| call.is(&[FnRole::Wait]))
}

/// Whether what a call gives is still to be awaited.
pub(crate) fn gives_future(code: &Code<'_>, call: &Call<'_>) -> bool {
    call.model.is_some_and(|model| model.returns_future(&code.analysis.program.models))
}

/// The block that is gone on with when a question about a context's state is answered with "done".
pub(crate) fn done_block(code: &Code<'_>, ask: &Call<'_>, meaning: bool) -> Option<u32> {
    let answer = ask.op.dest?;
    let (is_yes, then, other) = match &code.body.blocks.get(ask.at.block as usize)?.end {
        Terminator::If { condition, then, other } => (says_yes(code, *condition, answer, 4)?, then, other),
        Terminator::Match { place, test: Test::Variant(path), then, other, .. } if code.root(place.base) == answer => {
            (is_success(path.last()), then, other)
        }
        _ => return None,
    };
    Some(if is_yes == meaning { then.0 } else { other.0 })
}

/// What a condition means for an answer: that it is yes or something, or that it is not.
fn says_yes(code: &Code<'_>, condition: LocalId, answer: LocalId, fuel: u8) -> Option<bool> {
    if condition == answer {
        return Some(true);
    }
    let fuel = fuel.checked_sub(1)?;
    let (at, op) = code.definition(condition)?;
    match &op.kind {
        OpKind::Unary(UnaryOp::Not, asked) => Some(!says_yes(code, *asked, answer, fuel)?),
        OpKind::Use(place) if place.path.is_empty() => says_yes(code, place.base, answer, fuel),
        OpKind::MethodCall { receiver, .. } if receiver.path.is_empty() => {
            let asks_success = code.call(at)?.model?.asks_success()?;
            Some(asks_success == says_yes(code, receiver.base, answer, fuel)?)
        }
        _ => None,
    }
}

/// Whether a closure or `async` block may be raced, bounded or run by somebody who is not in view.
pub(crate) fn is_raced_outside(code: &Code<'_>) -> bool {
    let (parent, is_block) = match code.body.kind {
        BodyKind::Closure(parent) => (parent, false),
        BodyKind::AsyncBlock(parent) => (parent, true),
        _ => return false,
    };
    let Some(outer) = Code::of(code.analysis, BodyRef { file: code.who.file, body: parent }) else { return true };
    let made = outer.ways().made(code.who.body).and_then(|at| outer.op(at));
    let Some(dest) = made.and_then(|op| op.dest) else { return true };
    match outer.fate(dest) {
        Fate::Awaited => is_raced_outside(&outer),
        Fate::Passed(at) => match outer.call(at) {
            Some(call) if call.is(&[FnRole::Spawn]) => false,
            Some(call) if call.is(&[FnRole::Scope, FnRole::Once]) && !is_block => is_raced_outside(&outer),
            Some(_) if is_block => !runs_plainly(&outer, dest, MAX_HANDS),
            _ => true,
        },
        Fate::Returned if is_block => match outer.body.kind {
            BodyKind::Function(_) => false,
            _ => is_raced_outside(&outer),
        },
        _ => true,
    }
}

/// Whether a future is run as it is, by functions of the program that it is handed to: awaited, or started as a task.
fn runs_plainly(code: &Code<'_>, future: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let at = match code.fate(future) {
        Fate::Awaited => return !is_raced_outside(code),
        Fate::Passed(at) => at,
        _ => return false,
    };
    let Some(call) = code.call(at) else { return false };
    if call.is(&[FnRole::Spawn]) {
        return true;
    }
    if call.is(&[FnRole::Wrap, FnRole::Same]) {
        return call.op.dest.is_some_and(|dest| runs_plainly(code, dest, fuel));
    }
    let given = call.args.iter().position(|arg| code.root(*arg) == code.root(future));
    let Some((callee, given)) = code.callee(&call).zip(given) else { return false };
    let Some(param) = callee.body.params.get(given) else { return false };
    // What awaits it is to be run as it is itself.
    let is_run = !callee.body.is_async || call.op.dest.is_some_and(|dest| runs_plainly(code, dest, fuel));
    is_run && runs_plainly(&callee, *param, fuel)
}

/// Whether every caller of an `async` function races it with the end of a context.
pub(crate) fn is_raced_by_callers(code: &Code<'_>) -> bool {
    if !matches!(code.body.kind, BodyKind::Function(_)) || !code.body.is_async {
        return false;
    }
    let program = &code.analysis.program;
    let mut callers = code.analysis.callers_of(code.who).iter().filter(|(who, _)| !program.is_test(*who)).peekable();
    callers.peek().is_some()
        && callers.all(|(who, site)| {
            Code::of(code.analysis, *who).is_some_and(|outer| {
                let call = outer.calls().find(|call| site.span.contains(call.name));
                call.is_some_and(|call| is_raced(&outer, &call))
            })
        })
}

/// Whether what a call gives is raced with the end of a context: in a `select!` beside an arm that
/// waits for it, or run under it.
pub(crate) fn is_raced(code: &Code<'_>, call: &Call<'_>) -> bool {
    let Some(dest) = call.op.dest else { return false };
    let in_select = code.body.blocks.iter().any(|block| match &block.end {
        Terminator::Select { arms, .. } => {
            arms.iter().any(|arm| code.root(arm.future) == dest)
                && arms.iter().any(|arm| end(code, arm.future).is_some())
        }
        _ => false,
    });
    in_select
        || matches!(code.fate(dest), Fate::Passed(at) if code.call(at).is_some_and(|call| call.is(&[FnRole::Run])))
}

/// Whether a length of time is a moment: a constant one, one of several that all are, or what a call makes of a
/// moment, such as the shorter of two, one within limits, or what is left of one.
fn is_moment(code: &Code<'_>, length: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let is_short = |length: &LocalId| {
        constants::of_local(&code.analysis.program, code.who, *length).is_some_and(|nanos| nanos < MOMENT)
    };
    let made_of_moment = |(at, op): (At, &Op)| match &op.kind {
        OpKind::Use(place) if place.path.is_empty() => is_moment(code, place.base, fuel),
        _ => code.call(at).is_some_and(|call| match call.args.as_slice() {
            [held] => call.is(&[FnRole::Inner]) && is_moment(code, *held, fuel),
            args => args.iter().any(is_short),
        }),
    };
    let length = code.root(length);
    let mut made = code.definitions(length).peekable();
    is_short(&length) || (made.peek().is_some() && made.all(made_of_moment))
}
