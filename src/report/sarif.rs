//! SARIF 2.1.0, for code scanning.

use std::io::{self, Write};

use ctxlint_lints::RULES;
use ctxlint_lints::finding::{Finding, Help, Place};
use ctxlint_lints::rule::{Level, Rule};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use super::{Reported, View};
use crate::levels::{group_name, rule_index};

/// The name of our fingerprints; a new number if they are ever computed otherwise.
const FINGERPRINT: &str = "ctxlint/v1";

/// Writes all findings as one run.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let results: Vec<Value> = view.report.findings.iter().map(|reported| result(view, reported)).collect();
    let notifications: Vec<Value> = view
        .report
        .failures
        .iter()
        .map(|failure| json!({ "level": "error", "message": { "text": failure } }))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ctxlint",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": RULES.iter().map(|rule| describe(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": view.report.failures.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn describe(rule: &Rule) -> Value {
    json!({
        "id": rule_id(rule.name),
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.summary },
        "help": { "text": rule.docs, "markdown": rule.docs },
        "helpUri": super::page(rule.name),
        "defaultConfiguration": { "enabled": rule.level != Level::Allow, "level": level(rule.level) },
        "properties": {
            "tags": ["cancellation", group_name(rule.group)],
            "problem.severity": if rule.level >= Level::Deny { "error" } else { "warning" },
        },
    })
}

fn rule_id(name: &str) -> String {
    format!("ctxlint::{name}")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Deny | Level::Forbid => "error",
        Level::Warn | Level::Allow => "warning",
    }
}

fn result(view: View<'_>, reported: &Reported) -> Value {
    let finding = &reported.finding;
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(reported.code()));
    if let Some(index) = rule_index(finding.rule) {
        result.insert("ruleIndex".to_owned(), json!(index));
    }
    result.insert("level".to_owned(), json!(level(reported.level)));
    result.insert("message".to_owned(), json!({ "text": text(finding) }));
    result.insert("locations".to_owned(), json!([location(view, finding.primary, None, &finding.label)]));
    let related: Vec<Value> = finding
        .labels
        .iter()
        .enumerate()
        .map(|(id, label)| location(view, label.place, Some(id), &label.text))
        .collect();
    if !related.is_empty() {
        result.insert("relatedLocations".to_owned(), json!(related));
        result.insert("codeFlows".to_owned(), json!([flow(view, finding)]));
    }
    let fixes: Vec<Value> =
        finding.helps.iter().filter(|help| !help.edits.is_empty()).map(|help| fix(view, help)).collect();
    if !fixes.is_empty() {
        result.insert("fixes".to_owned(), json!(fixes));
    }
    result.insert("partialFingerprints".to_owned(), json!({ FINGERPRINT: reported.fingerprint }));
    Value::Object(result)
}

/// What happens, and what to write instead: code scanning shows nothing else beside the line.
fn text(finding: &Finding) -> String {
    let notes = finding.notes.iter().map(|note| format!("\nnote: {note}"));
    let helps = finding.helps.iter().map(|help| format!("\nhelp: {}", help.message));
    std::iter::once(finding.message.clone()).chain(notes).chain(helps).collect()
}

/// The way from where the context or handle comes from to the misuse.
fn flow(view: View<'_>, finding: &Finding) -> Value {
    let steps = finding.labels.iter().map(|label| (label.place, label.text.as_str()));
    let steps = steps.chain([(finding.primary, finding.label.as_str())]);
    let steps: Vec<Value> =
        steps.map(|(place, text)| json!({ "location": location(view, place, None, text) })).collect();
    json!({ "threadFlows": [{ "locations": steps }] })
}

fn location(view: View<'_>, place: Place, id: Option<usize>, text: &str) -> Value {
    let mut location = Map::new();
    if let Some(id) = id {
        location.insert("id".to_owned(), json!(id));
    }
    let physical = json!({ "artifactLocation": { "uri": uri(view, place) }, "region": region(view, place) });
    location.insert("physicalLocation".to_owned(), physical);
    if !text.is_empty() {
        location.insert("message".to_owned(), json!({ "text": text }));
    }
    Value::Object(location)
}

fn region(view: View<'_>, place: Place) -> Value {
    let (start, end) = view.positions(place);
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

fn fix(view: View<'_>, help: &Help) -> Value {
    let mut by_file: Vec<(Place, Vec<Value>)> = Vec::new();
    let mut index: FxHashMap<usize, usize> = FxHashMap::default();
    for edit in &help.edits {
        let replacement = json!({
            "deletedRegion": region(view, edit.place),
            "insertedContent": { "text": edit.text },
        });
        let at = *index.entry(edit.place.file.index()).or_insert_with(|| {
            by_file.push((edit.place, Vec::new()));
            by_file.len() - 1
        });
        if let Some((_, replacements)) = by_file.get_mut(at) {
            replacements.push(replacement);
        }
    }
    let changes: Vec<Value> = by_file
        .into_iter()
        .map(|(place, replacements)| {
            json!({ "artifactLocation": { "uri": uri(view, place) }, "replacements": replacements })
        })
        .collect();
    json!({ "description": { "text": help.message }, "artifactChanges": changes })
}

/// A path as a relative reference, or a `file:` address if it is absolute.
fn uri(view: View<'_>, place: Place) -> String {
    let path = view.ci_path(place);
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
