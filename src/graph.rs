//! How contexts flow: from requests and roots through derivations and calls into tasks.
//!
//! `build` makes the graph from the analysis, [`select`] keeps what is asked for, and the writers
//! read it. A function is drawn once, whoever calls it; a derivation is drawn once in each function that
//! works with what it gives.

mod build;
pub mod dot;
pub mod html;
pub mod mermaid;
pub mod select;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::Span;
use ctxlint_analysis::source::FileId;
use ctxlint_lints::finding::{Finding, Place};

use crate::report::Reported;
use crate::workspace::Workspace;

pub use state::{Deadline, State};

/// Contexts, what they are given to, and where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// By file and place.
    pub nodes: Vec<Node>,
    /// Sorted; `from` and `to` are indices into [`Graph::nodes`].
    pub edges: Vec<Edge>,
}

/// Something that has a context, or is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// What people call it: `payments::charge`, `with_timeout 5s`.
    pub name: String,
    /// The package it is in; for a file without one, the file's crate.
    pub krate: String,
    /// The crate as code writes it.
    pub library: String,
    /// Where its name or call is.
    pub place: Place,
    /// For functions and tasks: everything that is theirs.
    pub extent: Option<Place>,
    /// What ends the context here.
    pub state: State,
    /// What was found here, in the order of the findings.
    pub marks: Vec<Mark>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A function or closure that serves requests, of this framework.
    Handler(String),
    /// The same, and it hands the request on.
    Middleware(String),
    /// Another function.
    Function,
    /// Work that was started; whether its spawner waits for it or otherwise looks after it.
    Task {
        /// It does.
        kept: bool,
    },
    /// A context without a parent.
    Root,
    /// A context that is its own handle.
    Token,
    /// A context of the server's, or one out of a field or from code that is not in view.
    Elsewhere,
    /// A context that was derived; what it adds.
    Derived(Adds),
    /// A context that was cut off from its parent's end.
    Detached,
    /// The values of one context, the life of another.
    Reparented,
    /// What comes behind a middleware.
    Rest,
}

impl NodeKind {
    /// In a word, for people and style sheets.
    pub fn word(&self) -> &'static str {
        match self {
            NodeKind::Handler(_) => "handler",
            NodeKind::Middleware(_) => "middleware",
            NodeKind::Function => "function",
            NodeKind::Task { .. } => "task",
            NodeKind::Root => "root",
            NodeKind::Token => "token",
            NodeKind::Elsewhere => "elsewhere",
            NodeKind::Derived(Adds::Deadline) => "deadline",
            NodeKind::Derived(_) => "derived",
            NodeKind::Detached => "detached",
            NodeKind::Reparented => "reparented",
            NodeKind::Rest => "rest",
        }
    }

    /// Whether it is a context, not something that is given one.
    pub fn is_context(&self) -> bool {
        !matches!(
            self,
            NodeKind::Handler(_)
                | NodeKind::Middleware(_)
                | NodeKind::Function
                | NodeKind::Task { .. }
                | NodeKind::Rest
        )
    }

    /// Whether contexts begin here.
    pub fn is_entry(&self) -> bool {
        matches!(self, NodeKind::Handler(_) | NodeKind::Middleware(_) | NodeKind::Root | NodeKind::Token)
    }
}

/// What a derived context adds to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adds {
    /// A handle.
    Handle,
    /// A timeout or deadline.
    Deadline,
    /// The end of another context.
    Merge,
}

/// From one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// A node.
    pub from: usize,
    /// A node.
    pub to: usize,
    /// What it means.
    pub kind: EdgeKind,
}

/// What an edge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A context is derived: it ends with its parent.
    Derives,
    /// A context is given to a function.
    Passes,
    /// A context goes into a task.
    Spawns,
    /// A context replaces the request's for the rest of the chain.
    Replaces,
    /// Only the values go on: cancellation is cut here.
    Cut,
    /// A root is made although there is a context: everything is cut here.
    Restarts,
    /// A function that has a context calls one that is given none.
    Loses,
    /// A root is made where there is no context.
    Makes,
    /// A function without a context calls another.
    Calls,
}

impl EdgeKind {
    /// In a word, for people and style sheets.
    pub fn word(self) -> &'static str {
        match self {
            EdgeKind::Derives => "derives",
            EdgeKind::Passes => "passes",
            EdgeKind::Spawns => "spawns",
            EdgeKind::Replaces => "replaces",
            EdgeKind::Cut => "cut",
            EdgeKind::Restarts => "restarts",
            EdgeKind::Loses => "loses",
            EdgeKind::Makes => "makes",
            EdgeKind::Calls => "calls",
        }
    }

    /// Whether the end of the one ends the other.
    pub fn carries(self) -> bool {
        matches!(self, EdgeKind::Derives | EdgeKind::Passes | EdgeKind::Spawns | EdgeKind::Replaces)
    }

    /// Whether a context that was there does not reach what comes after.
    pub fn is_cut(self) -> bool {
        matches!(self, EdgeKind::Cut | EdgeKind::Restarts | EdgeKind::Loses)
    }
}

/// Something that was found at a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The rule.
    pub rule: String,
    /// Whether it is an error.
    pub error: bool,
    /// The finding's fingerprint.
    pub fingerprint: String,
}

impl Graph {
    /// The graph of a program, without what rules find in it.
    pub fn new(analysis: &Analysis) -> Graph {
        build::build(analysis)
    }

    /// Marks the nodes at which something was found: the context or task that a finding points at or
    /// labels, or else the innermost function or task around it.
    pub fn mark(&mut self, findings: &[Reported]) {
        let index = Index::new(&self.nodes);
        let marks: Vec<(usize, Mark)> = findings
            .iter()
            .filter_map(|reported| {
                let mark = Mark {
                    rule: reported.finding.rule.to_owned(),
                    error: reported.is_error(),
                    fingerprint: reported.fingerprint.clone(),
                };
                Some((index.node_of(&reported.finding)?, mark))
            })
            .collect();
        for (at, mark) in marks {
            self.nodes.get_mut(at).into_iter().for_each(|node| node.marks.push(mark.clone()));
        }
    }

    /// The nodes that can be reached from these, these included, along edges or against them.
    fn reach(&self, from: &BTreeSet<usize>, forward: bool) -> BTreeSet<usize> {
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            let (from, to) = if forward { (edge.from, edge.to) } else { (edge.to, edge.from) };
            next.get_mut(from).into_iter().for_each(|list| list.push(to));
        }
        let mut found = BTreeSet::new();
        let mut left: Vec<usize> = from.iter().copied().collect();
        while let Some(at) = left.pop() {
            if found.insert(at) {
                left.extend(next.get(at).into_iter().flatten());
            }
        }
        found
    }
}

/// Where nodes are.
struct Index {
    /// Contexts and tasks by their place.
    exact: BTreeMap<Place, usize>,
    /// What functions and tasks extend over, by file.
    extents: BTreeMap<FileId, Vec<(Span, usize)>>,
}

impl Index {
    fn new(nodes: &[Node]) -> Index {
        let mut index = Index { exact: BTreeMap::new(), extents: BTreeMap::new() };
        for (at, node) in nodes.iter().enumerate() {
            let is_function = matches!(node.kind, NodeKind::Handler(_) | NodeKind::Middleware(_) | NodeKind::Function);
            if !is_function {
                index.exact.entry(node.place).or_insert(at);
            }
            if let Some(extent) = node.extent {
                index.extents.entry(extent.file).or_default().push((extent.span, at));
            }
        }
        index
    }

    fn node_of(&self, finding: &Finding) -> Option<usize> {
        let labels = finding.labels.iter().map(|label| label.place);
        let exact = std::iter::once(finding.primary).chain(labels).find_map(|place| self.exact.get(&place));
        exact.copied().or_else(|| self.innermost(finding.primary))
    }

    fn innermost(&self, place: Place) -> Option<usize> {
        let extents = self.extents.get(&place.file)?.iter();
        let around = extents.filter(|(span, _)| span.contains(place.span));
        around.map(|(span, at)| (span.end - span.start, *at)).min().map(|(_, at)| at)
    }
}

/// The nodes of each crate, with their numbers.
fn by_crate(graph: &Graph) -> BTreeMap<&str, Vec<(usize, &Node)>> {
    let mut crates: BTreeMap<&str, Vec<(usize, &Node)>> = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        crates.entry(&node.krate).or_default().push((at, node));
    }
    crates
}

/// What a node says, line by line: its name, what it is, what ends it, what was found, where it is. Of
/// the path only the file's name: the function's name tells the rest.
fn lines(node: &Node, workspace: &Workspace) -> Vec<String> {
    let mut lines = vec![node.name.clone()];
    lines.extend(what(node));
    // A context says by its name what ends it.
    let words = if node.kind.is_context() { Vec::new() } else { node.state.words() };
    lines.extend(words.into_iter().map(str::to_owned));
    let mut rules: Vec<&str> = node.marks.iter().map(|mark| mark.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    lines.extend(rules.into_iter().map(|rule| format!("⚠ {rule}")));
    let place = place(node.place, workspace);
    lines.push(place.rsplit('/').next().unwrap_or(&place).to_owned());
    lines
}

/// What a node is, where its name does not say so.
fn what(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Handler(framework) => Some(format!("handler of {framework}")),
        NodeKind::Middleware(framework) => Some(format!("middleware of {framework}")),
        NodeKind::Task { kept: true } => Some("task".to_owned()),
        NodeKind::Task { kept: false } => Some("task that may outlive its spawner".to_owned()),
        _ => None,
    }
}

/// `src/lib.rs:12`.
fn place(place: Place, workspace: &Workspace) -> String {
    match workspace.files.get(place.file.index()) {
        Some(file) => format!("{}:{}", file.path, file.lines.positions(place.span, &file.text).0.line),
        None => String::new(),
    }
}
