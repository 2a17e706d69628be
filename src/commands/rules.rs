//! `ctxlint rules`: every rule with its group and level.

use std::fmt::Write as _;

use ctxlint_lints::RULES;
use ctxlint_lints::rule::Level;
use serde_json::{Value, json};

use crate::cli::{ListFormat, RulesArgs};
use crate::levels::{group_name, level_name};
use crate::run::{Failure, Outcome, colored, print};

pub(crate) fn run(args: &RulesArgs) -> Result<Outcome, Failure> {
    match args.message_format {
        ListFormat::Human => print(&table(colored(args.color))),
        ListFormat::Json => print(&format!("{:#}\n", list())),
    }
}

fn table(color: bool) -> String {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = None;
    for rule in RULES {
        if group != Some(rule.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", paint(color, "1", group_name(rule.group)));
            group = Some(rule.group);
        }
        let level = match rule.level {
            Level::Allow => paint(color, "2", "allow"),
            Level::Warn => paint(color, "33", "warn "),
            Level::Deny | Level::Forbid => paint(color, "31", "deny "),
        };
        let fix = if rule.fixable { paint(color, "32", "fix") } else { "   ".to_owned() };
        let _ = writeln!(text, "  {:width$}  {level}  {fix}  {}", rule.name, rule.summary);
    }
    let _ = writeln!(text, "\n{} rules; `ctxlint explain RULE` tells more", RULES.len());
    text
}

fn paint(color: bool, code: &str, text: &str) -> String {
    if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn list() -> Value {
    let rule = |rule: &&ctxlint_lints::rule::Rule| {
        json!({
            "name": rule.name,
            "group": group_name(rule.group),
            "level": level_name(rule.level),
            "summary": rule.summary,
            "fixable": rule.fixable,
            "in_tests": rule.in_tests,
        })
    };
    RULES.iter().map(rule).collect()
}
