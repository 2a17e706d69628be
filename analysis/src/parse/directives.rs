//! What directives ask and what they cover.

use smol_str::SmolStr;

use super::comments::{Comment, Doc};
use crate::facts::{Directive, DirectiveForm, DirectiveKind, Name, Span};
use crate::lower::Anchors;

/// Reads the directives in comments and attributes, in source order.
pub(super) fn place(text: &str, comments: &[Comment], anchors: &Anchors) -> Vec<Directive> {
    let mut found: Vec<Directive> = comments.iter().map(|comment| of_comment(text, comment, anchors)).collect();
    for (attr, node) in &anchors.attributes {
        found.extend(of_attribute(text, *attr, *node));
    }
    found.sort_by_key(|directive| directive.span);
    found
}

fn whole_file(text: &str) -> Span {
    Span::new(0, text.len() as u32)
}

fn of_comment(text: &str, comment: &Comment, anchors: &Anchors) -> Directive {
    let asked = read(text, comment.body);
    let (form, covers) = match comment.doc {
        Doc::Inner => (DirectiveForm::File, whole_file(text)),
        _ if comment.trailing => (DirectiveForm::Trailing, line(text, comment.span.start)),
        _ => (DirectiveForm::OwnLine, following(text, comment, anchors)),
    };
    let misplaced = match comment.doc {
        Doc::Outer => Some("documentation is for readers: write `//`"),
        Doc::Inner if !comment.on_top => Some("`//!` covers the file and must stand before its first item"),
        _ => None,
    };
    let asked = match misplaced {
        Some(why) => Err(why.to_owned()),
        None => asked,
    };
    directive(comment.span, form, covers, asked)
}

/// What stands next: the largest node that begins there, or the line if nothing is known of it.
fn following(text: &str, comment: &Comment, anchors: &Anchors) -> Span {
    let Some(next) = comment.next else {
        let end = text.len() as u32;
        return Span::new(end, end);
    };
    anchors.outermost_at(next).unwrap_or_else(|| line(text, next))
}

/// The whole line a byte is on, without its line break.
fn line(text: &str, at: u32) -> Span {
    let at = at as usize;
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| at + found);
    Span::new(start as u32, end as u32)
}

/// `#[cfg_attr(ctxlint, allow(ctxlint::rule, reason = "…"), …)]`: one directive for each list.
fn of_attribute(text: &str, attr: Span, node: Option<Span>) -> Vec<Directive> {
    let covers = node.unwrap_or_else(|| whole_file(text));
    let slice = text.get(attr.start as usize..attr.end as usize).unwrap_or("");
    let Some((open, _)) = slice.match_indices("ctxlint").next() else { return Vec::new() };
    let mut at = attr.start + open as u32 + "ctxlint".len() as u32;
    let mut found = Vec::new();
    loop {
        let rest = Span::new(at, attr.end);
        let body = text.get(rest.start as usize..rest.end as usize).unwrap_or("");
        let trimmed = body.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        let start = rest.start + (body.len() - trimmed.len()) as u32;
        if trimmed.is_empty() || trimmed.starts_with(')') {
            break;
        }
        let mut reader = Reader { text, at: start, end: attr.end };
        let asked = reader.list();
        let stop = asked.is_err();
        found.push(directive(attr, DirectiveForm::Attribute, covers, asked));
        if stop {
            break;
        }
        at = reader.at;
    }
    found
}

/// What a directive says: its kind, rules and reason.
struct Asked {
    kind: DirectiveKind,
    rules: Vec<(Name, Span)>,
    reason: Option<String>,
}

fn directive(span: Span, form: DirectiveForm, covers: Span, asked: Result<Asked, String>) -> Directive {
    match asked {
        Ok(Asked { kind, rules, reason }) => Directive { span, kind, rules, reason, covers, form },
        Err(why) => {
            Directive { span, kind: DirectiveKind::Malformed(why), rules: Vec::new(), reason: None, covers, form }
        }
    }
}

/// Reads `allow(rule, …, reason = "…")`; what follows the parenthesis is free text.
fn read(text: &str, body: Span) -> Result<Asked, String> {
    Reader { text, at: body.start, end: body.end }.list()
}

/// A position in a directive.
struct Reader<'t> {
    text: &'t str,
    at: u32,
    end: u32,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at as usize..self.end as usize).unwrap_or("")
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += (rest.len() - rest.trim_start().len()) as u32;
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8() as u32;
        }
        found
    }

    /// A word of letters, digits, `_`, `-` and `::`.
    fn word(&mut self) -> (&'t str, Span) {
        self.skip_space();
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == ':')).unwrap_or(rest.len());
        let span = Span::new(self.at, self.at + len as u32);
        self.at = span.end;
        (rest.get(..len).unwrap_or(""), span)
    }

    fn list(&mut self) -> Result<Asked, String> {
        let kind = match self.word().0 {
            "allow" => DirectiveKind::Allow,
            "expect" => DirectiveKind::Expect,
            "" => return Err("expected `allow(…)` or `expect(…)`".to_owned()),
            other => return Err(format!("expected `allow` or `expect`, found `{other}`")),
        };
        if !self.eat('(') {
            return Err("expected `(` and the names of rules".to_owned());
        }
        let mut rules = Vec::new();
        let mut reason = None;
        loop {
            if self.eat(')') {
                break;
            }
            let (word, span) = self.word();
            if word.is_empty() {
                return Err(self.unexpected());
            }
            if word == "reason" {
                reason = Some(self.reason()?);
            } else {
                rules.push(rule(word, span)?);
            }
            if self.eat(',') {
                continue;
            }
            if !self.eat(')') {
                return Err(self.unexpected());
            }
            break;
        }
        if rules.is_empty() {
            return Err("no rule is named".to_owned());
        }
        Ok(Asked { kind, rules, reason })
    }

    fn unexpected(&mut self) -> String {
        self.skip_space();
        match self.rest().chars().next() {
            Some(found) => format!("expected `,` or `)`, found `{found}`"),
            None => "the closing `)` is missing".to_owned(),
        }
    }

    /// `= "text"`, with `\"` and `\\` as escapes.
    fn reason(&mut self) -> Result<String, String> {
        if !self.eat('=') {
            return Err("expected `=` behind `reason`".to_owned());
        }
        if !self.eat('"') {
            return Err("the reason must be in double quotes".to_owned());
        }
        let mut reason = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices() {
            match c {
                _ if escaped => {
                    reason.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += offset as u32 + 1;
                    return Ok(reason);
                }
                _ => reason.push(c),
            }
        }
        Err("the reason's closing quote is missing".to_owned())
    }
}

/// A rule's name without `ctxlint::`.
fn rule(word: &str, span: Span) -> Result<(Name, Span), String> {
    let name = word.strip_prefix("ctxlint::").unwrap_or(word);
    if name.is_empty() || name.contains(':') {
        return Err(format!("`{word}` is no name of a rule"));
    }
    let start = span.end - name.len() as u32;
    Ok((SmolStr::new(name), Span::new(start, span.end)))
}
