//! A key type that others can see, beside accessors that could hide it.

use std::collections::BTreeMap;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{FileFacts, ScopeId, ScopeKind, Visibility};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::types::DefId;

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::values;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "public_value_key",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a key type that others can see, beside accessors that could hide it",
    docs: include_str!("../docs/public_value_key.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let mut writers: BTreeMap<DefId, DefId> = BTreeMap::new();
    let mut readers: BTreeMap<DefId, DefId> = BTreeMap::new();
    for (code, call) in Code::calling(analysis, values::ACCESSES) {
        let Some(function) = analysis.program.enclosing_function(code.who) else { continue };
        let (Some(written), Some(model)) = (values::accesses(&call), call.model) else { continue };
        let Some(local) = model.key.and_then(|key| call.args.get(key)) else { continue };
        let Some(key) = values::own_type(code.ty(*local).unreferenced()) else { continue };
        if is_accessor(analysis, key, function) {
            if written { &mut writers } else { &mut readers }.entry(key).or_insert(function);
        }
    }
    for (key, writer) in &writers {
        let (Some(item), Some(reader)) = (analysis.program.item(*key), readers.get(key)) else { continue };
        if item.visibility == Visibility::Private {
            continue;
        }
        let name = |def: &DefId| analysis.program.item(*def).map(|item| (Site::new(def.file, item.name_span), item));
        let mut finding = Finding::new(
            RULE.name,
            Site::new(key.file, item.name_span),
            "whoever can name this key can read and replace the value, past the accessors beside it",
            "visible outside its module",
        );
        if let Some((site, _)) = name(writer) {
            finding = finding.label(site, "writes the value");
        }
        if let Some((site, _)) = name(reader) {
            finding = finding.label(site, "reads it");
        }
        findings.push(finding.help("make the key private to its module: the accessors are all that others need"));
    }
}

/// Whether a function stands beside a key, and others can see it.
fn is_accessor(analysis: &Analysis, key: DefId, function: DefId) -> bool {
    let (Some(facts), Some(item)) = (analysis.program.facts(key.file), analysis.program.item(function)) else {
        return false;
    };
    let module = |def: DefId| analysis.program.item(def).and_then(|item| module_of(facts, item.scope));
    key.file == function.file && item.visibility != Visibility::Private && module(key) == module(function)
}

/// The module that a scope is in.
fn module_of(facts: &FileFacts, scope: ScopeId) -> Option<ScopeId> {
    let mut at = scope;
    for _ in 0..=facts.scopes.len() {
        let known = facts.scope(at)?;
        match known.kind {
            ScopeKind::File | ScopeKind::Module(_) => return Some(at),
            _ => at = known.parent?,
        }
    }
    None
}
