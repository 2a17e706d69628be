//! The graph as something to look at in a browser, as a page of its own and as a part of the report.
//! The page does the layout, so that what is looked at can be narrowed down there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Graph, Node, NodeKind, place, what};
use crate::report::html::{STYLE, escape};
use crate::workspace::Workspace;

const VIEW_STYLE: &str = include_str!("html/view.css");
const LAYOUT: &str = include_str!("html/layout.js");
const VIEW: &str = include_str!("html/view.js");

/// The graph as a page that needs nothing else.
pub fn page(graph: &Graph, workspace: &Workspace) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>ctxlint: context graph</title>\n<style>\n",
    );
    let _ = write!(html, "{STYLE}{VIEW_STYLE}");
    let _ = write!(
        html,
        "</style>\n</head>\n<body>\n<header>\n<h1>ctxlint</h1>\n<p id=\"counts\">context graph: {}, {}, {}</p>\n</header>\n<main class=\"wide\">\n",
        number(count(graph, |node| matches!(node.kind, NodeKind::Handler(_) | NodeKind::Middleware(_))), "handler"),
        number(count(graph, |node| matches!(node.kind, NodeKind::Task { .. })), "task"),
        number(graph.edges.iter().filter(|edge| edge.kind.is_cut()).count(), "cut"),
    );
    html.push_str(&section(graph, workspace));
    let _ = write!(html, "</main>\n<script>\n{}</script>\n</body>\n</html>\n", script());
    html
}

fn number(count: usize, word: &str) -> String {
    format!("<b>{count}</b> {word}{}", if count == 1 { "" } else { "s" })
}

fn count(graph: &Graph, is: impl Fn(&Node) -> bool) -> usize {
    graph.nodes.iter().filter(|node| is(node)).count()
}

/// What a page with a [`section`] needs besides the report's own style.
pub fn style() -> &'static str {
    VIEW_STYLE
}

/// What draws the [`section`] that stands before it.
pub fn script() -> String {
    format!("{LAYOUT}{VIEW}")
}

/// The graph with what chooses a part of it.
pub fn section(graph: &Graph, workspace: &Workspace) -> String {
    let mut html = "<section id=\"graph\" aria-label=\"context graph\">\n<form class=\"controls\">".to_owned();
    html.push_str(&entries(graph));
    let crates: BTreeSet<&str> = graph.nodes.iter().map(|node| node.krate.as_str()).collect();
    html.push_str(&select("crate", "all crates", &crates));
    let rules: BTreeSet<&str> =
        graph.nodes.iter().flat_map(|node| &node.marks).map(|mark| mark.rule.as_str()).collect();
    html.push_str(&select("mark", "all rules", &rules));
    html.push_str(
        "<input name=\"find\" type=\"search\" placeholder=\"name or path\" aria-label=\"name or path\">\
         <button type=\"button\" data-zoom=\"0.8\" aria-label=\"smaller\">−</button>\
         <button type=\"button\" data-zoom=\"1.25\" aria-label=\"larger\">+</button>\
         <input name=\"at\" type=\"hidden\"><button type=\"button\" data-zoom=\"0\">fit</button><output></output></form>\n",
    );
    html.push_str(LEGEND);
    html.push_str(
        "<div class=\"drawing\"><div class=\"sheet\"></div><aside class=\"about\" aria-live=\"polite\"></aside></div>\n\
         <noscript><p>The graph is drawn by a script.</p></noscript>\n",
    );
    // In a script element only `<` could end the data.
    let data = data(graph, workspace).to_string().replace('<', "\\u003c");
    let _ = writeln!(html, "<script id=\"graph-data\" type=\"application/json\">{data}</script>\n</section>");
    html
}

const LEGEND: &str = concat!(
    "<ul class=\"legend\">",
    "<li><svg width=\"26\" height=\"14\"><g class=\"node handler\"><rect x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"3\"/></g></svg> handler</li>",
    "<li><svg width=\"26\" height=\"14\"><g class=\"node task\"><rect x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"2\"/></g></svg> task</li>",
    "<li><svg width=\"26\" height=\"14\"><g class=\"node deadline\"><rect x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"5\"/></g></svg> a deadline applies from here</li>",
    "<li><svg width=\"26\" height=\"14\"><g class=\"node detached\"><rect x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"5\"/></g></svg> detached</li>",
    "<li><svg width=\"26\" height=\"14\"><path class=\"edge cut\" d=\"M1,7 H25\"/></svg> cancellation is cut</li>",
    "<li><svg width=\"26\" height=\"14\"><path class=\"edge spawns\" d=\"M1,7 H25\"/></svg> into a task</li>",
    "<li><svg width=\"26\" height=\"14\"><g class=\"node marked\"><rect x=\"2\" y=\"2\" width=\"22\" height=\"10\" rx=\"3\"/></g></svg> something was found</li>",
    "</ul>\n",
);

/// Where one can begin: handlers, then roots, by crate.
fn entries(graph: &Graph) -> String {
    let mut groups: BTreeMap<(u8, &str), Vec<(usize, &Node)>> = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.kind.is_entry()) {
        let rank = u8::from(node.kind.is_context());
        groups.entry((rank, &node.krate)).or_default().push((at, node));
    }
    let mut html = "<select name=\"from\" aria-label=\"from\"><option value=\"\">from anywhere</option>".to_owned();
    for ((rank, krate), mut nodes) in groups {
        nodes.sort_by_key(|(_, node)| (&node.name, node.place));
        let title = if rank == 0 { "handlers" } else { "roots" };
        let _ = write!(html, "<optgroup label=\"{title} of {}\">", escape(krate));
        for (at, node) in nodes {
            let _ = write!(html, "<option value=\"{at}\">{}</option>", escape(&node.name));
        }
        html.push_str("</optgroup>");
    }
    html + "</select>"
}

fn select(name: &str, all: &str, options: &BTreeSet<&str>) -> String {
    let mut html = format!("<select name=\"{name}\" aria-label=\"{name}\"><option value=\"\">{all}</option>");
    for option in options {
        let _ = write!(html, "<option>{}</option>", escape(option));
    }
    html + "</select>"
}

fn data(graph: &Graph, workspace: &Workspace) -> Value {
    let node = |node: &Node| {
        let marks = node.marks.iter().map(|mark| json!([mark.rule, mark.fingerprint]));
        json!({
            "kind": node.kind.word(),
            "name": node.name,
            "what": what(node),
            "crate": node.krate,
            "place": place(node.place, workspace),
            "words": node.state.words(),
            "marks": marks.collect::<Value>(),
            "entry": node.kind.is_entry(),
            "context": node.kind.is_context(),
        })
    };
    let edges = graph.edges.iter().map(|edge| json!([edge.from, edge.to, edge.kind.word()]));
    json!({ "nodes": graph.nodes.iter().map(node).collect::<Value>(), "edges": edges.collect::<Value>() })
}
