//! What each body does, told for its callers, and how that is found for all bodies together.
//!
//! Bodies are looked at callees first, those that do not need each other's summaries at the same time.
//! Among bodies that call each other in a circle, a call of one that has not been looked at yet does not
//! come back; when its summary is there or changes, its callers are looked at again, until nothing
//! changes. This is the least fixpoint, as for any forward analysis over a call graph.

mod calls;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::AT_ONCE;
use crate::analysis::GoOn;
use crate::facts::{BodyKind, Field, ItemKind, LoopKind, Name, Op, OpKind, Terminator, Test};
use crate::flow::Use;
use crate::flow::events::{Asked, Flow};
use crate::flow::value::{InputPath, InputUses, ObjId, Object, Site, Uses, Val};
use crate::infer::TypedBody;
use crate::link::Program;
use crate::model::{FnRole, TypeRole};
use crate::reuse::{Changes, Earlier};
use crate::types::{BodyRef, DefId, Target, Ty, TyCon};

use calls::{Callers, Calls};

/// How often a body is looked at in one fixpoint.
const MAX_ROUNDS: u8 = 6;

/// How many calls up from what lasts a call still counts as lasting.
const LASTING_CALLS: usize = 2;

/// Of so many bodies in a circle one is looked at at a time, but never more than so many: what they find out about
/// each other is only seen the next time.
const PER_LOOK: usize = 32;
const MAX_AT_ONCE: usize = 16;

/// What a body does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// It never comes back.
    pub diverges: bool,
    /// What it gives back: one for each way that gives something else.
    pub rets: Vec<Val>,
    /// For each of `rets`, what it leaves in the inputs that it may write through, where it does.
    pub writes: Vec<Vec<(u32, Val)>>,
    /// The objects in what it gives back.
    pub objects: BTreeMap<ObjId, Object>,
    /// What it did before with handles that it gives back, on every way: others can cancel by them as well.
    pub handled: BTreeMap<ObjId, Use>,
    /// What it does with its inputs, on any way.
    pub uses: InputUses,
    /// The calls of its inputs, as far as they are given contexts or other inputs.
    pub calls: Vec<(InputPath, Vec<Val>)>,
    /// Work that it starts and does not wait for, as far as its callers know more of it: what calling
    /// an input gives, an input under a limit of time.
    pub started: Vec<Val>,
    /// What it sends into the channels among its inputs, and work that it starts does.
    pub sends: Vec<(InputPath, Val)>,
    /// The sending ends of channels in what it gives back, with all that was sent by them. One that is missing
    /// is at others too.
    pub ends: BTreeMap<ObjId, Vec<Val>>,
    /// Inputs whose handle it cancels on every way that comes back.
    pub cancelled: BTreeSet<InputPath>,
    /// Inputs that are certainly done when it comes back.
    pub ended: BTreeSet<InputPath>,
    /// It waits for other things than those.
    pub waits_besides: bool,
    /// It has no context and does its work under a root: the calls to where that is made, the place
    /// itself last, and the body it is made in.
    pub chain: Option<(Vec<Site>, BodyRef)>,
}

impl Summary {
    /// The input whose end it waits for, if it does nothing else that matters to anybody.
    pub fn end_of(&self) -> Option<&InputPath> {
        let mut ended = self.ended.iter();
        let (Some(path), None, false) = (ended.next(), ended.next(), self.waits_besides) else { return None };
        self.uses.iter().all(|(of, uses)| of == path && *uses == Uses::WAIT).then_some(path)
    }

    /// Whether it does work under a context that it is given.
    pub fn works(&self) -> bool {
        self.uses.values().any(|uses| uses.any(Uses::CUT))
    }

    /// What is done with a part of an input, or with anything it is a part of, but for who owns it.
    pub fn uses_at(&self, input: u32, path: &[Name]) -> Uses {
        let path: Vec<&Name> = path.iter().take_while(|step| *step != "()").collect();
        let mut uses = Uses::default();
        for (at, done) in &self.uses {
            let near = at.path.iter().zip(&path).all(|(a, b)| a == *b);
            if at.input == input && near {
                uses = uses.and(*done);
            }
        }
        uses.without(Uses::OWNED)
    }
}

/// The summaries of all bodies.
#[derive(Clone, Debug, Default)]
pub struct Summaries {
    known: FxHashMap<BodyRef, Arc<Summary>>,
    relevant: FxHashSet<BodyRef>,
    endless: FxHashSet<BodyRef>,
    lasting: FxHashSet<BodyRef>,
    plain: Summary,
    never: Summary,
}

impl Summaries {
    /// What a body does, if that is known. Bodies in which nothing of interest occurs do nothing.
    pub fn get(&self, body: BodyRef) -> Option<&Summary> {
        match self.known.get(&body) {
            Some(summary) => Some(summary),
            None if self.endless.contains(&body) => Some(&self.never),
            None if !self.relevant.contains(&body) => Some(&self.plain),
            None => None,
        }
    }

    /// Whether a call of a body may take its time.
    pub(crate) fn lasts(&self, body: BodyRef) -> bool {
        self.lasting.contains(&body)
    }

    /// A body in which something of interest occurs, if it was looked at.
    pub(crate) fn known(&self, body: BodyRef) -> Option<&Arc<Summary>> {
        self.known.get(&body)
    }

    /// Whether a body has the same standing here and there: looked at, endless, lasting or doing nothing.
    pub(crate) fn same_standing(&self, other: &Summaries, body: BodyRef) -> bool {
        let standing = |of: &Summaries| (of.relevant.contains(&body), of.endless.contains(&body), of.lasts(body));
        standing(self) == standing(other)
    }
}

/// What is known where some of the bodies are looked at.
pub struct Known<'s> {
    before: &'s Summaries,
    /// Of the bodies that are looked at together.
    circle: Option<&'s FxHashMap<BodyRef, Arc<Summary>>>,
    /// Whose were asked for, and whether they were known then.
    asked: RefCell<FxHashMap<BodyRef, bool>>,
}

impl<'s> Known<'s> {
    fn before(before: &'s Summaries) -> Known<'s> {
        Known { before, circle: None, asked: RefCell::default() }
    }

    fn within(circle: &'s FxHashMap<BodyRef, Arc<Summary>>, before: &'s Summaries) -> Known<'s> {
        Known { circle: Some(circle), ..Known::before(before) }
    }

    /// What a body does, if that is known.
    pub fn get(&self, body: BodyRef) -> Option<&Summary> {
        let within = self.circle.and_then(|circle| circle.get(&body));
        let found = within.map(Arc::as_ref).or_else(|| self.before.get(body));
        self.asked.borrow_mut().insert(body, found.is_some());
        found
    }

    /// Whether a call of a body may take its time.
    pub(crate) fn lasts(&self, body: BodyRef) -> bool {
        self.ask(body);
        self.before.lasts(body)
    }

    /// Notes that what a body does counts.
    pub fn ask(&self, body: BodyRef) {
        self.get(body);
    }

    /// What was asked since the last time, in the order of the bodies.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        let mut asked: Vec<Asked> = self.asked.take().into_iter().collect();
        asked.sort_unstable();
        asked
    }
}

/// Finds the summaries and flows of all bodies; flows in the order of the bodies. What still holds of
/// an earlier analysis is taken over. Asks between any two bodies whether to go on.
///
/// # Errors
/// What it is answered.
pub(crate) fn summarize<S: Send>(
    program: &Program,
    earlier: Option<&Earlier<'_>>,
    go_on: &GoOn<'_, S>,
) -> Result<(Summaries, Vec<Arc<Flow>>), S> {
    go_on()?;
    let calls = Calls::of_program(program);
    let callers = calls.callers(program);
    let relevant = relevant(program, &calls, &callers);
    go_on()?;
    let levels = calls::levels(program, &calls, &relevant);
    let plain = Summary { rets: vec![Val::Unknown], ..Summary::default() };
    let never = Summary { diverges: true, ..Summary::default() };
    let endless = endless(program, &callers).into_iter().filter(|body| !relevant.contains(body)).collect();
    let lasting = lasting(program, &callers, &relevant);
    let mut summaries = Summaries { known: FxHashMap::default(), relevant, endless, lasting, plain, never };
    let mut flows: BTreeMap<BodyRef, Arc<Flow>> = BTreeMap::new();
    let mut changes = Changes::since(earlier);
    for level in levels {
        let kept = |together: &[BodyRef]| changes.kept(program, &summaries, together);
        let alone = || {
            let look = |body: &BodyRef| {
                if let Some(kept) = kept(std::slice::from_ref(body)) {
                    return Ok(kept);
                }
                go_on()?;
                let looked = crate::flow::run(program, &Known::before(&summaries), *body);
                let looked = looked.map(|(summary, flow)| Looked::new(*body, summary, flow));
                Ok(looked.into_iter().collect())
            };
            level.alone.par_iter().with_max_len(AT_ONCE).map(look).collect::<Result<Vec<_>, S>>()
        };
        let circles = || {
            let look = |circle: &Vec<BodyRef>| match kept(circle) {
                Some(kept) => Ok(kept),
                None => go_round(program, &callers, circle, go_on, &summaries),
            };
            level.circles.par_iter().with_max_len(AT_ONCE).map(look).collect::<Result<Vec<_>, S>>()
        };
        let (circles, alone) = rayon::join(circles, alone);
        for looked in circles?.into_iter().chain(alone?).flatten().collect::<Vec<_>>() {
            changes.note(&looked);
            summaries.known.insert(looked.body, looked.summary);
            flows.insert(looked.body, looked.flow);
        }
    }
    Ok((summaries, flows.into_values().collect()))
}

/// A body that was looked at.
pub(crate) struct Looked {
    pub(crate) body: BodyRef,
    pub(crate) summary: Arc<Summary>,
    pub(crate) flow: Arc<Flow>,
}

impl Looked {
    fn new(body: BodyRef, summary: Summary, flow: Flow) -> Looked {
        Looked { body, summary: Arc::new(summary), flow: Arc::new(flow) }
    }
}

/// Looks at bodies that call each other until nothing changes. Of a large circle several are looked at at the
/// same time: how many depends on the circle alone, so that every machine finds the same.
fn go_round<S: Send>(
    program: &Program,
    callers: &Callers,
    circle: &[BodyRef],
    go_on: &GoOn<'_, S>,
    before: &Summaries,
) -> Result<Vec<Looked>, S> {
    let position: FxHashMap<BodyRef, usize> = circle.iter().copied().zip(0..).collect();
    let at_once = (circle.len() / PER_LOOK).clamp(1, MAX_AT_ONCE);
    let mut summaries: FxHashMap<BodyRef, Arc<Summary>> = FxHashMap::default();
    let mut flows: BTreeMap<BodyRef, Flow> = BTreeMap::new();
    let mut rounds = vec![0u8; circle.len()];
    let mut rests = true;
    let mut work: BTreeSet<usize> = (0..circle.len()).collect();
    while !work.is_empty() {
        let mut now: Vec<BodyRef> = Vec::new();
        while let Some(at) = if now.len() < at_once { work.pop_first() } else { None } {
            let (Some(body), Some(round)) = (circle.get(at), rounds.get_mut(at)) else { continue };
            if *round < MAX_ROUNDS {
                *round += 1;
                now.push(*body);
            } else {
                rests = false;
            }
        }
        let look = |body: &BodyRef| {
            go_on()?;
            Ok(crate::flow::run(program, &Known::within(&summaries, before), *body).map(|looked| (*body, looked)))
        };
        let looked = now.par_iter().with_max_len(AT_ONCE).map(look).collect::<Result<Vec<_>, S>>()?;
        for (body, (summary, flow)) in looked.into_iter().flatten() {
            flows.insert(body, flow);
            if summaries.get(&body).map(Arc::as_ref) != Some(&summary) {
                summaries.insert(body, Arc::new(summary));
                work.extend(callers.get(&body).into_iter().flatten().filter_map(|caller| position.get(caller)));
            }
        }
    }
    let looked = flows.into_iter().filter_map(|(body, mut flow)| {
        flow.asked = flow.asked.filter(|_| rests);
        Some(Looked { body, summary: summaries.remove(&body)?, flow: Arc::new(flow) })
    });
    Ok(looked.collect())
}

/// The bodies that something of interest occurs in.
fn relevant(program: &Program, calls: &Calls, callers: &Callers) -> FxHashSet<BodyRef> {
    let interests: Vec<(BodyRef, Interest)> =
        program.bodies().par_iter().map(|who| (*who, interest(program, *who))).collect();
    // A closure's surroundings are looked at with it: they make it and give it its captures.
    let of_interest = |wanted: Interest| -> FxHashSet<BodyRef> {
        let bodies = interests.iter().filter(|(_, interest)| *interest == wanted).map(|(who, _)| *who);
        bodies.flat_map(|who| surroundings(program, who)).collect()
    };
    let mut found = of_interest(Interest::Own);
    // So are those that may be given what is of interest, or hand it on.
    let passes = of_interest(Interest::Passes);
    let is_passed = |who: &BodyRef| passes.contains(who);
    reach(&mut found, |who| callers.get(&who).into_iter().flatten().copied().filter(is_passed));
    // So are the closures of a function that is looked at.
    let inner = inner(program);
    let inner_of = |who: BodyRef| inner.get(&who).into_iter().flatten().copied();
    reach(&mut found, |who| calls.of(who).iter().copied().filter(is_passed).chain(inner_of(who)));
    // So are those by way of which a root is reached that does the work of a caller with a context.
    let mut left: Vec<BodyRef> = program.bodies().iter().filter(|who| makes_root(program, **who)).copied().collect();
    let mut reached = FxHashSet::default();
    while let Some(body) = left.pop() {
        if reached.insert(body) && !crate::flow::has_context(program, body) {
            left.extend(callers.get(&body).into_iter().flatten());
        }
    }
    found.extend(reached);
    reach(&mut found, inner_of);
    found
}

/// Adds all that `next` leads to.
fn reach<I: Iterator<Item = BodyRef>>(found: &mut FxHashSet<BodyRef>, next: impl Fn(BodyRef) -> I) {
    let mut left: Vec<BodyRef> = found.iter().copied().collect();
    while let Some(who) = left.pop() {
        left.extend(next(who).filter(|body| found.insert(*body)));
    }
}

/// The closures and `async` blocks that stand in each body.
fn inner(program: &Program) -> FxHashMap<BodyRef, Vec<BodyRef>> {
    let mut found: FxHashMap<BodyRef, Vec<BodyRef>> = FxHashMap::default();
    for &who in program.bodies() {
        if let Some(parent) = parent(program, who) {
            found.entry(parent).or_default().push(who);
        }
    }
    found
}

/// The body a closure or `async` block stands in.
pub fn parent(program: &Program, who: BodyRef) -> Option<BodyRef> {
    match program.body(who)?.kind {
        crate::facts::BodyKind::Closure(parent) | crate::facts::BodyKind::AsyncBlock(parent) => {
            Some(BodyRef { file: who.file, body: parent })
        }
        _ => None,
    }
}

/// A body and those it stands in, up to the function's.
pub fn surroundings(program: &Program, who: BodyRef) -> impl Iterator<Item = BodyRef> {
    std::iter::successors(Some(who), |at| parent(program, *at))
}

fn makes_root(program: &Program, who: BodyRef) -> bool {
    let Some(typed) = program.typed(who) else { return false };
    typed.targets.iter().flatten().any(|target| {
        matches!(target, Target::External(path) if program.models.function(path).is_some_and(|model| {
            matches!(model.role, FnRole::Root | FnRole::Placeholder)
        }))
    })
}

/// Whether a body is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interest {
    /// Nothing of interest can occur in it.
    None,
    /// Only what it is given, or what it calls gives, can be of interest: then something is at one end or
    /// the other of the calls through it.
    Passes,
    /// Something of interest occurs in it.
    Own,
}

fn interest(program: &Program, who: BodyRef) -> Interest {
    if is_of_interest(program, who) {
        Interest::Own
    } else if may_be_given(program, who) {
        Interest::Passes
    } else {
        Interest::None
    }
}

/// Whether nobody knows what a body is given, or there is something of interest in it.
fn may_be_given(program: &Program, who: BodyRef) -> bool {
    let (Some(body), Some(typed)) = (program.body(who), program.typed(who)) else { return false };
    let mut given = body.params.iter().filter_map(|local| typed.locals.get(local.index()));
    let is_function = matches!(body.kind, BodyKind::Function(_));
    let is_open = |ty: &Ty| (is_function && ty.unreferenced().is_unknown()) || takes_anything(program, ty, 4);
    // What is only shown to it may be changed by what it calls with a part of that.
    given.any(|ty| is_open(ty) || carries(program, ty, 4))
}

fn is_of_interest(program: &Program, who: BodyRef) -> bool {
    let (Some(body), Some(typed)) = (program.body(who), program.typed(who)) else { return false };
    if program.handler(who).is_some() {
        return true;
    }
    let returns = body.blocks.iter().any(|block| matches!(block.end, Terminator::Return(_)));
    if !returns {
        return true;
    }
    let calls = typed.targets.iter().flatten().any(|target| match target {
        Target::External(path) | Target::TraitMethod(path) => {
            program.models.function(path).is_some_and(|model| model.role.is_of_interest())
        }
        _ => false,
    });
    // What is taken by value or by `&mut` may come back changed, or not at all.
    let given = || body.params.iter().filter_map(|local| typed.locals.get(local.index()));
    let keeps = || given().any(|ty| !matches!(ty, Ty::Ref(_, false)) && carries(program, ty, 4));
    // What goes into a channel comes out at somebody else's.
    let sends = || sends(program, typed) && given().any(|ty| carries(program, ty, 4));
    // What a macro does that nobody knows may be done with a field of what is only shown.
    let is_unknown = |op: &Op| matches!(op.kind, OpKind::Unknown { .. });
    let has_unknown = || body.blocks.iter().any(|block| block.ops.iter().any(is_unknown));
    let hides = || has_unknown() && given().any(|ty| carries(program, ty, 4));
    calls || typed.locals.iter().any(|ty| mentions_role(program, ty, 4)) || keeps() || sends() || hides()
}

/// Whether a body sends into channels.
fn sends(program: &Program, typed: &TypedBody) -> bool {
    typed.targets.iter().flatten().any(|target| match target {
        Target::External(path) | Target::TraitMethod(path) => {
            let is_push = program.models.function(path).is_some_and(|model| model.role == FnRole::Push);
            is_push && program.models.owner(path).is_none_or(|of| of.role == TypeRole::Channel)
        }
        _ => false,
    })
}

/// Whether a value of the type has a context, handle, task and so on in a field.
pub(crate) fn carries(program: &Program, ty: &Ty, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let ty = ty.unreferenced();
    match ty {
        Ty::Adt(TyCon::Def(def), _) => match program.item(*def).map(|item| &item.kind) {
            Some(ItemKind::Struct { fields, .. }) => {
                fields.iter().any(|field| carries(program, &program.field_type(ty, &field.name), fuel))
            }
            Some(ItemKind::Enum { variants, .. }) => variants.iter().any(|variant| {
                let of = |field: &Field| program.variant_field_type(ty, &variant.name, &field.name);
                variant.fields.iter().any(|field| carries(program, &of(field), fuel))
            }),
            _ => false,
        },
        Ty::Adt(_, args) | Ty::Tuple(args) => {
            mentions_role(program, ty, 1) || args.iter().any(|arg| carries(program, arg, fuel))
        }
        Ty::Slice(inner) => carries(program, inner, fuel),
        _ => false,
    }
}

/// The bodies that never come back: no way through them leads to a `Return` past calls that do not.
fn endless(program: &Program, callers: &Callers) -> FxHashSet<BodyRef> {
    let mut found: FxHashSet<BodyRef> = FxHashSet::default();
    let mut left = program.bodies().to_vec();
    // A chain of helpers that exit is rarely longer than this.
    for _ in 0..8 {
        let is_news = |body: &BodyRef| !found.contains(body) && never_returns(program, *body, &found);
        let more: Vec<BodyRef> = left.into_par_iter().filter(is_news).collect();
        left = more.iter().flat_map(|body| callers.get(body)).flatten().copied().collect();
        left.sort_unstable();
        left.dedup();
        found.extend(more);
    }
    found
}

/// The bodies of interest whose calls may take their time: those that wait or go round a loop until something happens,
/// and who calls them. Far behind a call almost anything does; others are not read everywhere.
fn lasting(program: &Program, callers: &Callers, relevant: &FxHashSet<BodyRef>) -> FxHashSet<BodyRef> {
    let waits = |body: &&BodyRef| waits(program, **body);
    let mut found: FxHashSet<BodyRef> = relevant.par_iter().filter(waits).copied().collect();
    let mut last: Vec<BodyRef> = found.iter().copied().collect();
    for _ in 0..LASTING_CALLS {
        let above = last.iter().flat_map(|body| callers.get(body)).flatten().copied();
        let lasts = |caller: &BodyRef| relevant.contains(caller) && runs_at_once(program, *caller);
        last = above.filter(lasts).filter(|caller| found.insert(*caller)).collect();
    }
    found
}

/// Whether a call of a body runs it, instead of giving a future.
pub(crate) fn runs_at_once(program: &Program, who: BodyRef) -> bool {
    let is_async_fn = || program.function_of(who).and_then(|def| program.function(def)).is_some_and(|of| of.is_async);
    program.body(who).is_some_and(|body| !body.is_async && !matches!(body.kind, BodyKind::AsyncBlock(_)))
        && !is_async_fn()
}

fn waits(program: &Program, who: BodyRef) -> bool {
    let (Some(body), Some(typed)) = (program.body(who), program.typed(who)) else { return false };
    let goes_round = || body.loops.iter().any(|of| of.kind != LoopKind::For);
    let receives = || {
        body.blocks.iter().any(|block| match &block.end {
            Terminator::Match { place, test: Test::Next, .. } => {
                program.role(program.peel(&program.type_at(typed, place))) == Some(TypeRole::Channel)
            }
            _ => false,
        })
    };
    let waits = || {
        typed.targets.iter().flatten().filter_map(|target| program.model_of(target)).any(|model| {
            matches!(model.role, FnRole::Waiting | FnRole::Wait | FnRole::Join | FnRole::Drive)
                && !model.returns_future(&program.models)
        })
    };
    runs_at_once(program, who) && (goes_round() || receives() || waits())
}

fn never_returns(program: &Program, who: BodyRef, known: &FxHashSet<BodyRef>) -> bool {
    let (Some(body), Some(typed)) = (program.body(who), program.typed(who)) else { return false };
    let stops = |block: usize| {
        typed.targets.get(block).into_iter().flatten().any(|target| match target {
            Target::External(path) => program.models.function(path).is_some_and(|model| model.role == FnRole::Exit),
            Target::Def(def) => program.body_of(*def).is_some_and(|callee| known.contains(&callee)),
            _ => false,
        })
    };
    let mut seen = vec![false; body.blocks.len()];
    let mut left = vec![0usize];
    while let Some(at) = left.pop() {
        let (Some(block), Some(seen)) = (body.blocks.get(at), seen.get_mut(at)) else { continue };
        if std::mem::replace(seen, true) || stops(at) {
            continue;
        }
        if matches!(block.end, Terminator::Return(_)) {
            return false;
        }
        left.extend(block.end.successors().map(|next| next.index()));
    }
    true
}

/// Whether a value of the type may hold a closure, a future or anything else.
fn takes_anything(program: &Program, ty: &Ty, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    match ty {
        Ty::Param(..) | Ty::SelfOf(_) | Ty::Bounds(_) | Ty::FnPtr(..) => true,
        Ty::Adt(TyCon::Def(def), _) => match program.item(*def).map(|item| &item.kind) {
            Some(ItemKind::Struct { generics, .. } | ItemKind::Enum { generics, .. }) => !generics.params.is_empty(),
            _ => false,
        },
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().any(|arg| takes_anything(program, arg, fuel)),
        Ty::Ref(inner, _) | Ty::Slice(inner) => takes_anything(program, inner, fuel),
        _ => false,
    }
}

fn mentions_role(program: &Program, ty: &Ty, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let role = program.type_model(ty).map(|model| model.role);
    role.is_some_and(TypeRole::is_owned_with_care)
        || match ty {
            // What goes in comes out at somebody else's.
            Ty::Adt(_, args) if role == Some(TypeRole::Channel) => args.iter().any(|arg| carries(program, arg, fuel)),
            Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().any(|arg| mentions_role(program, arg, fuel)),
            Ty::Ref(inner, _) | Ty::Slice(inner) | Ty::Future(inner) => mentions_role(program, inner, fuel),
            _ => false,
        }
}

/// The body a call of a function runs: its own, or that of a trait method's only implementation.
pub fn body_of(program: &Program, def: DefId) -> Option<BodyRef> {
    program.body_of(def).or_else(|| program.body_of(program.only_implementation(def)?))
}
