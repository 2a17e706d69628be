//! Suppressions in the source, and the findings about suppressions.

use std::collections::BTreeSet;

use ctxlint_analysis::facts::{Directive, DirectiveForm, DirectiveKind, FileFacts, Span};
use ctxlint_analysis::source::FileId;
use ctxlint_lints::RULES;
use ctxlint_lints::finding::{Applicability, Edit, Finding, Help, Label, Place};
use ctxlint_lints::rule::{Level, Rule};

use crate::levels::{Levels, Selector};
use crate::workspace::File;

/// A file with what decides about suppressions in it.
pub struct Scope<'f> {
    /// Its index.
    pub id: FileId,
    /// Its text.
    pub file: &'f File,
    /// Its directives: those that the lexer sees if it does not parse.
    pub directives: &'f [Directive],
    /// Which of its items are tests, if it parses.
    pub facts: Option<&'f FileFacts>,
    /// The levels in it.
    pub levels: Levels,
    /// Whether a suppression without a reason counts.
    pub require_reason: bool,
    /// Whether the whole file is test code.
    pub test: bool,
}

/// What is left of a file's findings.
#[derive(Default)]
pub struct Outcome {
    /// With their levels.
    pub kept: Vec<(Finding, Level)>,
    /// How many were taken out.
    pub suppressed: usize,
}

/// Applies the suppressions of a file to its findings, and adds what there is to say about them.
pub fn apply(scope: &Scope<'_>, findings: Vec<Finding>) -> Outcome {
    let directives = scope.directives;
    let mut used = Used::default();
    let mut outcome = Outcome::default();
    for finding in findings {
        settle(scope, directives, finding, &mut used, &mut outcome);
    }
    let about: Vec<Finding> = directives
        .iter()
        .enumerate()
        .flat_map(|(index, directive)| {
            unknown(scope, directive).into_iter().chain(unused(scope, index, directive, &used))
        })
        .collect();
    for finding in about {
        settle(scope, directives, finding, &mut used, &mut outcome);
    }
    outcome
}

/// Which names of which directives took a finding out: (directive, name).
#[derive(Default)]
struct Used(BTreeSet<(usize, usize)>);

fn settle(scope: &Scope<'_>, directives: &[Directive], mut finding: Finding, used: &mut Used, outcome: &mut Outcome) {
    let level = scope.levels.of(finding.rule);
    if level == Level::Allow {
        return;
    }
    let matching: Vec<(usize, usize)> = matching(directives, &finding);
    let mut counts = false;
    for &(index, name) in &matching {
        let Some(directive) = directives.get(index) else { continue };
        if level == Level::Forbid {
            finding.notes.push(format!("`{}` is at level forbid: the suppression has no effect", finding.rule));
        } else if scope.require_reason && directive.reason.is_none() {
            finding
                .notes
                .push("the suppression has no effect without a `reason`, which the configuration requires".to_owned());
        } else {
            counts = true;
        }
        used.0.insert((index, name));
    }
    if counts {
        outcome.suppressed += 1;
    } else {
        outcome.kept.push((finding, level));
    }
}

/// The directives, and the names in them, that mean this finding.
fn matching(directives: &[Directive], finding: &Finding) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (index, directive) in directives.iter().enumerate() {
        if !suppresses(directive) || !covers(directive.covers, finding.primary.span) {
            continue;
        }
        let name = directive.rules.iter().position(|(name, _)| means(name, finding.rule));
        found.extend(name.map(|name| (index, name)));
    }
    found
}

fn suppresses(directive: &Directive) -> bool {
    matches!(directive.kind, DirectiveKind::Allow | DirectiveKind::Expect)
}

fn covers(covered: Span, place: Span) -> bool {
    covered.start <= place.start
        && (place.start < covered.end || place.start == place.end && place.start == covered.end)
}

/// Whether a name in a directive, a rule's or a group's, means this rule.
fn means(name: &str, rule: &str) -> bool {
    rules_named(name).any(|named| named.name == rule)
}

/// The rules that a name in a directive means: there is no `all` and no `warnings` there.
fn rules_named(name: &str) -> impl Iterator<Item = &'static Rule> {
    let selector =
        Selector::parse(name).ok().filter(|selector| matches!(selector, Selector::Rule(_) | Selector::Group(_)));
    RULES
        .iter()
        .enumerate()
        .filter(move |(index, rule)| selector.is_some_and(|selector| selector.covers(*index, rule)))
        .map(|(_, rule)| *rule)
}

/// Names that nobody knows, and directives that cannot be read.
fn unknown(scope: &Scope<'_>, directive: &Directive) -> Vec<Finding> {
    let at = |span| Place { file: scope.id, span };
    if let DirectiveKind::Malformed(why) = &directive.kind {
        return vec![Finding {
            rule: "unknown_rule",
            primary: at(directive_span(scope, directive)),
            message: format!("this suppression cannot be read and suppresses nothing: {why}"),
            label: "not understood".to_owned(),
            labels: Vec::new(),
            notes: Vec::new(),
            helps: vec![words("write `// ctxlint: allow(rule, reason = \"…\")` or `expect(…)`")],
        }];
    }
    let unknown = directive.rules.iter().filter(|(name, _)| rules_named(name).next().is_none());
    unknown
        .map(|(name, span)| {
            let nearest = crate::levels::nearest_name(name);
            let help = match nearest {
                Some(nearest) => Help {
                    message: format!("the nearest name is `{nearest}`"),
                    edits: vec![Edit { place: at(bare_name(scope, *span)), text: nearest.to_owned() }],
                    applicability: Applicability::MachineApplicable,
                },
                None => words("`ctxlint rules` lists all rules and groups"),
            };
            Finding {
                rule: "unknown_rule",
                primary: at(*span),
                message: format!("no rule or group is called `{name}`, so this suppresses nothing"),
                label: "unknown name".to_owned(),
                labels: Vec::new(),
                notes: Vec::new(),
                helps: vec![help],
            }
        })
        .collect()
}

fn words(text: &str) -> Help {
    Help { message: text.to_owned(), edits: Vec::new(), applicability: Applicability::MaybeIncorrect }
}

/// The names of a directive that took nothing out though their rules are on.
fn unused(scope: &Scope<'_>, index: usize, directive: &Directive, used: &Used) -> Option<Finding> {
    if !suppresses(directive) {
        return None;
    }
    let is_unused = |(position, (name, _)): (usize, &(ctxlint_analysis::facts::Name, Span))| {
        // A suppression of `unused_suppression` itself cannot be told to be unused: it may cover this very finding.
        let mut rules = rules_named(name).filter(|rule| rule.name != "unused_suppression");
        !used.0.contains(&(index, position)) && rules.any(|rule| is_on(scope, rule, directive.covers))
    };
    let unused: Vec<usize> =
        directive.rules.iter().enumerate().filter(|&entry| is_unused(entry)).map(|(position, _)| position).collect();
    let spans: Vec<Span> = unused.iter().filter_map(|&at| directive.rules.get(at)).map(|(_, span)| *span).collect();
    let names: Vec<String> =
        unused.iter().filter_map(|&at| directive.rules.get(at)).map(|(name, _)| format!("`{name}`")).collect();
    let at = |span| Place { file: scope.id, span };
    let whole = unused.len() == directive.rules.len();
    let first = *spans.first()?;
    let message = match directive.kind {
        DirectiveKind::Expect => format!("a finding of {} was expected here and there is none", names.join(", ")),
        _ => format!("this suppression of {} suppresses nothing", names.join(", ")),
    };
    Some(Finding {
        rule: "unused_suppression",
        primary: at(if whole { directive_span(scope, directive) } else { first }),
        message,
        label: "nothing to suppress".to_owned(),
        labels: spans
            .iter()
            .skip(if whole { spans.len() } else { 1 })
            .map(|&span| Label { place: at(span), text: "nor for this".to_owned() })
            .collect(),
        notes: Vec::new(),
        helps: vec![removal(scope, directive, &unused)],
    })
}

/// Whether a rule can report anything where a directive stands.
fn is_on(scope: &Scope<'_>, rule: &Rule, covers: Span) -> bool {
    let in_test_item =
        || scope.facts.is_some_and(|facts| facts.items.iter().any(|item| item.test && item.span.contains(covers)));
    scope.levels.of(rule.name) != Level::Allow && (rule.in_tests || !(scope.test || in_test_item()))
}

fn removal(scope: &Scope<'_>, directive: &Directive, unused: &[usize]) -> Help {
    let (span, text) = if unused.len() == directive.rules.len() {
        (whole_directive(scope, directive), String::new())
    } else {
        let kept = directive.rules.iter().enumerate().filter(|(at, _)| !unused.contains(at));
        let texts: Vec<&str> = kept.map(|(_, (_, span))| slice(scope, full_name(scope, *span))).collect();
        let span =
            directive.rules.iter().map(|(_, span)| full_name(scope, *span)).reduce(Span::to).unwrap_or(directive.span);
        (span, texts.join(", "))
    };
    Help {
        message: "remove it".to_owned(),
        edits: vec![Edit { place: Place { file: scope.id, span }, text }],
        applicability: Applicability::MachineApplicable,
    }
}

const PREFIX: &str = "ctxlint::";

/// A name with `ctxlint::` before it, if that is there.
fn full_name(scope: &Scope<'_>, span: Span) -> Span {
    let before = scope.file.text.get(..span.start as usize).unwrap_or("");
    if before.ends_with(PREFIX) { Span::new(span.start - PREFIX.len() as u32, span.end) } else { span }
}

/// A name without `ctxlint::` before it.
fn bare_name(scope: &Scope<'_>, span: Span) -> Span {
    if slice(scope, span).starts_with(PREFIX) { Span::new(span.start + PREFIX.len() as u32, span.end) } else { span }
}

fn slice<'f>(scope: &Scope<'f>, span: Span) -> &'f str {
    scope.file.text.get(span.start as usize..span.end as usize).unwrap_or("")
}

/// The directive without the carriage return that a lexer takes for part of a comment.
fn directive_span(scope: &Scope<'_>, directive: &Directive) -> Span {
    let Span { start, end } = directive.span;
    let text = slice(scope, directive.span);
    Span::new(start, end - (text.len() - text.trim_end().len()) as u32)
}

/// The directive with the blanks around it: its lines if it has them for itself.
fn whole_directive(scope: &Scope<'_>, directive: &Directive) -> Span {
    let text: &str = &scope.file.text;
    let Span { start, end } = directive_span(scope, directive);
    let before = text.get(..start as usize).unwrap_or("");
    let after = text.get(end as usize..).unwrap_or("");
    let blank_before = before.len() - before.trim_end_matches([' ', '\t']).len();
    let blank_after = after.len() - after.trim_start_matches([' ', '\t']).len();
    let line_start = before.len() - blank_before;
    let at_line_start = line_start == 0 || before.get(..line_start).is_some_and(|text| text.ends_with('\n'));
    let rest = after.get(blank_after..).unwrap_or("");
    let line_break = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    let ends_line = line_break > 0 || rest.is_empty();
    if at_line_start && ends_line {
        Span::new(line_start as u32, end + (blank_after + line_break) as u32)
    } else if directive.form == DirectiveForm::Trailing && ends_line {
        Span::new(line_start as u32, end + blank_after as u32)
    } else {
        Span::new(start, end + blank_after as u32)
    }
}
