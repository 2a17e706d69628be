//! From the analysis to the graph.
//!
//! Contexts are told apart by where they are made and by the function or task that has them; the
//! contexts that a body is given are told by the body itself. Closures and `async` blocks are part of
//! what they stand in, unless they serve requests or run as a task.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BodyId, Name};
use ctxlint_analysis::flow::events::{CallKind, Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, CtxKind, CtxNode, InputPath, ObjId, ObjKind, Object, Site, Val};
use ctxlint_analysis::model::Bound;
use ctxlint_analysis::summary::parent;
use ctxlint_analysis::types::{BodyRef, Target};
use ctxlint_lints::finding::Place;

use super::{Adds, Edge, EdgeKind, Graph, Node, NodeKind, State, state};

/// How far a closure's captures and the callers of a function without a context are followed.
const MAX_HOPS: u8 = 16;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// A function, or a closure that serves requests.
    Function(BodyRef),
    /// A task by the call that starts it.
    Task(Site),
    /// A context by where it is made, in the function or task that has it.
    Context(BodyRef, Site, Made),
    /// What comes behind a middleware.
    Rest(BodyRef),
}

/// How a context is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Made {
    Root,
    Token,
    Server,
    Opaque,
    Derived(Adds, Option<u128>),
    Detached,
    Reparented,
}

/// Makes the graph.
pub(super) fn build(analysis: &Analysis) -> Graph {
    let mut builder = Builder {
        analysis,
        names: makers(analysis),
        roots: roots(analysis),
        tasks: BTreeMap::new(),
        kept: BTreeMap::new(),
        keys: BTreeSet::new(),
        edges: BTreeSet::new(),
    };
    let flows: Vec<&Flow> = analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)).collect();
    flows.iter().for_each(|flow| builder.find_tasks(flow));
    flows.iter().for_each(|flow| builder.add_flow(flow));
    builder.add_ways_to_roots();
    builder.finish()
}

/// The names of the functions that make contexts, by where they are called.
fn makers(analysis: &Analysis) -> BTreeMap<Site, Name> {
    let mut names = BTreeMap::new();
    for flow in analysis.flows() {
        let targets = analysis.program.typed(flow.body).map(|typed| &typed.targets);
        for event in &flow.events {
            if !event.seen.iter().any(|seen| matches!(seen, Seen::Context { .. } | Seen::Root { .. })) {
                continue;
            }
            let target = targets.and_then(|targets| targets.get(event.block as usize)?.get(event.op as usize));
            if let Some(Target::External(path) | Target::TraitMethod(path)) = target {
                names.entry(event.site).or_insert_with(|| Name::from(short(path)));
            }
        }
    }
    names
}

/// The last part of a path; with the type's name before it where it says little.
fn short(path: &str) -> &str {
    match path.rsplit_once("::") {
        Some((before, "new" | "default")) => {
            let at = before.rfind("::").map_or(0, |at| at + 2);
            path.get(at..).unwrap_or(path)
        }
        Some((_, last)) => last,
        None => path,
    }
}

fn roots(analysis: &Analysis) -> BTreeMap<(u32, u32), Site> {
    let events = analysis.flows().flat_map(|flow| &flow.events);
    let roots = events.filter(|event| event.seen.iter().any(|seen| matches!(seen, Seen::Root { .. })));
    roots.map(|event| ((event.site.file, event.site.span.start), event.site)).collect()
}

struct Builder<'a> {
    analysis: &'a Analysis,
    names: BTreeMap<Site, Name>,
    /// The calls that make roots, by where they begin.
    roots: BTreeMap<(u32, u32), Site>,
    /// The closures and `async` blocks that run as a task.
    tasks: BTreeMap<BodyRef, Site>,
    /// Whether somebody looks after a task, and the body that starts it.
    kept: BTreeMap<Site, (bool, BodyRef, Site)>,
    keys: BTreeSet<Key>,
    edges: BTreeSet<(Key, Key, EdgeKind)>,
}

impl<'a> Builder<'a> {
    /// Notes which bodies run as tasks: those made for one, and those given to a function that starts one.
    fn find_tasks(&mut self, flow: &Flow) {
        for (id, object) in tasks(flow) {
            let ObjKind::Task(task) = &object.kind else { continue };
            self.kept.insert(task.site, (!self.analysis.outlives(flow, *id, task), flow.body, task.call));
            for body in &task.bodies {
                self.add_task_body(*body, task.site);
            }
            for path in task.pending.iter().filter_map(Val::input) {
                let given = self.given(flow.body, path);
                given.iter().for_each(|(_, value)| self.add_task_bodies(value, task.site));
            }
        }
    }

    fn add_task_bodies(&mut self, value: &Val, site: Site) {
        match value.behind() {
            Val::Closure(body, _) | Val::Future(body, _) => self.add_task_body(*body, site),
            Val::Work(values, _) | Val::Many(values) => {
                values.iter().for_each(|value| self.add_task_bodies(value, site))
            }
            Val::Timed(inner, _) => self.add_task_bodies(inner, site),
            _ => {}
        }
    }

    fn add_task_body(&mut self, body: BodyRef, site: Site) {
        if parent(&self.analysis.program, body).is_some() {
            self.tasks.entry(body).or_insert(site);
        }
    }

    /// What a body's callers give it, at the end of an input's way.
    fn given(&self, body: BodyRef, path: &InputPath) -> Vec<(BodyRef, Val)> {
        let calls = self.analysis.calls_of(body).filter(|(flow, _)| !self.analysis.program.is_test(flow.body));
        calls
            .filter_map(|(flow, call)| Some((flow.body, call.inputs.get(path.input as usize)?.at(&path.path))))
            .collect()
    }

    /// What a body is part of, and that one's own body.
    fn scope(&self, body: BodyRef) -> (Key, BodyRef) {
        let mut at = body;
        loop {
            if let Some(site) = self.tasks.get(&at) {
                return (Key::Task(*site), at);
            }
            match parent(&self.analysis.program, at) {
                Some(outer) if self.analysis.program.handler(at).is_none() => at = outer,
                _ => return (Key::Function(at), at),
            }
        }
    }

    fn edge(&mut self, from: Key, to: Key, kind: EdgeKind) {
        self.keys.extend([from, to]);
        if from != to {
            self.edges.insert((from, to, kind));
        }
    }

    fn add_flow(&mut self, flow: &Flow) {
        for event in &flow.events {
            for seen in &event.seen {
                match seen {
                    Seen::Derived { ctx } => drop(self.context(flow.body, ctx, MAX_HOPS)),
                    Seen::Context { value: Val::Ctx(ctx), .. } => drop(self.context(flow.body, ctx, MAX_HOPS)),
                    Seen::Root { own, .. } => self.add_root(flow, event.site, *own),
                    Seen::Replaced { ctx } => {
                        let (_, within) = self.scope(flow.body);
                        for from in self.context(flow.body, ctx, MAX_HOPS) {
                            self.edge(from, Key::Rest(within), EdgeKind::Replaces);
                        }
                    }
                    _ => {}
                }
            }
        }
        for (_, object) in tasks(flow) {
            let ObjKind::Task(task) = &object.kind else { continue };
            for of in &task.contexts {
                for from in self.context(flow.body, &of.ctx, MAX_HOPS) {
                    self.edge(from, Key::Task(task.site), EdgeKind::Spawns);
                }
            }
        }
        for call in &flow.calls {
            self.add_call(flow, call.callee, &call.inputs, call.kind);
        }
    }

    fn add_root(&mut self, flow: &Flow, site: Site, own: bool) {
        let (scope, within) = self.scope(flow.body);
        let made = if own { Made::Token } else { Made::Root };
        let at_hand = self.analysis.has_context(flow.body) || self.analysis.program.handler(within).is_some();
        let kind = if at_hand { EdgeKind::Restarts } else { EdgeKind::Makes };
        self.edge(scope, Key::Context(within, site, made), kind);
    }

    /// The contexts that a call hands to a function or task.
    fn add_call(&mut self, flow: &Flow, callee: BodyRef, inputs: &[Val], kind: CallKind) {
        let (here, _) = self.scope(flow.body);
        let (there, body) = self.scope(callee);
        // A closure is given what is known where it stands.
        if here == there || body != callee {
            return;
        }
        let is_task = matches!(there, Key::Task(_));
        let edge = if is_task { EdgeKind::Spawns } else { EdgeKind::Passes };
        let starter = self.starter(flow, callee).filter(|_| kind == CallKind::Task && !is_task);
        for (index, input) in inputs.iter().enumerate() {
            let mut contexts: Vec<Ctx> = Vec::new();
            input.walk(&mut |value, _, _| {
                if let Val::Ctx(ctx) = value {
                    contexts.push(ctx.clone());
                }
            });
            let mut from: BTreeSet<Key> =
                contexts.iter().flat_map(|ctx| self.context(flow.body, ctx, MAX_HOPS)).collect();
            if let Val::Input(path) = input.behind()
                && self.takes_context(callee, index)
            {
                from.extend(self.input(flow.body, path, MAX_HOPS));
            }
            for from in from {
                match starter {
                    // A function as a task: the context goes by way of the call that starts it.
                    Some(task) => {
                        self.edge(from, task, EdgeKind::Spawns);
                        self.edge(task, there, EdgeKind::Passes);
                    }
                    None => self.edge(from, there, edge),
                }
            }
        }
    }

    /// The task of a flow that runs this body.
    fn starter(&self, flow: &Flow, callee: BodyRef) -> Option<Key> {
        tasks(flow).find_map(|(_, object)| match &object.kind {
            ObjKind::Task(task) if task.bodies.contains(&callee) => Some(Key::Task(task.site)),
            _ => None,
        })
    }

    /// Whether a body's input is a context, or holds one.
    fn takes_context(&self, body: BodyRef, index: usize) -> bool {
        let program = &self.analysis.program;
        let (Some(facts), Some(typed)) = (program.body(body), program.typed(body)) else { return false };
        let local = match index.checked_sub(facts.captures.len()) {
            Some(param) => facts.params.get(param).copied(),
            None => facts.captures.get(index).map(|(_, local)| *local),
        };
        local.is_some_and(|local| program.holds_context(typed.local(local)))
    }

    /// The nodes that a context is: itself where it is made, or what it is given to. Contexts that only
    /// carry further values are their parents.
    fn context(&mut self, body: BodyRef, ctx: &CtxNode, hops: u8) -> BTreeSet<Key> {
        let (scope, within) = self.scope(body);
        match &ctx.kind {
            CtxKind::Derived { parent, bound: Bound::None, .. } | CtxKind::Limited(parent) => {
                self.context(body, parent, hops)
            }
            CtxKind::Request => BTreeSet::from([scope]),
            CtxKind::Input(path) => self.input(body, path, hops),
            CtxKind::Root { .. } => self.made(within, self.root_site(ctx.site), Made::Root),
            CtxKind::Own => self.made(within, self.root_site(ctx.site), Made::Token),
            // One node each: where it is read is of no interest.
            CtxKind::Server => self.made(within, self.body_site(within), Made::Server),
            CtxKind::Opaque => self.made(within, self.body_site(within), Made::Opaque),
            CtxKind::Derived { parent, bound, other, time } => {
                let adds = match bound {
                    Bound::Timeout | Bound::Deadline => Adds::Deadline,
                    Bound::Merge => Adds::Merge,
                    Bound::Cancel | Bound::None => Adds::Handle,
                };
                let key = Key::Context(within, ctx.site, Made::Derived(adds, time.nanos()));
                let mut from = self.context(body, parent, hops);
                from.extend(other.iter().flat_map(|other| self.context(body, other, hops)));
                self.derived(key, from, EdgeKind::Derives)
            }
            CtxKind::Detached(parent) => {
                let from = self.context(body, parent, hops);
                self.derived(Key::Context(within, ctx.site, Made::Detached), from, EdgeKind::Cut)
            }
            CtxKind::Reparented(values, owner) => {
                let key = Key::Context(within, ctx.site, Made::Reparented);
                let from = self.context(body, values, hops);
                self.derived(key, from, EdgeKind::Cut);
                let owner = owner.as_ref().map(|owner| self.context(body, owner, hops)).unwrap_or_default();
                self.derived(key, owner, EdgeKind::Derives)
            }
        }
    }

    /// The whole call that makes a root, of which its context knows the beginning.
    fn root_site(&self, site: Site) -> Site {
        self.roots.get(&(site.file, site.span.start)).copied().unwrap_or(site)
    }

    fn made(&mut self, within: BodyRef, site: Site, made: Made) -> BTreeSet<Key> {
        let key = Key::Context(within, site, made);
        self.keys.insert(key);
        BTreeSet::from([key])
    }

    fn derived(&mut self, key: Key, from: BTreeSet<Key>, kind: EdgeKind) -> BTreeSet<Key> {
        self.keys.insert(key);
        from.into_iter().for_each(|from| self.edge(from, key, kind));
        BTreeSet::from([key])
    }

    /// The nodes that an input of a body is: the body's own, or for a closure what its surroundings give it.
    fn input(&mut self, body: BodyRef, path: &InputPath, hops: u8) -> BTreeSet<Key> {
        let (scope, within) = self.scope(body);
        let Some(hops) = hops.checked_sub(1).filter(|_| within != body) else { return BTreeSet::from([scope]) };
        let mut found = BTreeSet::new();
        for (caller, value) in self.given(body, path) {
            match value.behind() {
                Val::Ctx(ctx) => found.extend(self.context(caller, ctx, hops)),
                Val::Input(path) => found.extend(self.input(caller, path, hops)),
                Val::Request(..) => drop(found.insert(self.scope(caller).0)),
                _ => {}
            }
        }
        let captures = self.analysis.program.body(body).map_or(0, |body| body.captures.len());
        match (found.is_empty(), (path.input as usize) < captures) {
            (false, _) => found,
            (true, true) => BTreeSet::from([scope]),
            // Whoever calls the closure may give it any context.
            (true, false) => self.made(within, self.body_site(within), Made::Opaque),
        }
    }

    /// Functions without a context that a root is made in are called by something.
    fn add_ways_to_roots(&mut self) {
        let program = &self.analysis.program;
        let makers = self.edges.iter().filter(|(_, _, kind)| *kind == EdgeKind::Makes).map(|(from, ..)| *from);
        let mut left: Vec<(Key, u8)> = makers.map(|maker| (maker, MAX_HOPS)).collect();
        let mut seen = BTreeSet::new();
        while let Some((key, hops)) = left.pop() {
            let Key::Function(body) = key else { continue };
            if hops == 0 || !seen.insert(body) || program.is_main(body) {
                continue;
            }
            let callers: Vec<BodyRef> = self.analysis.callers_of(body).iter().map(|(caller, _)| *caller).collect();
            for caller in callers.into_iter().filter(|caller| !program.is_test(*caller)) {
                let (from, within) = self.scope(caller);
                let has_context = self.analysis.has_context(caller) || program.handler(within).is_some();
                self.edge(from, key, if has_context { EdgeKind::Loses } else { EdgeKind::Calls });
                if !has_context {
                    left.push((from, hops - 1));
                }
            }
        }
    }

    fn finish(self) -> Graph {
        let mut nodes: Vec<(Key, Node)> = self.keys.iter().filter_map(|key| Some((*key, self.node(*key)?))).collect();
        nodes.sort_by(|(a, left), (b, right)| (left.place, &left.kind, a).cmp(&(right.place, &right.kind, b)));
        let index: BTreeMap<Key, usize> = nodes.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
        let edge = |(from, to, kind): &(Key, Key, EdgeKind)| {
            Some(Edge { from: *index.get(from)?, to: *index.get(to)?, kind: *kind })
        };
        let mut edges: Vec<Edge> = self.edges.iter().filter_map(edge).collect();
        edges.sort_unstable();
        let mut graph = Graph { nodes: nodes.into_iter().map(|(_, node)| node).collect(), edges };
        state::fill(&mut graph);
        graph
    }

    fn node(&self, key: Key) -> Option<Node> {
        let program = &self.analysis.program;
        let (kind, name, site, extent) = match key {
            Key::Function(body) => {
                let kind = match program.handler(body) {
                    Some(handler) if handler.middleware => NodeKind::Middleware(handler.framework.clone()),
                    Some(handler) => NodeKind::Handler(handler.framework.clone()),
                    None => NodeKind::Function,
                };
                (kind, self.body_name(body), self.body_site(body), self.whole(body))
            }
            Key::Task(site) => {
                let (kept, _, call) = *self.kept.get(&site)?;
                let name = self.task_name(site);
                (NodeKind::Task { kept }, name, site, Some(Place::from(call)))
            }
            Key::Context(within, site, made) => {
                let name = self.context_name(within, site, made);
                (made.kind(), name, site, None)
            }
            Key::Rest(body) => (NodeKind::Rest, "the rest of the chain".to_owned(), self.body_site(body), None),
        };
        // What a helper makes belongs to whom it is made for.
        let krate = match key {
            Key::Context(within, ..) => program.crate_of(within.file)?,
            _ => program.crate_of(site.file_id())?,
        };
        let package = if krate.package_name.is_empty() { &krate.name } else { &krate.package_name };
        Some(Node {
            kind,
            name,
            krate: package.to_string(),
            library: krate.name.to_string(),
            place: Place::from(site),
            extent,
            state: State::default(),
            marks: Vec::new(),
        })
    }

    fn context_name(&self, within: BodyRef, site: Site, made: Made) -> String {
        let name = |otherwise: &'static str| self.names.get(&site).map_or(otherwise, Name::as_str);
        let name = match made {
            Made::Server => return "the server's context".to_owned(),
            Made::Opaque => return "a context from elsewhere".to_owned(),
            Made::Root => name("a root").to_owned(),
            Made::Token => name("a token").to_owned(),
            Made::Derived(_, Some(nanos)) => format!("{} {}", name("derived"), duration(nanos)),
            Made::Derived(_, None) => name("derived").to_owned(),
            Made::Detached => name("detached").to_owned(),
            Made::Reparented => name("reparented").to_owned(),
        };
        match self.helper(within, site) {
            Some(helper) => format!("{name} by {helper}"),
            None => name,
        }
    }

    /// The function that makes a context for another one.
    fn helper(&self, within: BodyRef, site: Site) -> Option<String> {
        let program = &self.analysis.program;
        let own = program.body(program.enclosing_body(within))?.span;
        if within.file == site.file_id() && own.contains(site.span) {
            return None;
        }
        let bodies = program.facts(site.file_id())?.bodies.iter().zip(0..);
        let around = bodies.filter(|(body, _)| body.span.contains(site.span));
        let (_, innermost) = around.min_by_key(|(body, _)| body.span.end - body.span.start)?;
        let def = program.enclosing_function(BodyRef { file: site.file_id(), body: BodyId(innermost) })?;
        Some(program.item(def)?.name.to_string())
    }

    fn task_name(&self, site: Site) -> String {
        let flows = self.kept.get(&site).and_then(|(_, body, _)| self.analysis.flow(*body));
        let task = flows.into_iter().flat_map(tasks).find_map(|(_, object)| match &object.kind {
            ObjKind::Task(task) if task.site == site => Some(task.spawner.to_string()),
            _ => None,
        });
        task.unwrap_or_default()
    }

    /// A function's name without its crate; a closure's by the function it stands in.
    fn body_name(&self, body: BodyRef) -> String {
        let program = &self.analysis.program;
        let Some(def) = program.enclosing_function(body) else { return "a constant".to_owned() };
        let path = program.path_text(def);
        let krate = program.crate_of(def.file).map(|krate| krate.name.as_str());
        let short = krate.and_then(|krate| path.strip_prefix(krate)?.strip_prefix("::")).unwrap_or(&path);
        match program.function_of(body) {
            Some(_) => short.to_owned(),
            None => format!("a closure in {short}"),
        }
    }

    /// Where a function has its name, or a closure begins.
    fn body_site(&self, body: BodyRef) -> Site {
        let program = &self.analysis.program;
        match program.function_of(body).and_then(|def| program.item(def)) {
            Some(item) => Site::new(body.file, item.name_span),
            None => Site::new(body.file, program.body(body).map(|body| body.span).unwrap_or_default()),
        }
    }

    fn whole(&self, body: BodyRef) -> Option<Place> {
        let program = &self.analysis.program;
        let item = program.function_of(body).and_then(|def| program.item(def)).map(|item| item.span);
        let span = item.or_else(|| program.body(body).map(|body| body.span))?;
        Some(Place { file: body.file, span })
    }
}

impl Made {
    fn kind(self) -> NodeKind {
        match self {
            Made::Root => NodeKind::Root,
            Made::Token => NodeKind::Token,
            Made::Server | Made::Opaque => NodeKind::Elsewhere,
            Made::Derived(adds, _) => NodeKind::Derived(adds),
            Made::Detached => NodeKind::Detached,
            Made::Reparented => NodeKind::Reparented,
        }
    }
}

fn tasks(flow: &Flow) -> impl Iterator<Item = (&ObjId, &Object)> {
    flow.objects.iter().filter(|(id, object)| !id.old && matches!(object.kind, ObjKind::Task(_)))
}

/// `1.5s`, `250ms`, `2m`.
fn duration(nanos: u128) -> String {
    const UNITS: [(&str, u128); 5] =
        [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    let whole = UNITS.iter().find(|(_, unit)| nanos >= *unit && nanos.is_multiple_of(*unit));
    match whole {
        Some((name, unit)) => format!("{}{name}", nanos / unit),
        None if nanos == 0 => "0s".to_owned(),
        None => format!("{}ns", nanos),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, short};

    #[test]
    fn constructors_are_told_with_their_type() {
        let told = ["a::B::with_timeout", "a::B::new", "B::default", "background"].map(short);
        assert_eq!(told, ["with_timeout", "B::new", "B::default", "background"]);
    }

    #[test]
    fn lengths_of_time_are_told_in_the_largest_unit_that_fits() {
        let told = [0, 7, 1_500, 2_000, 250_000_000, 1_500_000_000, 5_000_000_000, 120_000_000_000].map(duration);
        assert_eq!(told, ["0s", "7ns", "1500ns", "2µs", "250ms", "1500ms", "5s", "2m"]);
    }
}
