//! `--since REV`: findings on lines that changed since a git revision.

use std::ops::RangeInclusive;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_lints::finding::Place;
use rustc_hash::FxHashMap;

use crate::report::Report;
use crate::workspace::Workspace;

/// What changed, by absolute path.
#[derive(Debug, Default)]
pub struct Changes {
    lines: FxHashMap<Utf8PathBuf, Changed>,
}

#[derive(Debug, PartialEq, Eq)]
enum Changed {
    /// A file that git does not know yet.
    Everything,
    Lines(Vec<RangeInclusive<u32>>),
}

/// Asks git what changed since a revision, or rather since the last commit that it and `HEAD` have in
/// common: in commits, in the index, in the files, and in files that are not tracked.
///
/// # Errors
/// One line on what git cannot tell.
pub fn changes(folder: &Utf8Path, revision: &str) -> Result<Changes, String> {
    if revision.starts_with('-') {
        return Err(format!("--since {revision}: not a revision"));
    }
    let top = git(folder, &["rev-parse", "--show-toplevel"]).map_err(|why| format!("--since: {why}"))?;
    let top = Utf8PathBuf::from(top.trim_end());
    let spec = format!("{revision}^{{commit}}");
    let commit = git(folder, &["rev-parse", "--verify", "--quiet", &spec])
        .map_err(|_| format!("--since {revision}: git knows no such revision{}", shallow(folder)))?;
    let base = git(folder, &["merge-base", commit.trim(), "HEAD"])
        .map_err(|_| format!("--since {revision}: it has no commit in common with HEAD{}", shallow(folder)))?;
    let diff = [
        "-c",
        "core.quotePath=false",
        "diff",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--text",
        "--inter-hunk-context=0",
        "--find-renames",
        "--no-prefix",
        "--ignore-submodules",
        base.trim(),
        "--",
    ];
    let diff = git(&top, &diff).map_err(|why| format!("--since {revision}: {why}"))?;
    let untracked = git(&top, &["ls-files", "--others", "--exclude-standard", "-z"])
        .map_err(|why| format!("--since {revision}: {why}"))?;
    let mut changes = Changes::default();
    for (path, lines) in parse_diff(&diff) {
        changes.lines.insert(top.join(path), Changed::Lines(lines));
    }
    for path in untracked.split('\0').filter(|path| !path.is_empty()) {
        changes.lines.insert(top.join(path), Changed::Everything);
    }
    Ok(changes)
}

fn shallow(folder: &Utf8Path) -> &'static str {
    match git(folder, &["rev-parse", "--is-shallow-repository"]) {
        Ok(answer) if answer.trim() == "true" => "; this clone is shallow: `git fetch --unshallow` gets the rest",
        _ => "",
    }
}

fn git(folder: &Utf8Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("git").args(args).current_dir(folder).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text.lines().next().unwrap_or("git failed").trim_start_matches("fatal: ").to_owned())
}

impl Changes {
    /// Keeps the findings of which the primary or another labelled place has changed: what makes a
    /// handle lost may be a new way out, far from where the handle was made.
    pub fn apply(&self, workspace: &Workspace, report: &mut Report) {
        report.findings.retain(|reported| {
            let finding = &reported.finding;
            let places = std::iter::once(finding.primary).chain(finding.labels.iter().map(|label| label.place));
            places.into_iter().any(|place| self.touches(workspace, place))
        });
    }

    fn touches(&self, workspace: &Workspace, place: Place) -> bool {
        let Some(file) = workspace.files.get(place.file.index()) else { return false };
        let resolved = || Utf8PathBuf::from_path_buf(std::fs::canonicalize(&file.absolute).ok()?).ok();
        let changed = self.lines.get(&file.absolute).or_else(|| self.lines.get(&resolved()?));
        match changed {
            None => false,
            Some(Changed::Everything) => true,
            Some(Changed::Lines(ranges)) => {
                let (start, end) = file.lines.positions(place.span, &file.text);
                ranges.iter().any(|range| *range.start() <= end.line && start.line <= *range.end())
            }
        }
    }
}

/// The new paths of a diff without context, and which of their lines are new.
fn parse_diff(diff: &str) -> Vec<(String, Vec<RangeInclusive<u32>>)> {
    let mut files: Vec<(String, Vec<RangeInclusive<u32>>)> = Vec::new();
    // Lines of a hunk may look like headings: they are counted off.
    let mut left = 0;
    for line in diff.lines() {
        if left > 0 && line.starts_with(['+', '-']) {
            left -= 1;
        } else if let Some(path) = line.strip_prefix("+++ ") {
            files.push((unquote(path), Vec::new()));
        } else if let Some(hunk) = line.strip_prefix("@@ -") {
            let Some((old, new)) = hunk.split_once(" +") else { continue };
            let (_, removed) = range(old);
            let (start, added) = range(new.split(' ').next().unwrap_or(""));
            left = removed + added;
            if let (Some((_, ranges)), true) = (files.last_mut(), added > 0) {
                ranges.push(start..=start + added - 1);
            }
        }
    }
    files.retain(|(path, _)| path != "/dev/null");
    files
}

/// `12,3` or `12`.
fn range(text: &str) -> (u32, u32) {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    (start.parse().unwrap_or(0), count.parse().unwrap_or(0))
}

/// A path as git writes it: in quotes with escapes if it has special characters, with a tab behind it
/// if it has blanks.
fn unquote(path: &str) -> String {
    let path = path.strip_suffix('\t').unwrap_or(path);
    let Some(quoted) = path.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return path.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = quoted.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b't') => bytes.push(b'\t'),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(digit @ b'0'..=b'3') => {
                let mut octal = || rest.next().map_or(0, |digit| digit.wrapping_sub(b'0') & 7);
                let (second, third) = (octal(), octal());
                bytes.push((digit - b'0') << 6 | second << 3 | third);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_tell_the_new_lines() {
        let diff = "diff --git a.rs a.rs\n--- a.rs\n+++ a.rs\n@@ -3 +3,2 @@ fn f()\n-old\n+++ not a heading\n+new\n\
                    @@ -9,2 +9,0 @@\n-gone\n--- gone\n--- b.rs\n+++ \"\\303\\244 \\\"x\\\".rs\"\n@@ -0,0 +1 @@\n+x\n\
                    --- c.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n";
        assert_eq!(parse_diff(diff), [("a.rs".to_owned(), vec![3..=4]), ("ä \"x\".rs".to_owned(), vec![1..=1])]);
    }
}
