//! The graph for Mermaid, as Markdown pages of GitHub and GitLab show it.

use std::fmt::Write as _;

use super::{Adds, Edge, EdgeKind, Graph, Node, NodeKind, by_crate, lines};
use crate::workspace::Workspace;

/// Colours that can be read on a light and on a dark page.
const CLASSES: &str = "  \
    classDef handler fill:#dbe7ff,stroke:#2f5fb3,color:#1b1f24\n  \
    classDef plain fill:#ffffff,stroke:#5b6470,color:#1b1f24\n  \
    classDef deadline fill:#d8f3e0,stroke:#1a6b3c,color:#1b1f24\n  \
    classDef detached fill:#fff1d6,stroke:#8a5a00,color:#1b1f24\n  \
    classDef found stroke:#b3261e,stroke-width:3px\n";

/// The graph as a flowchart.
pub fn text(graph: &Graph, workspace: &Workspace) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (number, (krate, nodes)) in by_crate(graph).into_iter().enumerate() {
        let _ = writeln!(out, "  subgraph c{number}[\"{}\"]", escaped(krate));
        // A subgraph on its own would go from top to bottom.
        out.push_str("    direction LR\n");
        for (at, node) in nodes {
            let (open, close) = brackets(&node.kind);
            let label: Vec<String> = lines(node, workspace).iter().map(|line| escaped(line)).collect();
            let _ = writeln!(out, "    n{at}{open}\"{}\"{close}", label.join("<br>"));
        }
        out.push_str("  end\n");
    }
    for edge in &graph.edges {
        let _ = writeln!(out, "  n{} {} n{}", edge.from, arrow(edge), edge.to);
    }
    let cuts: Vec<String> =
        graph.edges.iter().zip(0..).filter(|(edge, _)| edge.kind.is_cut()).map(|(_, at)| at.to_string()).collect();
    if !cuts.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:#b3261e", cuts.join(","));
    }
    out.push_str(CLASSES);
    for class in ["handler", "plain", "deadline", "detached"] {
        class_line(&mut out, graph, class, |node| self::class(node) == class);
    }
    class_line(&mut out, graph, "found", |node| !node.marks.is_empty());
    out
}

fn class_line(out: &mut String, graph: &Graph, class: &str, is: impl Fn(&Node) -> bool) {
    let ids: Vec<String> =
        graph.nodes.iter().zip(0..).filter(|(node, _)| is(node)).map(|(_, at)| format!("n{at}")).collect();
    if !ids.is_empty() {
        let _ = writeln!(out, "  class {} {class}", ids.join(","));
    }
}

fn class(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Handler(_) | NodeKind::Middleware(_) => "handler",
        NodeKind::Derived(Adds::Deadline) => "deadline",
        NodeKind::Detached | NodeKind::Reparented => "detached",
        _ => "plain",
    }
}

fn brackets(kind: &NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Handler(_) | NodeKind::Middleware(_) | NodeKind::Rest => ("(", ")"),
        NodeKind::Function | NodeKind::Elsewhere => ("[", "]"),
        NodeKind::Task { .. } => ("[[", "]]"),
        NodeKind::Root | NodeKind::Token | NodeKind::Derived(_) => ("([", "])"),
        NodeKind::Detached | NodeKind::Reparented => ("{{", "}}"),
    }
}

fn arrow(edge: &Edge) -> &'static str {
    match edge.kind {
        EdgeKind::Derives | EdgeKind::Passes | EdgeKind::Makes => "-->",
        EdgeKind::Spawns => "==>|spawns|",
        EdgeKind::Replaces => "-->|replaces the request's|",
        EdgeKind::Cut => "-.->|cut|",
        EdgeKind::Restarts => "-.->|starts over|",
        EdgeKind::Loses => "-.->|without it|",
        EdgeKind::Calls => "-.->",
    }
}

/// A text within quotes: Mermaid knows entities, with `#` for `&`, and no other escape.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' => out.push_str("#35;"),
            '`' => out.push_str("#96;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(escaped("a \"b\" <i>&amp; `c`\n#1"), "a #quot;b#quot; #lt;i#gt;#amp;amp; #96;c#96; #35;1");
    }
}
