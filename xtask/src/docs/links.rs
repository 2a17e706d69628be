//! Links: as they are in the repository, and as the book has them.

use super::chapters;

/// Where links go that leave the book.
pub(super) const REPOSITORY: &str = "https://github.com/ctxlint/ctxlint/tree/main/";

/// The text of a file of the repository with its links as a page of the book has them: to other pages where
/// there are some, to the repository otherwise. Code stays as it is.
pub(super) fn relinked(text: &str, file: &str, page: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        if fenced { out.push_str(line) } else { relink_line(line, file, page, &mut out) }
    }
    out
}

fn relink_line(line: &str, file: &str, page: &str, out: &mut String) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, tail)) = after.split_once(')') else { break };
        out.push_str(before);
        out.push_str("](");
        out.push_str(&link(target, file, page));
        out.push(')');
        rest = tail;
    }
    out.push_str(rest);
}

/// A link of a file as the file's page has it.
fn link(target: &str, file: &str, page: &str) -> String {
    if target.contains("://") || target.starts_with('#') {
        return target.to_owned();
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, format!("#{anchor}")),
        None => (target, String::new()),
    };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = joined(folder, path);
    let up = "../".repeat(page.matches('/').count());
    if let Some((_, page, _)) = chapters().find(|(from, ..)| *from == format!("{path}{anchor}")) {
        return format!("{up}{page}");
    }
    if let Some((_, page, _)) = chapters().find(|(from, ..)| *from == path) {
        return format!("{up}{page}{anchor}");
    }
    match path.strip_prefix("lints/docs/") {
        Some(rule) => format!("{up}rules/{rule}{anchor}"),
        None => format!("{REPOSITORY}{path}{anchor}"),
    }
}

/// A path from a folder on, without dots.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a heading is called in addresses; nothing for other lines.
pub(super) fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    Some(heading.trim().chars().filter_map(kept).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_book_or_to_the_repository() {
        let text = "[a](lints/docs/lost_cancel.md), [b](CONTRIBUTING.md#style), [c](context), [d](https://rust-lang.org), \
                    [e](docs/ci.md) and [f](#here).\n```\n[g](docs/ci.md)\n```\n";
        assert_eq!(
            relinked(text, "README.md", "introduction.md"),
            "[a](rules/lost_cancel.md), [b](contributing.md#style), \
             [c](https://github.com/ctxlint/ctxlint/tree/main/context), [d](https://rust-lang.org), \
             [e](ci.md) and [f](#here).\n```\n[g](docs/ci.md)\n```\n"
        );
        let deep = "[a](../lints/docs/lost_cancel.md) [b](../README.md#in-an-editor) [c](ci.md)";
        assert_eq!(relinked(deep, "docs/start.md", "start.md"), "[a](rules/lost_cancel.md) [b](editors.md) [c](ci.md)");
        assert_eq!(relinked("[a](busy_wait.md)", "lints/docs/x.md", "rules/x.md"), "[a](../rules/busy_wait.md)");
        assert_eq!(relinked("an [open](one", "README.md", "introduction.md"), "an [open](one");
    }

    #[test]
    fn headings_have_addresses() {
        assert_eq!(anchor("## Beside Go's `x`, and y").as_deref(), Some("beside-gos-x-and-y"));
        assert_eq!(anchor("#[test]"), None);
    }
}
