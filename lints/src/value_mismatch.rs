//! A look-up that can never find what was stored.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::types::DefId;

use crate::certain;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;
use crate::values::{self, Access};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "value_mismatch",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a look-up that can never find what was stored",
    docs: include_str!("../docs/value_mismatch.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let all = values::all(analysis);
    // A key that is not known may be any.
    if all.iter().any(|access| access.written && access.key.is_unknown()) {
        return;
    }
    let reads = all.iter().filter(|access| !access.written);
    let keys: BTreeSet<DefId> = reads.filter_map(|access| values::own_type(&access.key)).collect();
    let mut hidden = values::hidden(analysis, &keys);
    hidden.extend(values::written_by_traits(analysis, &all, &keys));
    for read in all.iter().filter(|access| !access.written) {
        match values::own_type(&read.key) {
            Some(def) if hidden.contains(&def) || is_open(analysis, def) => {}
            Some(def) => findings.extend(by_type(analysis, &all, read, def)),
            None => findings.extend(by_text(analysis, &all, read)),
        }
    }
}

/// Whether code outside the workspace may write under a key.
fn is_open(analysis: &Analysis, def: DefId) -> bool {
    analysis.program.is_exported(def) && analysis.program.is_library(def.file)
}

fn by_type(analysis: &Analysis, all: &[Access], read: &Access, key: DefId) -> Option<Finding> {
    let writes: Vec<&Access> =
        all.iter().filter(|access| access.written && values::own_type(&access.key) == Some(key)).collect();
    if !writes.is_empty() {
        return other_type(analysis, &writes, read);
    }
    let name = analysis.program.item(key).map(|item| item.name.to_string()).unwrap_or_default();
    let same_name = all
        .iter()
        .find(|access| access.written && access.text.as_ref().is_some_and(|text| support::type_name(text) == name));
    let mut finding = Finding::new(
        RULE.name,
        read.site,
        format!("this look-up always gives `None`: nothing in the workspace writes a value under `{name}`"),
        "finds nothing, every time",
    );
    if let Some(item) = analysis.program.item(key) {
        finding = finding
            .label(ctxlint_analysis::flow::value::Site::new(key.file, item.name_span), "the key, which nobody writes");
    }
    Some(match same_name {
        Some(write) => other_key(finding, write),
        None => finding.help("write a value under this key, or read the key that is written"),
    })
}

/// The key is written, but never with what is read.
fn other_type(analysis: &Analysis, writes: &[&Access], read: &Access) -> Option<Finding> {
    if !writes.iter().all(|write| certain::differ(&write.value, &read.value)) {
        return None;
    }
    let first = writes.first()?;
    let (stored, wanted) = (analysis.program.type_text(&first.value), analysis.program.type_text(&read.value));
    let mut finding = Finding::new(
        RULE.name,
        read.site,
        format!("this look-up always gives `None`: the value is stored as `{stored}` and read as `{wanted}`"),
        "finds nothing, every time",
    );
    for write in writes.iter().take(3) {
        finding = finding.label(write.site, format!("stored as `{}`", analysis.program.type_text(&write.value)));
    }
    Some(finding.note("a value is found only as the very type it was stored as; nothing is converted").help(format!(
        "read it as `{stored}`, or store a `{wanted}`; an accessor beside the key keeps the two together"
    )))
}

fn by_text(analysis: &Analysis, all: &[Access], read: &Access) -> Option<Finding> {
    let text = read.text.as_ref()?;
    if !values::is_known(&read.key) {
        return None;
    }
    let mut same = Vec::new();
    for write in all.iter().filter(|access| access.written && access.key == read.key) {
        match &write.text {
            None => return None,
            Some(other) if other == text => same.push(write),
            Some(_) => {}
        }
    }
    if !same.is_empty() {
        return other_type(analysis, &same, read);
    }
    let other = all
        .iter()
        .find(|access| access.written && values::is_known(&access.key) && is_named(analysis, access, text))?;
    let finding = Finding::new(
        RULE.name,
        read.site,
        format!(
            "this look-up always gives `None`: the value is stored under another type of key than `{}`",
            analysis.program.type_text(&read.key)
        ),
        "finds nothing, every time",
    );
    Some(other_key(finding, other))
}

/// Whether something is written under a key of this text, or of a type of this name.
fn is_named(analysis: &Analysis, write: &Access, text: &str) -> bool {
    match values::own_type(&write.key).and_then(|def| analysis.program.item(def)) {
        Some(item) => item.name == support::type_name(text),
        None => write.text.as_deref() == Some(text),
    }
}

fn other_key(finding: Finding, write: &Access) -> Finding {
    finding
        .label(write.site, "written here, under a key of another type")
        .note("keys are equal only if their types are the same: `\"user\"`, `String::from(\"user\")` and a type `User` are three keys")
        .help("read with the key that is written; declare one type for it, private to the module, with an accessor for each way")
}
