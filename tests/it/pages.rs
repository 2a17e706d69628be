//! Every page's bad examples have exactly its rule's findings, and its good ones none.

use std::fmt::Write as _;

use crate::sources::{check_text, rules};

/// A block of Rust in a page.
struct Block {
    /// The page's line of its first line, from 1.
    line: usize,
    /// What follows `rust,` in the info string.
    kind: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(page.lines()) {
        match &mut open {
            Some(_) if line.starts_with("```") => blocks.extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {
                let kind = line.strip_prefix("```rust").map(|rest| rest.trim_start_matches(',').to_owned());
                open = kind.map(|kind| Block { line: number + 1, kind, text: String::new() });
            }
        }
    }
    blocks
}

#[test]
fn examples_are_what_they_say() {
    let mut wrong = String::new();
    for rule in rules() {
        let blocks = blocks(rule.docs);
        for kind in ["bad", "good"] {
            if !blocks.iter().any(|block| block.kind == kind) {
                let _ = writeln!(wrong, "{}: no {kind} example", rule.name);
            }
        }
        for block in &blocks {
            let checked = check_text("example.rs", &block.text, rule.name);
            let found: Vec<(u32, &str)> =
                checked.report.findings.iter().map(|found| (checked.line(found), found.finding.rule)).collect();
            let right = match block.kind.as_str() {
                "bad" => !found.is_empty() && found.iter().all(|(_, name)| *name == rule.name),
                "good" => found.is_empty(),
                _ => false,
            };
            if !right {
                let _ = writeln!(wrong, "{}: the {} block from line {}: {found:?}", rule.name, block.kind, block.line);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
