//! Fixtures with suppressions of all sorts, right and wrong, in all places.

use arbitrary::{Arbitrary, Result, Unstructured};
use ctxlint_lints::RULES;

use super::edits::{Edited, boundary, put};

const PARTS: &[&str] = &[
    "allow(",
    "expect(",
    "deny(",
    ")",
    ",",
    " ",
    "reason",
    " = ",
    "\"why\"",
    "\"",
    "\\\"",
    "ctxlint::",
    "correctness",
    "suspicious",
    "all",
    "unknown_rule",
    "unused_suppression",
    "lost_cancell",
    "é",
    "\u{2028}",
    "\t",
    "::",
    "-",
    "(",
    "=",
    "\r",
];

/// A fixture with suppressions put in.
#[derive(Debug)]
pub struct Suppressed(pub Edited);

impl<'a> Arbitrary<'a> for Suppressed {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Suppressed> {
        let mut edited = Edited::choose(input)?;
        edited.edit(input, text)?;
        Ok(Suppressed(edited))
    }
}

fn text(before: &str, input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = match input.ratio(1, 8)? {
        true => before.replace('\n', "\r\n"),
        false => before.to_owned(),
    };
    for _ in 0..input.int_in_range(1..=4)? {
        let place = place(&text, input)?;
        let new = directive(input)?;
        text = put(&text, (place, place), &new);
    }
    Ok(text)
}

/// Mostly where a line begins or ends, as people write them.
fn place(text: &str, input: &mut Unstructured<'_>) -> Result<usize> {
    let at = boundary(text, input)?;
    Ok(match input.int_in_range(0..=7)? {
        0 => at,
        1..=4 => text[..at].rfind('\n').map_or(0, |found| found + 1),
        _ => text[at..].find('\n').map_or(text.len(), |found| at + found),
    })
}

fn directive(input: &mut Unstructured<'_>) -> Result<String> {
    let body = body(input)?;
    let free: &str = if input.ratio(1, 8)? { input.arbitrary()? } else { "" };
    Ok(match input.int_in_range(0..=9)? {
        0 => format!("/* ctxlint: {body}{free} */"),
        1 => format!("#[cfg_attr(ctxlint, {body}{free})]"),
        2 => format!("#![cfg_attr(ctxlint, {body}, {free})]"),
        3 => format!("//! ctxlint: {body}{free}\n"),
        4 => format!("/// ctxlint: {body}{free}\n"),
        5 => format!("{free}//ctxlint:{body}\n"),
        6 => format!(" // ctxlint: {body}{free}"),
        _ => format!("// ctxlint: {body}{free}\n"),
    })
}

fn body(input: &mut Unstructured<'_>) -> Result<String> {
    if input.ratio(2, 3)? {
        let mut names = Vec::new();
        for _ in 0..input.int_in_range(1..=3)? {
            names.push(input.choose(RULES)?.name);
        }
        let verb = *input.choose(&["allow", "expect"])?;
        let reason = *input.choose(&["", ", reason = \"r\"", ", reason = \"\\\"\""])?;
        return Ok(format!("{verb}({}{reason})", names.join(", ")));
    }
    let mut body = String::new();
    for _ in 0..input.int_in_range(0..=10)? {
        body.push_str(input.choose(PARTS)?);
    }
    Ok(body)
}
