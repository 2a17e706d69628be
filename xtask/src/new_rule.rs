//! Makes the files of a new rule and names it in the list.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// The groups of the catalogue with their default levels.
const GROUPS: [(&str, &str); 6] = [
    ("correctness", "Deny"),
    ("suspicious", "Warn"),
    ("style", "Warn"),
    ("perf", "Warn"),
    ("pedantic", "Allow"),
    ("restriction", "Allow"),
];

/// Makes everything that belongs to the rule `name` but its thoughts.
pub(crate) fn run(root: &Path, name: &str, group: &str) -> Result<()> {
    for path in create(root, name, group)? {
        writeln!(std::io::stdout(), "{path}")?;
    }
    Ok(())
}

/// The same; gives the paths of what it wrote, relative to `root`.
fn create(root: &Path, name: &str, group: &str) -> Result<Vec<String>> {
    let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !well_formed {
        return Err(format!("`{name}` is not a rule's name: rules are snake_case").into());
    }
    let Some((group, level)) = GROUPS.iter().find(|(known, _)| *known == group) else {
        let known: Vec<&str> = GROUPS.iter().map(|(known, _)| *known).collect();
        return Err(format!("`{group}` is not a group; there are {}", known.join(", ")).into());
    };

    let list = "lints/src/lib.rs";
    let listed = formatted(root, &with_rule(&fs::read_to_string(root.join(list))?, name)?)?;
    let rule = format!("lints/src/{name}.rs");
    if root.join(&rule).exists() {
        return Err(format!("{rule} is there already").into());
    }
    let files = [
        (rule, code(name, group, level)),
        (format!("lints/docs/{name}.md"), page(name)),
        (format!("tests/fixtures/{name}/flagged.rs"), flagged(name)),
        (format!("tests/fixtures/{name}/silent.rs"), silent(name)),
    ];
    let mut written = vec![list.to_owned()];
    for (path, text) in files {
        let file = root.join(&path);
        // Pages and fixtures may be written before the rule.
        if file.exists() {
            continue;
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text)?;
        written.push(path);
    }
    fs::write(root.join(list), listed)?;
    Ok(written)
}

/// The text as rustfmt writes it. From standard input, as rustfmt would follow the modules of a file.
fn formatted(root: &Path, text: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    rustfmt.stdin.take().ok_or("rustfmt takes no input")?.write_all(text.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        return Err("rustfmt does not like the list of rules".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The list of rules with one more: its module in its place, its entry at the end.
fn with_rule(list: &str, name: &str) -> Result<String> {
    let module = format!("pub mod {name};");
    let mut modules = list.lines().filter(|line| line.starts_with("pub mod "));
    let anchor = modules.clone().find(|line| *line > module.as_str());
    let with_module = match (anchor, modules.next_back()) {
        (Some(next), _) => list.replacen(next, &format!("{module}\n{next}"), 1),
        (None, Some(last)) => list.replacen(last, &format!("{last}\n{module}"), 1),
        (None, None) => return Err("the list of rules names no modules".into()),
    };

    let (before, rest) = with_module.split_once("pub const RULES").ok_or("there is no list of rules")?;
    let (entries, after) = rest.split_once("];").ok_or("the list of rules has no end")?;
    let entries = entries.trim_end();
    let comma = if entries.ends_with(['[', ',']) { "" } else { "," };
    Ok(format!("{before}pub const RULES{entries}{comma}\n    &{name}::RULE,\n];{after}"))
}

fn code(name: &str, group: &str, level: &str) -> String {
    let variant = group.get(..1).unwrap_or_default().to_uppercase() + group.get(1..).unwrap_or_default();
    format!(
        "\
//! `{name}`: what it finds, in one line.

use ctxlint_analysis::Analysis;

use crate::finding::Finding;
use crate::rule::{{Group, Level, Options, Rule}};

/// The rule.
pub const RULE: Rule = Rule {{
    name: \"{name}\",
    group: Group::{variant},
    level: Level::{level},
    summary: \"what it finds, in one line\",
    docs: include_str!(\"../docs/{name}.md\"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
}};

fn check(_analysis: &Analysis, _options: &Options, _findings: &mut Vec<Finding>) {{}}
"
    )
}

fn page(name: &str) -> String {
    format!(
        "\
# {name}

## What it does

## Why is this bad?

## Example

```rust,bad
```

## Use instead

```rust,good
```

## Known limits
"
    )
}

fn flagged(name: &str) -> String {
    format!(
        "\
//! Code that `{name}` reports. Each misuse ends its line with a mark: two slashes, a tilde and the rule's name.

use context::Context;
"
    )
}

fn silent(name: &str) -> String {
    format!(
        "\
//! The twins: code that looks like what `{name}` reports and is right.

use context::Context;
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
//! The rules.

pub mod finding;
pub mod lost_cancel;
pub mod rule;

use rule::Rule;

/// Every rule.
pub const RULES: &[&Rule] = &[&lost_cancel::RULE];
";

    fn tree(list: &str) -> tempfile::TempDir {
        let tree = tempfile::tempdir().expect("there is room for a folder");
        fs::create_dir_all(tree.path().join("lints/src")).expect("and for one more");
        fs::write(tree.path().join("lints/src/lib.rs"), list).expect("and for a file");
        tree
    }

    fn read(tree: &tempfile::TempDir, path: &str) -> String {
        fs::read_to_string(tree.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[test]
    fn a_rule_gets_all_its_files_and_its_entry() {
        let tree = tree(LIST);
        let written = create(tree.path(), "busy_wait", "suspicious").expect("the rule is made");
        assert_eq!(
            written,
            [
                "lints/src/lib.rs",
                "lints/src/busy_wait.rs",
                "lints/docs/busy_wait.md",
                "tests/fixtures/busy_wait/flagged.rs",
                "tests/fixtures/busy_wait/silent.rs",
            ]
        );
        let list = read(&tree, "lints/src/lib.rs");
        assert!(list.contains("pub mod busy_wait;\npub mod finding;\n"), "{list}");
        let entries: String = list.split_once("RULES").map(|(_, rest)| rest.split_whitespace().collect()).unwrap();
        assert!(entries.contains("&[&lost_cancel::RULE,&busy_wait::RULE"), "{list}");
        assert!(read(&tree, "lints/src/busy_wait.rs").contains("group: Group::Suspicious,\n    level: Level::Warn,"));
        assert!(read(&tree, "lints/docs/busy_wait.md").starts_with("# busy_wait\n"));
    }

    #[test]
    fn a_page_that_was_written_first_stays() {
        let tree = tree(LIST);
        let page = tree.path().join("lints/docs/busy_wait.md");
        fs::create_dir_all(page.parent().unwrap()).unwrap();
        fs::write(&page, "# busy_wait\n\nWell thought out.\n").unwrap();
        let written = create(tree.path(), "busy_wait", "suspicious").expect("the rule is made");
        assert!(!written.contains(&"lints/docs/busy_wait.md".to_owned()), "{written:?}");
        assert!(read(&tree, "lints/docs/busy_wait.md").ends_with("Well thought out.\n"));
    }

    #[test]
    fn the_real_list_takes_rules_at_both_ends() {
        let real = include_str!("../../lints/src/lib.rs");
        let tree = tree(real);
        for name in ["aaa_first", "zzz_last"] {
            create(tree.path(), name, "pedantic").expect("the rule is made");
        }
        let list = read(&tree, "lints/src/lib.rs");
        let modules: Vec<&str> = list.lines().filter(|line| line.starts_with("pub mod ")).collect();
        assert!(modules.is_sorted(), "{modules:?}");
        let entries = |list: &str| list.matches("::RULE").count();
        assert_eq!(entries(&list), entries(real) + 2);
        assert_eq!(
            create(tree.path(), "zzz_last", "style").unwrap_err().to_string(),
            "lints/src/zzz_last.rs is there already"
        );
    }

    #[test]
    fn names_and_groups_are_checked_before_anything_is_written() {
        let tree = tree(LIST);
        for name in ["", "BusyWait", "busy-wait", "../escape", "1st"] {
            assert!(create(tree.path(), name, "style").is_err(), "{name}");
        }
        let error = create(tree.path(), "busy_wait", "nursery").unwrap_err().to_string();
        assert!(error.starts_with("`nursery` is not a group; there are correctness"), "{error}");
        assert_eq!(read(&tree, "lints/src/lib.rs"), LIST);
        assert!(!tree.path().join("tests").exists());
    }
}
