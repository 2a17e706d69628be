//! What ends the contexts that get to a node.

use super::{Adds, Edge, EdgeKind, Graph, NodeKind};

/// What ends the contexts of a node, over all ways that lead to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// They end with a request.
    pub request: bool,
    /// They are cut off from something that could have ended them.
    pub cut: bool,
    /// Nothing ends them.
    pub endless: bool,
    /// Something may end them that is not in view.
    pub open: bool,
    /// Whether a deadline applies.
    pub deadline: Deadline,
}

/// Whether a deadline applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deadline {
    /// On no way that is in view.
    #[default]
    None,
    /// On some ways.
    Some,
    /// On every way.
    Every,
}

impl State {
    /// In a few words; nothing where nothing is to be said.
    pub fn words(self) -> Vec<&'static str> {
        let mut words = Vec::new();
        match self.deadline {
            Deadline::Every => words.push("deadline"),
            Deadline::Some => words.push("deadline on some ways"),
            Deadline::None => {}
        }
        match (self.cut, self.request) {
            (true, false) => words.push("cut off"),
            (true, true) => words.push("cut off on some ways"),
            _ => {}
        }
        if self.endless {
            words.push(if self.request || self.open || self.deadline != Deadline::None {
                "never ends on some ways"
            } else {
                "never ends"
            });
        }
        words
    }
}

/// One way by which contexts get to a node, as a bit of a set.
#[derive(Clone, Copy)]
struct Way {
    ends: Ends,
    deadline: bool,
    cut: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Never,
    Bounded,
    Request,
    Open,
}

const ENDS: [Ends; 4] = [Ends::Never, Ends::Bounded, Ends::Request, Ends::Open];

impl Way {
    fn bit(self) -> u16 {
        let ends = ENDS.iter().position(|ends| *ends == self.ends).unwrap_or(0);
        1 << (ends * 4 + usize::from(self.deadline) * 2 + usize::from(self.cut))
    }

    fn all() -> impl Iterator<Item = Way> {
        let flags = [(false, false), (false, true), (true, false), (true, true)];
        ENDS.into_iter().flat_map(move |ends| flags.map(|(deadline, cut)| Way { ends, deadline, cut }))
    }
}

fn of(ways: u16) -> impl Iterator<Item = Way> {
    Way::all().filter(move |way| ways & way.bit() != 0)
}

fn each(ways: u16, change: impl Fn(Way) -> Way) -> u16 {
    of(ways).fold(0, |all, way| all | change(way).bit())
}

/// Fills in the state of every node: the least fixpoint over the edges.
pub(super) fn fill(graph: &mut Graph) {
    let mut ways: Vec<u16> = vec![0; graph.nodes.len()];
    let mut into: Vec<Vec<Edge>> = vec![Vec::new(); graph.nodes.len()];
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        into.get_mut(edge.to).into_iter().for_each(|list| list.push(*edge));
        out.get_mut(edge.from).into_iter().for_each(|list| list.push(edge.to));
    }
    let mut left: Vec<usize> = (0..graph.nodes.len()).rev().collect();
    while let Some(at) = left.pop() {
        let (Some(node), Some(into)) = (graph.nodes.get(at), into.get(at)) else { continue };
        let now = transfer(&node.kind, into, &ways);
        if let Some(known) = ways.get_mut(at).filter(|known| **known != now) {
            *known = now;
            left.extend(out.get(at).into_iter().flatten());
        }
    }
    for (node, ways) in graph.nodes.iter_mut().zip(ways) {
        node.state = told(ways);
    }
}

/// A node's ways from those of the nodes before it.
fn transfer(kind: &NodeKind, into: &[Edge], ways: &[u16]) -> u16 {
    let from = |edge: &Edge| ways.get(edge.from).copied().unwrap_or(0);
    let carried = into.iter().filter(|edge| edge.kind.carries()).fold(0, |all, edge| all | from(edge));
    let way = |ends, cut| Way { ends, deadline: false, cut }.bit();
    let bounded = |way: Way| if way.ends == Ends::Never { Ends::Bounded } else { way.ends };
    match kind {
        NodeKind::Handler(_) | NodeKind::Middleware(_) => carried | way(Ends::Request, false),
        NodeKind::Root => way(Ends::Never, into.iter().any(|edge| edge.kind == EdgeKind::Restarts)),
        NodeKind::Token => way(Ends::Bounded, false),
        NodeKind::Elsewhere => way(Ends::Open, false),
        NodeKind::Detached => way(Ends::Never, true),
        NodeKind::Derived(Adds::Deadline) => {
            each(carried, |way| Way { ends: bounded(way), deadline: true, cut: way.cut })
        }
        NodeKind::Derived(_) => each(carried, |way| Way { ends: bounded(way), ..way }),
        NodeKind::Reparented if carried == 0 => way(Ends::Open, true),
        NodeKind::Reparented => each(carried, |way| Way { cut: true, ..way }),
        NodeKind::Function | NodeKind::Task { .. } | NodeKind::Rest => {
            let given = into.iter().any(|edge| edge.kind.carries());
            let bare = into.iter().any(|edge| matches!(edge.kind, EdgeKind::Loses | EdgeKind::Calls));
            if given || bare { carried } else { way(Ends::Open, false) }
        }
    }
}

fn told(ways: u16) -> State {
    let any = |is: fn(Way) -> bool| of(ways).any(is);
    let deadline = match (any(|way| way.deadline), any(|way| !way.deadline)) {
        (true, false) => Deadline::Every,
        (true, true) => Deadline::Some,
        (false, _) => Deadline::None,
    };
    State {
        request: any(|way| way.ends == Ends::Request),
        cut: any(|way| way.cut),
        endless: any(|way| way.ends == Ends::Never),
        open: any(|way| way.ends == Ends::Open),
        deadline,
    }
}
