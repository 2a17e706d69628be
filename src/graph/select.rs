//! The part of a graph that is asked for.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::source::FileId;

use super::{Edge, Graph, Node, NodeKind, state};
use crate::text::nearest;

/// What is asked for; everything where nothing is said.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Files: their nodes, and what is next to them.
    pub files: Option<BTreeSet<FileId>>,
    /// Packages or crates: their nodes, and what is next to them.
    pub crates: Vec<String>,
    /// Handlers, by the end of their path: what can be reached from them.
    pub handlers: Vec<String>,
    /// Rules: the places where they found something, what leads there and what comes next.
    pub rules: Vec<String>,
    /// How many nodes at most.
    pub limit: usize,
}

/// The part of a graph that is asked for, and how much of it was left out because of the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The part.
    pub graph: Graph,
    /// How many nodes there would have been.
    pub whole: usize,
}

/// Takes from a graph what is asked for.
///
/// # Errors
/// A crate or handler that is not in the graph, with the nearest name.
pub fn select(graph: &Graph, ask: &Ask) -> Result<Selected, String> {
    if !ask.handlers.is_empty() {
        let mut reached = part(graph, &graph.reach(&handlers(graph, &ask.handlers)?, true));
        // What ends a context is told as seen from the handlers.
        state::fill(&mut reached);
        return select(&reached, &Ask { handlers: Vec::new(), ..ask.clone() });
    }
    let mut keep: BTreeSet<usize> = (0..graph.nodes.len()).collect();
    if let Some(files) = &ask.files {
        let around = with_neighbours(graph, &of(graph, |node| files.contains(&node.place.file)));
        keep = keep.intersection(&around).copied().collect();
    }
    if !ask.crates.is_empty() {
        let around = with_neighbours(graph, &crates(graph, &ask.crates)?);
        keep = keep.intersection(&around).copied().collect();
    }
    if !ask.rules.is_empty() {
        let is_marked = |node: &Node| node.marks.iter().any(|mark| ask.rules.contains(&mark.rule));
        let marked: BTreeSet<usize> = of(graph, is_marked).intersection(&keep).copied().collect();
        let mut around = graph.reach(&marked, false);
        around.extend(graph.edges.iter().filter(|edge| marked.contains(&edge.from)).map(|edge| edge.to));
        keep = keep.intersection(&around).copied().collect();
    }
    let whole = keep.len();
    if whole > ask.limit {
        keep = first(graph, &keep, ask.limit);
    }
    Ok(Selected { graph: part(graph, &keep), whole })
}

/// The nodes for which something holds.
fn of(graph: &Graph, holds: impl Fn(&Node) -> bool) -> BTreeSet<usize> {
    graph.nodes.iter().enumerate().filter(|(_, node)| holds(node)).map(|(at, _)| at).collect()
}

fn handlers(graph: &Graph, asked: &[String]) -> Result<BTreeSet<usize>, String> {
    let is_handler = |node: &Node| matches!(node.kind, NodeKind::Handler(_) | NodeKind::Middleware(_));
    let mut found = BTreeSet::new();
    for asked in asked {
        let fits = |node: &Node| is_handler(node) && is_end_of(asked, &format!("{}::{}", node.library, node.name));
        let fitting = of(graph, fits);
        if fitting.is_empty() {
            let handlers = graph.nodes.iter().filter(|node| is_handler(node));
            let names = handlers.flat_map(|node| [node.name.as_str(), last(&node.name)]);
            return Err(unknown("handler", asked, names));
        }
        found.extend(fitting);
    }
    Ok(found)
}

fn crates(graph: &Graph, asked: &[String]) -> Result<BTreeSet<usize>, String> {
    let mut found = BTreeSet::new();
    for asked in asked {
        let fitting = of(graph, |node| node.krate == *asked || node.library == *asked);
        if fitting.is_empty() {
            return Err(unknown("crate", asked, graph.nodes.iter().map(|node| node.krate.as_str())));
        }
        found.extend(fitting);
    }
    Ok(found)
}

fn unknown<'n>(what: &str, asked: &str, names: impl Iterator<Item = &'n str>) -> String {
    let hint = nearest(asked, names).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    format!("no {what} `{asked}` has anything to do with contexts{hint}")
}

/// Whether a path ends with another, whole segments only.
fn is_end_of(end: &str, path: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn with_neighbours(graph: &Graph, nodes: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = nodes.clone();
    for edge in &graph.edges {
        if nodes.contains(&edge.from) || nodes.contains(&edge.to) {
            found.extend([edge.from, edge.to]);
        }
    }
    found
}

/// As many nodes as may be, entry by entry: some ways from end to end say more than the first steps of all.
fn first(graph: &Graph, among: &BTreeSet<usize>, limit: usize) -> BTreeSet<usize> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut has_before = BTreeSet::new();
    for edge in graph.edges.iter().filter(|edge| among.contains(&edge.from) && among.contains(&edge.to)) {
        next.entry(edge.from).or_default().push(edge.to);
        has_before.insert(edge.to);
    }
    let is_entry = |at: &usize| graph.nodes.get(*at).is_some_and(|node| node.kind.is_entry());
    let (entries, rest): (Vec<usize>, Vec<usize>) =
        among.iter().partition(|at| is_entry(at) || !has_before.contains(*at));
    let mut found = BTreeSet::new();
    for start in entries.into_iter().chain(rest) {
        let mut left = std::collections::VecDeque::from([start]);
        while let Some(at) = left.pop_front() {
            if found.len() >= limit {
                return found;
            }
            if found.insert(at) {
                left.extend(next.get(&at).into_iter().flatten());
            }
        }
    }
    found
}

/// These nodes, and the edges between them.
fn part(graph: &Graph, keep: &BTreeSet<usize>) -> Graph {
    let number: BTreeMap<usize, usize> = keep.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let nodes = keep.iter().filter_map(|at| graph.nodes.get(*at)).cloned().collect();
    let edge = |edge: &Edge| Some(Edge { from: *number.get(&edge.from)?, to: *number.get(&edge.to)?, ..*edge });
    Graph { nodes, edges: graph.edges.iter().filter_map(edge).collect() }
}
