//! Code cut, doubled, shuffled and put together anew.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Result, Unstructured};
use ctxlint::workspace::Workspace;

use super::seeds::seeds;

/// Put in as they are.
const INSERTS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ";",
    ",",
    "?",
    ".await",
    "&",
    "&mut ",
    "*",
    "_",
    "|",
    "||",
    "=",
    "..",
    "=>",
    "é",
    "\u{feff}",
    "\r\n",
    "\t",
    "\"",
    "'a",
    "r#",
    "0",
    "\"{ctx}\"",
    "/*",
    "*/",
    "//! ",
    "/// ",
    "// ctxlint: allow(all)\n",
    "// ctxlint: expect(lost_cancel, reason = \"x\")\n",
    "#[cfg(test)] ",
    "#[tokio::main] ",
    "#[cfg_attr(ctxlint, allow(ctxlint::lost_cancel))] ",
    "let ",
    "if ",
    "else ",
    "match ",
    "return ",
    "break ",
    "continue ",
    "loop ",
    "while ",
    "async ",
    "async move ",
    "move ",
    "const ",
    "static ",
    "pub ",
    "mod m;",
    "use super::*;",
    "impl ",
    "dyn ",
    "macro_rules! m { ($($t:tt)*) => { $($t)* } }",
    "fn ",
    "self",
    "Self",
    "ctx",
    ".clone()",
    ".0",
    ".with_cancel()",
    ".with_cancel().0",
    ".detach()",
    ".cancelled()",
    "drop(ctx);",
    "ctx.done().await;",
    "Context::background()",
    "CancellationToken::new()",
    ".child_token()",
    ".drop_guard()",
    "tokio::spawn(",
    "vec![",
    "unsafe ",
    "where T: ",
];

/// What is put in at the head of a block.
const STATEMENTS: &[&str] = &[
    " let x = 1;",
    " let f = || 1;",
    " let _ = async { 1 };",
    " return;",
    " return Default::default();",
    " panic!();",
    " loop {}",
    " std::process::exit(1);",
    " drop(ctx);",
    " cancel();",
    " std::mem::forget(cancel);",
    " let ctx = Context::background();",
    " let (ctx, cancel) = ctx.with_cancel();",
    " let (ctx, _) = Context::background().with_timeout(std::time::Duration::from_secs(1));",
    " let ctx = ctx.detach();",
    " tokio::spawn(async move { ctx.done().await });",
    " ctx.done().await;",
    " token.cancel();",
    " let token = CancellationToken::new();",
    " const WAIT: u64 = 2;",
    " fn inner(ctx: &Context) {}",
];

/// What a block can be put into; it stands for `$`.
const FRAMES: &[&str] = &[
    "{ loop $ }",
    "{ while ctx.is_done() $ }",
    "{ for x in xs $ }",
    "{ if c $ else $ }",
    "{ if let Some(ctx) = ctx $ }",
    "{ match ctx { Some(_) => $, None => return } }",
    "{ let ctx = async move $; ctx.await }",
    "{ tokio::spawn(async move $); }",
    "{ let f = move |ctx| $; f(ctx) }",
    "{ tokio::select! { _ = ctx.cancelled() => $ x = async $ => x } }",
    "{ let x: Result<_, _> = try $; x? }",
    "{ unsafe $ }",
    "{ 'a: $ }",
    "{ fn inner(ctx: &Context) $ inner(&ctx) }",
    "{ vec![$, $] }",
    "{ m! $ }",
];

/// A fixture or a sample codebase, edited.
pub struct Edited {
    /// All of it.
    pub workspace: Workspace,
    changed: BTreeSet<usize>,
}

impl Edited {
    /// A fixture or a sample codebase, to be edited.
    ///
    /// # Errors
    /// None: what is not there is taken for zero.
    pub fn choose(input: &mut Unstructured<'_>) -> Result<Edited> {
        Ok(Edited { workspace: input.choose(&seeds().workspaces)?.clone(), changed: BTreeSet::new() })
    }

    /// Edits one of the files.
    ///
    /// # Errors
    /// Those of the editing.
    pub fn edit<'a>(
        &mut self,
        input: &mut Unstructured<'a>,
        edit: impl FnOnce(&str, &mut Unstructured<'a>) -> Result<String>,
    ) -> Result<()> {
        let at = input.choose_index(self.workspace.files.len())?;
        if let Some(file) = self.workspace.files.get_mut(at) {
            *file = file.with_text(&edit(&file.text, input)?);
            self.changed.insert(at);
        }
        Ok(())
    }
}

impl<'a> Arbitrary<'a> for Edited {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Edited> {
        let mut edited = Edited::choose(input)?;
        for _ in 0..input.int_in_range(1..=2)? {
            edited.edit(input, text)?;
        }
        Ok(edited)
    }
}

/// A crate of a few files while somebody types, text by text.
pub struct Typed(Vec<Edited>);

impl Typed {
    /// What there is between any two edits.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.0.iter().map(|edited| &edited.workspace)
    }
}

impl<'a> Arbitrary<'a> for Typed {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Typed> {
        let workspace = input.choose(&seeds().torn)?.clone();
        let mut typed = vec![Edited { workspace, changed: BTreeSet::new() }];
        for _ in 0..input.int_in_range(1..=5)? {
            // Mostly the last text is edited; what was undone before it is a text again, too.
            let from = if input.ratio(1, 5)? { input.choose(&typed)? } else { typed.last().unwrap_or(&typed[0]) };
            let mut next = Edited { workspace: from.workspace.clone(), changed: from.changed.clone() };
            next.edit(
                input,
                |before, input| if input.ratio(1, 5)? { text(before, input) } else { key(before, input) },
            )?;
            typed.push(next);
        }
        Ok(Typed(typed))
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, edited)| write!(f, "=== {at} ===\n{edited:?}"))
    }
}

/// The texts of the files that were edited.
impl std::fmt::Debug for Edited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for file in self.changed.iter().filter_map(|&at| self.workspace.files.get(at)) {
            write!(f, "==> {} <==\n{}", file.absolute, file.text)?;
        }
        Ok(())
    }
}

/// A text after an edit as people make them: most leave code that parses.
fn key(text: &str, input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=5)? {
        0 => lines(text, input)?,
        1 => {
            let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let at = if ends.is_empty() { 0 } else { *input.choose(&ends)? };
            put(text, (at, at), input.choose(&["\n", "// x\n", "\n\n\n"])?)
        }
        2 => match block(text, input)? {
            Some(own) => put(text, own, &input.choose(FRAMES)?.replace('$', &text[own.0..own.1])),
            None => text.to_owned(),
        },
        3 => match (block(text, input)?, block(text, input)?) {
            (Some(own), Some(other)) => put(text, own, &text[other.0..other.1]),
            _ => text.to_owned(),
        },
        _ => match block(text, input)? {
            Some((start, _)) => put(text, (start + 1, start + 1), input.choose(STATEMENTS)?),
            None => text.to_owned(),
        },
    })
}

/// A text after a few edits.
///
/// # Errors
/// None: what is not there is taken for zero.
pub fn text(before: &str, input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = before.to_owned();
    for _ in 0..input.int_in_range(1..=5)? {
        text = match input.int_in_range(0..=9)? {
            0 => tokens(&text, input, |tokens, input| {
                let (from, to) = range(tokens.len(), 12, input)?;
                tokens.drain(from..to);
                Ok(())
            })?,
            1 => tokens(&text, input, |tokens, input| {
                let at = input.int_in_range(0..=tokens.len())?;
                tokens.insert(at, *input.choose(INSERTS)?);
                Ok(())
            })?,
            2 => {
                let other = self::pieces(input.choose(&seeds().texts)?);
                tokens(&text, input, |tokens, input| {
                    let (from, to) = range(other.len(), 40, input)?;
                    let at = input.int_in_range(0..=tokens.len())?;
                    tokens.splice(at..at, other[from..to].iter().copied());
                    Ok(())
                })?
            }
            3 => tokens(&text, input, |tokens, input| {
                let (a, b) = (input.choose_index(tokens.len())?, input.choose_index(tokens.len())?);
                tokens.swap(a, b);
                Ok(())
            })?,
            4 => tokens(&text, input, rename)?,
            5 => tokens(&text, input, |tokens, input| {
                let (from, to) = range(tokens.len(), 60, input)?;
                let copy = tokens[from..to].to_vec();
                tokens.splice(to..to, copy);
                Ok(())
            })?,
            6 => lines(&text, input)?,
            7 => {
                let other = input.choose(&seeds().texts)?;
                match (block(&text, input)?, block(other, input)?) {
                    (Some(own), Some(new)) => put(&text, own, &other[new.0..new.1]),
                    _ => text,
                }
            }
            8 => match block(&text, input)? {
                Some(own) => put(&text, own, &input.choose(FRAMES)?.replace('$', &text[own.0..own.1])),
                None => text,
            },
            _ => {
                let at = boundary(&text, input)?;
                let new: &str = input.arbitrary()?;
                put(&text, (at, at), new)
            }
        };
        // What doubles itself over and over is slow for no reason of ours.
        if text.len() > 4 * before.len() + 4096 {
            break;
        }
    }
    Ok(text)
}

/// A place between two characters.
///
/// # Errors
/// None: what is not there is taken for zero.
pub fn boundary(text: &str, input: &mut Unstructured<'_>) -> Result<usize> {
    Ok(ctxlint::text::floor_boundary(text, input.int_in_range(0..=text.len())?))
}

/// The text with something else in the place of a range.
pub fn put(text: &str, (from, to): (usize, usize), new: &str) -> String {
    [&text[..from], new, &text[to..]].concat()
}

fn tokens<'t>(
    text: &'t str,
    input: &mut Unstructured<'_>,
    edit: impl FnOnce(&mut Vec<&'t str>, &mut Unstructured<'_>) -> Result<()>,
) -> Result<String> {
    let mut pieces = pieces(text);
    if !pieces.is_empty() {
        edit(&mut pieces, input)?;
    }
    Ok(pieces.concat())
}

/// Words, numbers, spaces and single signs.
fn pieces(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_blank = |c: char| c.is_whitespace();
    let mut pieces = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c if is_blank(c) => rest.find(|c| !is_blank(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(len);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn range(len: usize, most: usize, input: &mut Unstructured<'_>) -> Result<(usize, usize)> {
    let from = input.int_in_range(0..=len)?;
    let to = from + input.int_in_range(0..=most.min(len - from))?;
    Ok((from, to))
}

/// One word takes another's place: here, or everywhere.
fn rename(tokens: &mut Vec<&str>, input: &mut Unstructured<'_>) -> Result<()> {
    let words: Vec<usize> =
        (0..tokens.len()).filter(|&at| tokens[at].starts_with(|c: char| c.is_alphabetic() || c == '_')).collect();
    if words.is_empty() {
        return Ok(());
    }
    let (at, with) = (*input.choose(&words)?, *input.choose(&words)?);
    let (old, new) = (tokens[at], tokens[with]);
    match input.arbitrary()? {
        true => tokens.iter_mut().filter(|token| **token == old).for_each(|token| *token = new),
        false => tokens[at] = new,
    }
    Ok(())
}

/// Lines dropped, doubled or swapped.
fn lines(text: &str, input: &mut Unstructured<'_>) -> Result<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return Ok(String::new());
    }
    let (a, b) = (input.choose_index(lines.len())?, input.choose_index(lines.len())?);
    match input.int_in_range(0..=2)? {
        0 => {
            lines.remove(a);
        }
        1 => lines.insert(b, lines[a]),
        _ => lines.swap(a, b),
    }
    Ok(lines.concat())
}

/// A block with its braces, if the text has any that are balanced.
fn block(text: &str, input: &mut Unstructured<'_>) -> Result<Option<(usize, usize)>> {
    let mut open = Vec::new();
    let mut blocks = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open.push(at),
            b'}' => blocks.extend(open.pop().map(|start| (start, at + 1))),
            _ => {}
        }
    }
    if blocks.is_empty() { Ok(None) } else { input.choose(&blocks).map(|block| Some(*block)) }
}
