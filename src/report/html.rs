//! The report as one page without anything from elsewhere.

mod snippet;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use super::preview::hunks;
use super::{Reported, View};
use crate::graph::{self, Graph};
use snippet::snippets;

pub(crate) const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Writes the page.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = &view.report.findings;
    let errors = findings.iter().filter(|reported| reported.is_error()).count();
    let warnings = findings.len() - errors;
    let files = view.workspace.files.iter().filter(|file| file.selected).count();
    let graph = view.report.graph.as_deref().filter(|graph| !graph.nodes.is_empty());
    write!(
        out,
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<title>ctxlint: {errors} error{s}, {warnings} warning{t}</title>\n",
            "<style>\n{style}{graph_style}</style>\n</head>\n<body>\n",
            "<header>\n<h1>ctxlint</h1>\n<p id=\"counts\"><b class=\"error\">{errors}</b> error{s}, ",
            "<b class=\"warning\">{warnings}</b> warning{t}, <b>{suppressed}</b> suppressed, ",
            "<b>{baseline}</b> in the baseline; {files} file{u}</p>\n"
        ),
        errors = errors,
        warnings = warnings,
        s = plural(errors),
        t = plural(warnings),
        u = plural(files),
        style = STYLE,
        graph_style = if graph.is_some() { graph::html::style() } else { "" },
        suppressed = view.report.suppressed,
        baseline = view.report.in_baseline,
        files = files,
    )?;
    out.write_all(filters(view).as_bytes())?;
    writeln!(out, "</header>")?;
    if let Some(graph) = graph {
        let section = graph::html::section(graph, view.workspace);
        write!(
            out,
            "<details id=\"fold\">\n<summary>Context graph: {} contexts, functions and tasks</summary>\n{section}</details>\n",
            graph.nodes.len()
        )?;
    }
    writeln!(out, "<main>")?;
    let marked = marked(graph);
    for reported in findings {
        out.write_all(article(view, reported, marked.contains(reported.fingerprint.as_str())).as_bytes())?;
    }
    writeln!(out, "<p id=\"none\"{}>No findings.</p>", if findings.is_empty() { "" } else { " hidden" })?;
    let graph_script = if graph.is_some() { graph::html::script() } else { String::new() };
    writeln!(out, "</main>\n<script>\n{SCRIPT}{graph_script}</script>\n</body>\n</html>")
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The fingerprints of the findings that have a place in the graph.
fn marked(graph: Option<&Graph>) -> BTreeSet<&str> {
    let marks = graph.into_iter().flat_map(|graph| &graph.nodes).flat_map(|node| &node.marks);
    marks.map(|mark| mark.fingerprint.as_str()).collect()
}

fn filters(view: View<'_>) -> String {
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for reported in &view.report.findings {
        *rules.entry(reported.finding.rule.to_owned()).or_default() += 1;
        *files.entry(view.path(reported.finding.primary).to_owned()).or_default() += 1;
    }
    let select = |name: &str, all: &str, options: BTreeMap<String, usize>| {
        let mut html = format!("<select name=\"{name}\" aria-label=\"{name}\"><option value=\"\">{all}</option>");
        for (option, count) in options {
            let option = escape(&option);
            let _ = write!(html, "<option value=\"{option}\">{option} ({count})</option>");
        }
        html + "</select>"
    };
    let levels = "<select name=\"level\" aria-label=\"level\"><option value=\"\">all levels</option>\
                  <option>error</option><option>warning</option></select>";
    format!(
        "<form id=\"filters\">{levels}{}{}<input name=\"text\" type=\"search\" placeholder=\"search\" aria-label=\"search\"> \
         <output id=\"shown\"></output></form>\n",
        select("rule", "all rules", rules),
        select("file", "all files", files),
    )
}

fn article(view: View<'_>, reported: &Reported, in_graph: bool) -> String {
    let finding = &reported.finding;
    let (start, _) = view.positions(finding.primary);
    let path = escape(view.path(finding.primary));
    let level = reported.severity();
    let mut html = format!(
        "<article id=\"f{id}\" class=\"{level}\" data-level=\"{level}\" data-rule=\"{rule}\" data-file=\"{path}\" tabindex=\"-1\">\n\
         <h2><span class=\"level\">{level}</span> {message}</h2>\n\
         <p class=\"where\"><a href=\"#f{id}\">{path}:{line}:{column}</a> <code>{code}</code>{in_graph}</p>\n",
        in_graph = match in_graph {
            true => format!(" <a href=\"#at={}\">in the graph</a>", escape(&reported.fingerprint)),
            false => String::new(),
        },
        id = escape(&reported.fingerprint),
        rule = escape(finding.rule),
        message = inline(&finding.message),
        line = start.line,
        column = start.column,
        code = escape(&reported.code()),
    );
    html.push_str(&snippets(view, finding));
    for note in &finding.notes {
        let _ = writeln!(html, "<p class=\"note\"><b>note</b> {}</p>", inline(note));
    }
    for help in &finding.helps {
        let _ = writeln!(html, "<p class=\"help\"><b>help</b> {}</p>", inline(&help.message));
        for hunk in hunks(view, help) {
            html.push_str("<pre class=\"change\">");
            for line in hunk.lines {
                let (class, sign) = if line.added { ("ins", '+') } else { ("del", '-') };
                let _ = write!(html, "<{class}>{:>4} {sign} {}</{class}>", line.number, escape(&line.text));
            }
            html.push_str("</pre>\n");
        }
    }
    html + "</article>\n"
}

/// A text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A sentence, with what stands in backticks as code.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        let part = escape(part);
        if index % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
        } else {
            html.push_str(&part);
        }
    }
    html
}
