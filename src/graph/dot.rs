//! The graph for Graphviz.

use std::fmt::Write as _;

use super::{Edge, EdgeKind, Graph, Node, NodeKind, by_crate, lines};
use crate::workspace::Workspace;

/// The graph in the DOT language.
pub fn text(graph: &Graph, workspace: &Workspace) -> String {
    let mut out = String::from(
        "digraph contexts {\n  rankdir=LR; bgcolor=\"white\"; nodesep=0.2; ranksep=0.5;\n  \
         node [fontname=\"Helvetica\", fontsize=11, shape=box, style=\"rounded,filled\", fillcolor=\"white\", color=\"#5b6470\"];\n  \
         edge [fontname=\"Helvetica\", fontsize=9, color=\"#5b6470\", fontcolor=\"#5b6470\", arrowsize=0.7];\n",
    );
    for (number, (krate, nodes)) in by_crate(graph).into_iter().enumerate() {
        let _ = writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label={}; fontname=\"Helvetica\"; color=\"#d9dde3\";",
            quoted(krate)
        );
        for (at, node) in nodes {
            let _ = writeln!(out, "    n{at} [{}];", attributes(node, workspace));
        }
        out.push_str("  }\n");
    }
    for edge in &graph.edges {
        let _ = writeln!(out, "  n{} -> n{}{};", edge.from, edge.to, edge_attributes(edge));
    }
    out.push_str("}\n");
    out
}

fn attributes(node: &Node, workspace: &Workspace) -> String {
    let mut text = format!("label={}", quoted(&lines(node, workspace).join("\n")));
    let look = match &node.kind {
        NodeKind::Handler(_) | NodeKind::Middleware(_) => ", fillcolor=\"#dbe7ff\", color=\"#2f5fb3\"",
        NodeKind::Function => "",
        NodeKind::Task { .. } => ", shape=box, style=\"filled\", peripheries=2, fillcolor=\"#f5f6f8\"",
        NodeKind::Root | NodeKind::Token => ", shape=ellipse, fillcolor=\"#f5f6f8\"",
        NodeKind::Elsewhere | NodeKind::Rest => ", style=\"rounded,dashed\"",
        NodeKind::Derived(super::Adds::Deadline) => ", shape=ellipse, fillcolor=\"#d8f3e0\", color=\"#1a6b3c\"",
        NodeKind::Derived(_) => ", shape=ellipse",
        NodeKind::Detached | NodeKind::Reparented => ", shape=octagon, fillcolor=\"#fff1d6\", color=\"#8a5a00\"",
    };
    text.push_str(look);
    if !node.marks.is_empty() {
        text.push_str(", color=\"#b3261e\", penwidth=2");
    }
    text
}

fn edge_attributes(edge: &Edge) -> String {
    match edge.kind {
        EdgeKind::Derives | EdgeKind::Passes | EdgeKind::Makes => String::new(),
        EdgeKind::Spawns => " [style=bold, label=\"spawns\"]".to_owned(),
        EdgeKind::Replaces => " [label=\"replaces the request's\"]".to_owned(),
        EdgeKind::Cut => " [style=dashed, color=\"#b3261e\", label=\"cut\"]".to_owned(),
        EdgeKind::Restarts => " [style=dashed, color=\"#b3261e\", label=\"starts over\"]".to_owned(),
        EdgeKind::Loses => " [style=dashed, color=\"#b3261e\", label=\"without it\"]".to_owned(),
        EdgeKind::Calls => " [style=dotted]".to_owned(),
    }
}

/// A text as a quoted string of the DOT language, its lines as lines.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted("a \"b\" \\ c\nd"), r#""a \"b\" \\ c\nd""#);
    }
}
