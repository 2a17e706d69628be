//! The analysed program: what rules look at.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BlockId, BodyId, Name};
use crate::flow::FieldName;
use crate::flow::events::{Call, Flow};
use crate::flow::kept::{Field, Kept};
use crate::flow::value::{CtxKind, CtxNode, InputPath, Life, ObjId, Site, Task, Val};
use crate::handlers::Origin;
use crate::kept::KeptTokens;
use crate::link::Program;
use crate::model::{FnRole, Models};
use crate::source::Sources;
use crate::summary::{self, Summaries};
use crate::takes_time::TakesTime;
use crate::types::{BodyRef, DefId, Target, Ty, TyCon};
use crate::ways::{At, Ways};

/// How many calls a way is followed back.
const MAX_HOPS: usize = 32;

/// Whether to go on with an analysis, and if not, why: asked often, on any thread.
pub type GoOn<'g, S> = dyn Fn() -> Result<(), S> + Sync + 'g;

/// A program with its flows.
pub struct Analysis {
    /// The program.
    pub program: Program,
    /// What each body does.
    pub summaries: Summaries,
    /// Of each body in which something of interest occurs, by file and body.
    flows: Vec<Arc<Flow>>,
    incoming: FxHashMap<BodyRef, Vec<(usize, usize)>>,
    handled: BTreeMap<BodyRef, Reached>,
    callers: FxHashMap<BodyRef, Vec<(BodyRef, Site)>>,
    /// What is modelled and called or named, by what it does, in the order of the bodies.
    mentions: FxHashMap<FnRole, Vec<(BodyRef, At)>>,
    fields_used: BTreeSet<FieldName>,
    replacing: FxHashSet<BodyRef>,
    /// What becomes of tokens in fields, for the first who asks.
    pub(crate) kept: OnceLock<KeptTokens>,
    /// What tells of functions whether they take their time, for the first who asks.
    pub(crate) takes_time: OnceLock<TakesTime>,
    /// By file and body.
    ways: Vec<Vec<OnceLock<Ways>>>,
}

/// How something got to where it is, nearest call first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it comes from.
    pub origin: Site,
    /// The calls it came through, from the origin to here.
    pub hops: Vec<Site>,
}

/// A context that never ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endless {
    /// It was detached; otherwise it is a root.
    pub detached: bool,
    /// On every way it gets here it never ends; otherwise on some.
    pub certain: bool,
    /// Where it was detached or made, and the way from there.
    pub way: Way,
}

impl Analysis {
    /// Analyses a set of crates.
    pub fn new(sources: Sources, models: Models) -> Analysis {
        let Ok(analysis) = Analysis::after(None, sources, models.into(), &|| Ok::<(), Infallible>(()));
        analysis
    }

    /// The same, but takes over what still holds of an earlier analysis, and asks between any two files
    /// and bodies whether to go on. The earlier analysis changes nothing but how long it takes; it holds for
    /// the files whose facts and for models that are the same in memory.
    ///
    /// # Errors
    /// What it is answered.
    pub fn after<S: Send>(
        earlier: Option<&Analysis>,
        sources: Sources,
        models: Arc<Models>,
        go_on: &GoOn<'_, S>,
    ) -> Result<Analysis, S> {
        let (program, earlier) = Program::link_after(earlier, sources, models, go_on)?;
        let (summaries, flows) = summary::summarize(&program, earlier.as_ref(), go_on)?;
        go_on()?;
        let mut incoming: FxHashMap<BodyRef, Vec<(usize, usize)>> = FxHashMap::default();
        let mut replacing = FxHashSet::default();
        for (f, flow) in flows.iter().enumerate() {
            replacing.extend(flow.replacing.iter().copied());
            for (c, call) in flow.calls.iter().enumerate() {
                incoming.entry(call.callee).or_default().push((f, c));
            }
        }
        let fields_used = flows.iter().flat_map(|flow| flow.fields_used.iter().cloned()).collect();
        let (callers, mentions) = rayon::join(|| callers(&program), || mentions(&program));
        go_on()?;
        let handled = handled(&program, &callers, &replacing, &after_end(&flows));
        let bodies = |facts: &crate::facts::FileFacts| facts.bodies.iter().map(|_| OnceLock::new()).collect();
        let (kept, takes_time) = (OnceLock::new(), OnceLock::new());
        let ways = program.sources.files.iter().map(|file| file.facts.as_deref().map_or(Vec::new(), bodies)).collect();
        Ok(Analysis {
            program,
            summaries,
            flows,
            incoming,
            handled,
            callers,
            mentions,
            fields_used,
            replacing,
            kept,
            takes_time,
            ways,
        })
    }

    /// Where a body's locals occur and where control can go in it; none for a body of no program.
    pub fn ways(&self, who: BodyRef) -> Option<&Ways> {
        let slot = self.ways.get(who.file.index())?.get(who.body.index())?;
        let body = self.program.body(who)?;
        let body_of = |inner: BodyId| self.program.body(BodyRef { file: who.file, body: inner });
        Some(slot.get_or_init(|| Ways::of(body, body_of, |at| self.never_returns(who, at))))
    }

    /// Whether an operation calls something that never comes back.
    pub fn never_returns(&self, who: BodyRef, at: At) -> bool {
        let Some(typed) = self.program.typed(who) else { return false };
        match typed.target(BlockId(at.block), at.op as usize) {
            Target::Def(def) if self.program.function(*def).is_some_and(|function| !function.is_async) => {
                let summary = self.program.body_of(*def).and_then(|callee| self.summaries.get(callee));
                summary.is_some_and(|summary| summary.diverges)
            }
            target => self.program.model_of(target).is_some_and(|model| model.role == FnRole::Exit),
        }
    }

    /// The flows of all bodies in which something of interest occurs, by file and body.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.flows.iter().map(Arc::as_ref)
    }

    /// The flow of a body.
    pub fn flow(&self, body: BodyRef) -> Option<&Flow> {
        self.shared_flow(body).map(Arc::as_ref)
    }

    pub(crate) fn shared_flow(&self, body: BodyRef) -> Option<&Arc<Flow>> {
        self.flows.binary_search_by_key(&body, |flow| flow.body).ok().and_then(|at| self.flows.get(at))
    }

    /// The calls that lead to a body, with the flow they stand in.
    pub fn calls_of(&self, body: BodyRef) -> impl Iterator<Item = (&Flow, &Call)> {
        self.incoming.get(&body).into_iter().flatten().filter_map(|(flow, call)| {
            self.flows.get(*flow).map(Arc::as_ref).and_then(|flow| Some((flow, flow.calls.get(*call)?)))
        })
    }

    /// The bodies that call a function's body by name, and where.
    pub fn callers_of(&self, body: BodyRef) -> &[(BodyRef, Site)] {
        self.callers.get(&body).map_or(&[], Vec::as_slice)
    }

    /// Where modelled functions that do this are called or named, in the order of the bodies.
    pub fn mentions_of(&self, role: FnRole) -> &[(BodyRef, At)] {
        self.mentions.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Whether a closure or `async` block only replaces a missing context.
    pub fn replaces_missing(&self, body: BodyRef) -> bool {
        self.replacing.contains(&body)
    }

    /// The way by which a request's end reaches a context, if one does: nearest callers first.
    pub fn request(&self, body: BodyRef, ctx: &CtxNode) -> Option<Way> {
        let from = |ctx: &CtxNode| {
            let sources = ctx.sources();
            let request = sources.iter().find(|node| matches!(node.kind, CtxKind::Request));
            match request {
                Some(node) => Trace::Found(node.site),
                None => Trace::Given(sources.iter().filter_map(|node| node.input().cloned()).collect()),
            }
        };
        self.traced(body, from(ctx), |caller, value| match value {
            Val::Ctx(ctx) => from(ctx),
            Val::Request(_, site) => Trace::Found(*site),
            Val::Input(path) => match self.program.given_to_handler(caller, path) {
                Some(Origin::Request) if self.program.is_given_by_library(caller, path) => {
                    Trace::Found(self.input_site(caller, path))
                }
                Some(_) => Trace::Given(Vec::new()),
                None => Trace::Given(vec![path.clone()]),
            },
            _ => Trace::Given(Vec::new()),
        })
    }

    /// The local that a body is given an input in.
    fn input_site(&self, body: BodyRef, path: &InputPath) -> Site {
        let span = self.program.body(body).map_or_else(Default::default, |body| body.input_span(path.input));
        Site::new(body.file, span)
    }

    /// The way by which a context gets here that was detached, bounded since or not, if one does.
    pub fn detached(&self, body: BodyRef, ctx: &CtxNode) -> Option<Way> {
        let from = |ctx: &CtxNode| match ctx.detaching() {
            Some(node) => Trace::Found(node.site),
            None => Trace::Given(ctx.origin().input().cloned().into_iter().collect()),
        };
        self.traced(body, from(ctx), |_, value| match value {
            Val::Ctx(ctx) => from(ctx),
            value => Trace::of_input(value),
        })
    }

    /// Follows what a body is given back through its callers, nearest first, to where it comes from.
    fn traced(&self, body: BodyRef, first: Trace, from: impl Fn(BodyRef, &Val) -> Trace) -> Option<Way> {
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::from([(body, first, Vec::new())]);
        while let Some((body, trace, hops)) = queue.pop_front() {
            let paths = match trace {
                Trace::Found(origin) => return Some(Way { origin, hops }),
                Trace::Given(paths) => paths,
            };
            for path in paths {
                if hops.len() > MAX_HOPS || !seen.insert((body, path.clone())) {
                    continue;
                }
                let given = self.given_by_callers(body, &path, &hops);
                queue.extend(given.map(|(caller, value, hops)| (caller, from(caller, value.behind()), hops)));
            }
        }
        None
    }

    /// Whether a task goes on after its spawner, with nobody waiting for it or able to abort it. Of one in
    /// a set that is lent to its spawner all owners of the set are asked, and all who gave it the end of a channel.
    pub fn outlives(&self, flow: &Flow, id: ObjId, task: &Task) -> bool {
        flow.outlives(id, task)
            && !task.lent.as_ref().is_some_and(|set| self.is_kept(flow.body, set, Flow::keeps))
            && !task.given.iter().any(|given| self.is_kept(flow.body, given, Flow::waits_at))
    }

    /// Whether all who give a body this input keep what it is.
    fn is_kept(&self, body: BodyRef, set: &InputPath, keeps: impl Fn(&Flow, ObjId) -> bool) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![(body, set.clone())];
        while let Some((body, set)) = left.pop() {
            if !seen.insert((body, set.clone())) {
                continue;
            }
            let mut is_lent = false;
            for (flow, call) in self.calls_of(body) {
                is_lent = true;
                let value = set.among(&call.inputs).unwrap_or_default();
                match value.behind() {
                    Val::Obj(set) if keeps(flow, *set) => {}
                    Val::Input(path) => left.push((flow.body, path.clone())),
                    _ => return false,
                }
            }
            if !is_lent {
                return false;
            }
        }
        true
    }

    /// Whether a context never ends: it is a root or was detached, and nothing bounds it. One that
    /// is given to the body is looked up at the body's callers.
    pub fn endless(&self, body: BodyRef, ctx: &CtxNode) -> Option<Endless> {
        let mut seen = BTreeSet::new();
        let found = self.lives(body, ctx, Vec::new(), &mut seen);
        let certain = found.iter().all(Option::is_some);
        let mut known = found.into_iter().flatten();
        let first = known.next()?;
        let first = if first.detached { first } else { known.find(|other| other.detached).unwrap_or(first) };
        Some(Endless { certain, ..first })
    }

    /// The lives a context can have: one for each way it gets here, none where it can end or nobody knows.
    fn lives(
        &self,
        body: BodyRef,
        ctx: &CtxNode,
        hops: Vec<Site>,
        seen: &mut BTreeSet<(BodyRef, InputPath)>,
    ) -> Vec<Option<Endless>> {
        let endless = |detached: bool, origin: Site| {
            vec![Some(Endless { detached, certain: true, way: Way { origin, hops: hops.clone() } })]
        };
        let path = match ctx.life() {
            Life::Root(node) => return endless(false, node.site),
            Life::Detached(node) => return endless(true, node.site),
            Life::Input(_, path) => path.clone(),
            _ => return vec![None],
        };
        self.input_lives(body, &path, hops, seen)
    }

    fn input_lives(
        &self,
        body: BodyRef,
        path: &InputPath,
        hops: Vec<Site>,
        seen: &mut BTreeSet<(BodyRef, InputPath)>,
    ) -> Vec<Option<Endless>> {
        if hops.len() > MAX_HOPS {
            return vec![None];
        }
        // A way that comes back to where it was adds nothing.
        if !seen.insert((body, path.clone())) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (caller, value, hops) in self.given_by_callers(body, path, &hops) {
            found.extend(match value.behind() {
                Val::Ctx(ctx) => self.lives(caller, ctx, hops, seen),
                Val::Input(path) => self.input_lives(caller, path, hops, seen),
                _ => vec![None],
            });
        }
        if found.is_empty() { vec![None] } else { found }
    }

    /// What the callers of a body give it there, tests only to test code, each with the way from that caller on.
    fn given_by_callers(
        &self,
        body: BodyRef,
        path: &InputPath,
        hops: &[Site],
    ) -> impl Iterator<Item = (BodyRef, Val, Vec<Site>)> {
        let is_of_test = self.program.is_test(body);
        let calls = self.calls_of(body).filter(move |(flow, _)| is_of_test || !self.program.is_test(flow.body));
        calls.map(move |(flow, call)| {
            let is_nested = summary::parent(&self.program, call.callee) == Some(flow.body);
            let own = (!is_nested).then_some(call.site);
            let value = path.among(&call.inputs).unwrap_or_default();
            (flow.body, value, own.into_iter().chain(hops.iter().copied()).collect())
        })
    }

    /// Whether a body has a context at hand that it need not make: given to it, or to a body it stands in.
    pub fn has_context(&self, body: BodyRef) -> bool {
        crate::flow::has_context(&self.program, body)
    }

    /// Whether a body runs only for handlers: it is one, is part of one, or only handlers reach it.
    /// The way leads from the handler's name to the body's function.
    pub fn in_handler(&self, body: BodyRef) -> Option<Way> {
        let mut at = body;
        while !self.handled.contains_key(&at) {
            at = summary::parent(&self.program, at)?;
        }
        let mut hops = Vec::new();
        while let Reached::From(caller, site) = self.handled.get(&at)? {
            hops.push(*site);
            at = *caller;
        }
        hops.reverse();
        Some(Way { origin: name_site(&self.program, at), hops })
    }

    /// Whether anybody reads a field and does something with what is in it. A part of a tuple in a
    /// field (`pair.1`) is used with the field as a whole, too. What a function in a field has with it is used
    /// by whoever calls that, and who does may be code that is not read: nothing in it says context.
    pub fn field_is_used(&self, def: DefId, name: &Name) -> bool {
        let whole = name.split('.').next().map(Name::new).unwrap_or_default();
        let used = |name: &Name| {
            self.fields_used.contains(&(Some(def), name.clone())) || self.fields_used.contains(&(None, name.clone()))
        };
        let ty = || self.program.field_type(&Ty::Adt(TyCon::Def(def), Vec::new()), &whole);
        let does = |what: fn(&Kept) -> &BTreeSet<Field>| {
            let field = (def, whole.clone());
            self.flows.iter().any(|flow| what(&flow.kept).contains(&field))
        };
        // What is in a collection is kept, until somebody throws it away.
        let is_kept = || does(|kept| &kept.filled) && !does(|kept| &kept.emptied);
        used(name) || used(&whole) || self.program.is_given_to_macros(def) || holds_function(&ty()) || is_kept()
    }
}

/// What is told of where something comes from.
enum Trace {
    /// It was found out.
    Found(Site),
    /// Callers know: it is given to the body in these.
    Given(Vec<InputPath>),
}

impl Trace {
    fn of_input(value: &Val) -> Trace {
        match value {
            Val::Input(path) => Trace::Given(vec![path.clone()]),
            _ => Trace::Given(Vec::new()),
        }
    }
}

/// Whether a value of the type is a function or a trait's object, or has one in it.
fn holds_function(ty: &Ty) -> bool {
    match ty {
        Ty::FnPtr(..) | Ty::Bounds(_) => true,
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().any(holds_function),
        Ty::Ref(inner, _) | Ty::Slice(inner) => holds_function(inner),
        _ => false,
    }
}

/// The static call graph, turned round.
fn callers(program: &Program) -> FxHashMap<BodyRef, Vec<(BodyRef, Site)>> {
    let calls = |who: &BodyRef| {
        let who = *who;
        program.operations(who).filter_map(move |(op, target)| {
            let Target::Def(def) = target else { return None };
            let span = match &op.kind {
                crate::facts::OpKind::MethodCall { name_span, .. } => *name_span,
                crate::facts::OpKind::Call { callee: crate::facts::Callee::Path(path), .. } => path.span,
                _ => return None,
            };
            Some((summary::body_of(program, *def)?, (who, Site::new(who.file, span))))
        })
    };
    grouped(program.bodies().par_iter().flat_map_iter(calls).collect::<Vec<_>>())
}

/// Where the functions of models are called or named.
fn mentions(program: &Program) -> FxHashMap<FnRole, Vec<(BodyRef, At)>> {
    let of_body = |who: &BodyRef| {
        let who = *who;
        let targets = program.typed(who).map_or(&[][..], |typed| &typed.targets);
        targets.iter().zip(0u32..).flat_map(move |(targets, block)| {
            let roles = targets.iter().map(|target| program.model_of(target).map(|model| model.role));
            roles.zip(0u32..).filter_map(move |(role, op)| Some((role?, (who, At { block, op }))))
        })
    };
    grouped(program.bodies().par_iter().flat_map_iter(of_body).collect::<Vec<_>>())
}

/// What belongs to each key, in the order of the pairs.
pub(crate) fn grouped<K: Eq + Hash, V>(pairs: impl IntoIterator<Item = (K, V)>) -> FxHashMap<K, Vec<V>> {
    let mut found: FxHashMap<K, Vec<V>> = FxHashMap::default();
    for (key, value) in pairs {
        found.entry(key).or_default().push(value);
    }
    found
}

/// How a body came to be one that only handlers reach.
#[derive(Clone, Copy, Debug)]
enum Reached {
    /// It is a handler.
    Itself,
    /// By a call in this one.
    From(BodyRef, Site),
}

/// The bodies that only handlers reach, handlers included, with the last step of the way to each.
fn handled(
    program: &Program,
    callers: &FxHashMap<BodyRef, Vec<(BodyRef, Site)>>,
    replacing: &FxHashSet<BodyRef>,
    after_end: &FxHashSet<(BodyRef, BodyRef)>,
) -> BTreeMap<BodyRef, Reached> {
    // What is done once for the process, or when a context has ended, a handler does for somebody else.
    let outer = |body: BodyRef| {
        let mut at = body;
        loop {
            if program.handler(at).is_some() || replacing.contains(&at) {
                return at;
            }
            match summary::parent(program, at) {
                Some(parent) => at = parent,
                None => return at,
            }
        }
    };
    let real = |body: &BodyRef| -> Vec<(BodyRef, Site)> {
        let all = callers.get(body).into_iter().flatten();
        let counts = |caller: BodyRef| !program.is_test(caller) && !after_end.contains(&(caller, *body));
        all.filter(|(caller, _)| counts(*caller)).map(|(caller, site)| (outer(*caller), *site)).collect()
    };
    let is_handler = |body: &BodyRef| program.handler(*body).is_some();
    let may_be_only_called = |body: &BodyRef| {
        let function = program.function_of(*body);
        function.is_some_and(|def| !program.used_as_value(def) && !is_foreign_impl(program, def))
    };
    let mut candidates: BTreeMap<BodyRef, Vec<(BodyRef, Site)>> = program
        .bodies()
        .iter()
        .filter(|body| !is_handler(body))
        .map(|body| (*body, real(body)))
        .filter(|(body, real)| !real.is_empty() && may_be_only_called(body))
        .collect();
    let mut called: FxHashMap<BodyRef, Vec<BodyRef>> = FxHashMap::default();
    for (body, real) in &candidates {
        for (caller, _) in real {
            called.entry(*caller).or_default().push(*body);
        }
    }
    let called_by = |caller: &BodyRef| called.get(caller).into_iter().flatten().copied();

    // Whom somebody else calls, and whom those call.
    let is_other = |caller: &BodyRef| !is_handler(caller) && !candidates.contains_key(caller);
    let mut out: Vec<BodyRef> = called.keys().filter(|caller| is_other(caller)).flat_map(called_by).collect();
    while let Some(body) = out.pop() {
        if candidates.remove(&body).is_some() {
            out.extend(called_by(&body));
        }
    }

    let mut found: BTreeMap<BodyRef, Reached> =
        program.bodies().iter().filter(|body| is_handler(body)).map(|body| (*body, Reached::Itself)).collect();
    let mut latest: Vec<BodyRef> = found.keys().copied().collect();
    while !latest.is_empty() {
        let next: BTreeSet<BodyRef> = latest.iter().flat_map(called_by).collect();
        let more: Vec<(BodyRef, Reached)> = next
            .into_iter()
            .filter(|body| !found.contains_key(body))
            .filter_map(|body| {
                let (caller, site) = candidates.get(&body)?.iter().find(|(caller, _)| found.contains_key(caller))?;
                Some((body, Reached::From(*caller, *site)))
            })
            .collect();
        latest = more.iter().map(|(body, _)| *body).collect();
        found.extend(more);
    }
    found
}

/// The pairs of bodies of which the first calls the second only where a context has ended.
fn after_end(flows: &[Arc<Flow>]) -> FxHashSet<(BodyRef, BodyRef)> {
    let calls = || flows.iter().flat_map(|flow| flow.calls.iter().map(|call| (flow.body, call)));
    let cleans_up = calls().filter(|(_, call)| call.after_end);
    let mut found: FxHashSet<(BodyRef, BodyRef)> = cleans_up.map(|(caller, call)| (caller, call.callee)).collect();
    if !found.is_empty() {
        for (caller, call) in calls().filter(|(_, call)| !call.after_end) {
            found.remove(&(caller, call.callee));
        }
    }
    found
}

/// Whether a function is a method of a trait's impl whose callers are not in view.
fn is_foreign_impl(program: &Program, def: DefId) -> bool {
    let Some(item) = program.item(def) else { return true };
    let Some(container) = item.container.and_then(|item| program.item(DefId { file: def.file, item })) else {
        return false;
    };
    match &container.kind {
        crate::facts::ItemKind::Impl { of_trait: Some(path), .. } => {
            !matches!(program.resolve_path(def.file, path, crate::names::Namespace::Type), crate::names::Res::Def(_))
        }
        _ => false,
    }
}

/// Where a body's function has its name; for a closure, where it begins.
fn name_site(program: &Program, body: BodyRef) -> Site {
    let span = match program.function_of(body).and_then(|def| program.item(def)) {
        Some(item) => item.name_span,
        None => program.body(body).map_or_else(Default::default, |body| body.span),
    };
    Site::new(body.file, span)
}
