//! Names for findings that stay the same though lines move.

use ctxlint_lints::finding::Finding;
use ctxlint_lints::rule::Level;
use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::Reported;
use crate::text::clamp;
use crate::workspace::File;

/// Gives the findings of a file, in their order, their fingerprints: of the rule, the path, what
/// stands at the place and on its line, blanks apart, and a number where this is not unique.
pub fn add(file: &File, findings: Vec<(Finding, Level)>) -> Vec<Reported> {
    let mut seen: FxHashMap<u128, u32> = FxHashMap::default();
    let fingerprint = |(finding, level): (Finding, Level)| {
        let base = base(file, &finding);
        let count = seen.entry(base).or_insert(0);
        *count += 1;
        let fingerprint = if *count == 1 { format!("{base:032x}") } else { format!("{base:032x}-{count}") };
        Reported { finding, level, fingerprint }
    };
    findings.into_iter().map(fingerprint).collect()
}

fn base(file: &File, finding: &Finding) -> u128 {
    let span = finding.primary.span;
    let line = file.lines.line(file.lines.line_of(span.start), &file.text);
    let place = file.text.get(clamp(span, &file.text)).unwrap_or("");
    let mut key = format!("{}\0{}\0", finding.rule, file.path);
    for text in [line, place] {
        key.extend(text.chars().filter(|c| !c.is_whitespace()));
        key.push('\0');
    }
    xxh3_128(key.as_bytes())
}
