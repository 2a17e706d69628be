//! What is shown under the mouse: the page of a rule.

use ctxlint_lints::RULES;
use ctxlint_lints::rule::Rule;
use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind, Position, Range};

use super::findings::Marked;
use super::position::Encoding;
use crate::report::page;
use crate::text::LineIndex;

/// The pages of the rules that found something at a position.
pub(super) fn of_findings(marked: &Marked, position: Position, markdown: bool) -> Option<Hover> {
    let at: Vec<_> = marked.marks.iter().filter(|mark| contains(mark.diagnostic.range, position)).collect();
    let mut rules: Vec<&Rule> = Vec::new();
    for mark in &at {
        let Some(gen_lsp_types::Code::String(code)) = &mark.diagnostic.code else { continue };
        let rule = rule(code).filter(|rule| !rules.iter().any(|there| there.name == rule.name));
        rules.extend(rule);
    }
    hover(&rules, at.first()?.diagnostic.range, markdown)
}

/// The page of the rule whose name is under a position, in a suppression or in our configuration.
pub(super) fn of_name(
    text: &str,
    is_config: bool,
    position: Position,
    encoding: Encoding,
    markdown: bool,
) -> Option<Hover> {
    let lines = LineIndex::new(text);
    let line = lines.line(position.line, text);
    if !is_config && !line.contains("ctxlint") {
        return None;
    }
    let start = lines.line_range(position.line, text).start;
    let at = encoding.byte(position, &lines, text).checked_sub(start)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (before, after) = line.split_at_checked(at)?;
    let before = before.len() - before.trim_end_matches(is_part).len();
    let after = after.len() - after.trim_start_matches(is_part).len();
    let word = start + at - before..start + at + after;
    let rule = rule(text.get(word.clone())?)?;
    let span = ctxlint_analysis::facts::Span::new(word.start as u32, word.end as u32);
    hover(&[rule], encoding.range(span, &lines, text), markdown)
}

fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name).copied()
}

fn hover(rules: &[&Rule], range: Range, markdown: bool) -> Option<Hover> {
    if rules.is_empty() {
        return None;
    }
    let (kind, texts): (_, Vec<String>) = match markdown {
        true => (MarkupKind::Markdown, rules.iter().map(|rule| brief(rule)).collect()),
        false => (MarkupKind::PlainText, rules.iter().map(|rule| rule.docs.to_owned()).collect()),
    };
    let contents = MarkupContent { kind, value: texts.join("\n\n---\n\n") };
    Some(Hover { contents: Contents::MarkupContent(contents), range: Some(range) })
}

/// A page with small headings, and without the lines of code that are only for the compiler.
fn brief(rule: &Rule) -> String {
    let mut out = format!("[`ctxlint::{}`]({})\n", rule.name, page(rule.name));
    let mut code: Option<bool> = None;
    for line in rule.docs.lines().skip(1) {
        match (line.strip_prefix("```"), code) {
            (Some(info), None) => {
                code = Some(info.starts_with("rust"));
                out.push_str("```");
                out.push_str(info.split(',').next().unwrap_or(""));
            }
            (Some(_), Some(_)) => {
                code = None;
                out.push_str("```");
            }
            (None, Some(true)) if line == "#" || line.starts_with("# ") => continue,
            (None, None) if line.starts_with('#') => {
                out.push_str(&format!("**{}**\n", line.trim_start_matches('#').trim()));
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Both ends count: a cursor behind the last letter is at the word.
pub(super) fn contains(range: Range, position: Position) -> bool {
    range.start <= position && position <= range.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_made_smaller() {
        for rule in RULES {
            let text = brief(rule);
            assert!(text.starts_with(&format!("[`ctxlint::{}`](https://", rule.name)), "{text}");
            assert!(!text.contains("rust,bad") && !text.contains("\n## "), "{text}");
            assert!(text.contains("**What it does**\n\n"), "{text}");
        }
    }

    #[test]
    fn names_in_suppressions_have_pages() {
        let at = |text: &str, character: u32| {
            let position = Position { line: 0, character };
            of_name(text, false, position, Encoding::Utf16, true).and_then(|hover| hover.range)
        };
        let text = "𝄞 // ctxlint: allow(lost_cancel)";
        let range = at(text, 22).expect("a page");
        assert_eq!((range.start.character, range.end.character), (21, 32));
        assert_eq!(at(text, 10), None);
        assert_eq!(at(text, 999), None);
        assert_eq!(at("// lost_cancel", 5), None);
    }
}
