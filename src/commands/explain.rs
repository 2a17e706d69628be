//! `ctxlint explain RULE`: its page, in the terminal.

use ctxlint_lints::RULES;
use ctxlint_lints::rule::Rule;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::cli::ExplainArgs;
use crate::levels::rule_index;
use crate::run::{Failure, Outcome, colored, print};
use crate::text::nearest;

pub(crate) fn run(args: &ExplainArgs) -> Result<Outcome, Failure> {
    let rule = find(&args.rule)?;
    let width = terminal_width();
    print(&Page::render(rule.docs, colored(args.color), width))
}

fn find(word: &str) -> Result<&'static Rule, Failure> {
    let name = word.strip_prefix("ctxlint::").unwrap_or(word).replace('-', "_");
    rule_index(&name).and_then(|index| RULES.get(index).copied()).ok_or_else(|| {
        let hint = match nearest(&name, RULES.iter().map(|rule| rule.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`ctxlint rules` lists all".to_owned(),
        };
        Failure::new(format!("unknown rule `{word}`; {hint}"))
    })
}

fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.unwrap_or(100_usize).clamp(40, 100)
}

/// A page as it is being written: paragraphs are filled to the width, code stands as it is.
struct Page {
    out: String,
    color: bool,
    width: usize,
    /// What is being gathered: the text of a paragraph, heading or cell.
    line: String,
    /// The numbers of the lists around; none for a bulleted one.
    lists: Vec<Option<u64>>,
    code: bool,
    hidden: bool,
    row: Vec<String>,
}

impl Page {
    fn render(markdown: &str, color: bool, width: usize) -> String {
        let mut page = Page {
            out: String::new(),
            color,
            width,
            line: String::new(),
            lists: Vec::new(),
            code: false,
            hidden: false,
            row: Vec::new(),
        };
        Parser::new_ext(markdown, Options::ENABLE_TABLES).for_each(|event| page.event(event));
        page.flush("", "");
        let text = page.out.trim_end();
        format!("{text}\n")
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => self.code_lines(&text),
            Event::Text(text) => self.line.push_str(&text),
            Event::Code(text) => {
                let code = if self.color { format!("\u{1b}[36m{text}\u{1b}[0m") } else { format!("`{text}`") };
                self.line.push_str(&code);
            }
            Event::SoftBreak => self.line.push(' '),
            Event::HardBreak => self.line.push('\n'),
            Event::Rule => self.out.push_str("---\n\n"),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::CodeBlock(kind) => {
                self.flush("", "");
                self.code = true;
                self.hidden = matches!(kind, CodeBlockKind::Fenced(info) if info.starts_with("rust"));
            }
            Tag::List(first) => {
                self.flush_item();
                self.lists.push(*first);
            }
            Tag::Strong => self.style("1"),
            Tag::Emphasis => self.style("3"),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let text = std::mem::take(&mut self.line);
                let heading = if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text };
                self.out.push_str(&heading);
                self.out.push_str("\n\n");
            }
            TagEnd::Paragraph if self.lists.is_empty() => {
                self.flush("", "");
                self.out.push('\n');
            }
            TagEnd::Item => self.flush_item(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.out.push('\n');
                }
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.out.push('\n');
            }
            TagEnd::Strong | TagEnd::Emphasis => self.style("0"),
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.line)),
            TagEnd::TableRow | TagEnd::TableHead => {
                let row = std::mem::take(&mut self.row).join("  |  ");
                self.out.push_str(&format!("  {row}\n"));
            }
            TagEnd::Table => self.out.push('\n'),
            _ => {}
        }
    }

    fn style(&mut self, code: &str) {
        if self.color {
            self.line.push_str(&format!("\u{1b}[{code}m"));
        }
    }

    /// Lines that begin with `#` are for the compiler, as in rustdoc.
    fn code_lines(&mut self, text: &str) {
        let is_shown = |line: &&str| !(self.hidden && (*line == "#" || line.starts_with("# ")));
        let lines: Vec<String> = text.lines().filter(is_shown).map(|line| format!("    {line}\n")).collect();
        self.out.push_str(&lines.concat().replace("    \n", "\n"));
    }

    fn flush_item(&mut self) {
        let depth = self.lists.len().saturating_sub(1);
        let indent = "  ".repeat(depth);
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{indent}{}. ", *number - 1)
            }
            _ => format!("{indent}- "),
        };
        let hang = " ".repeat(mark.len());
        self.flush(&mark, &hang);
    }

    /// Writes what was gathered, filled to the width.
    fn flush(&mut self, first: &str, rest: &str) {
        let text = std::mem::take(&mut self.line);
        for (at, paragraph) in text.trim().split('\n').enumerate().filter(|(_, paragraph)| !paragraph.is_empty()) {
            let mut line = if at == 0 { first.to_owned() } else { rest.to_owned() };
            let mut used = line.len();
            let mut is_first = true;
            for word in paragraph.split_whitespace() {
                let length = visible(word);
                if !is_first && used + 1 + length > self.width {
                    self.out.push_str(line.trim_end());
                    self.out.push('\n');
                    line = rest.to_owned();
                    used = line.len();
                    is_first = true;
                }
                if !is_first {
                    line.push(' ');
                    used += 1;
                }
                line.push_str(word);
                used += length;
                is_first = false;
            }
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }
}

/// How wide a word is without its escapes.
fn visible(word: &str) -> usize {
    let mut count = 0;
    let mut in_escape = false;
    for c in word.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => count += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_filled_and_code_is_left_alone() {
        let text = Page::render(
            "# a_rule\n\nSome words that\nare long.\n\n- one `x`\n- two\n\n```rust\n# hidden\nlet  x;\n```\n",
            false,
            12,
        );
        assert_eq!(text, "a_rule\n\nSome words\nthat are\nlong.\n\n- one `x`\n- two\n\n    let  x;\n");
    }

    #[test]
    fn every_page_renders() {
        for rule in RULES {
            let text = Page::render(rule.docs, false, 100);
            assert!(text.starts_with(rule.name), "{}: {text}", rule.name);
        }
    }

    #[test]
    fn unknown_rules_come_with_the_nearest() {
        let failure = find("sintax-error").err().expect("no such rule");
        assert_eq!(failure.0, ["unknown rule `sintax-error`; did you mean `syntax_error`?"]);
    }
}
