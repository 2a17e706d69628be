//! What the lowering makes of small pieces of code, case by case.
//!
//! A file of cases holds `=== name`, the code, `---` and the dump of its facts. A name that ends in
//! `(body)` is of statements: they are put into `fn f(ctx: Context, cancel: CancelHandle) { … }` and
//! only the bodies are dumped. `UPDATE=1 cargo test` writes the dumps anew; read what changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ctxlint_analysis::{facts_check, facts_dump, parse};

struct Case<'t> {
    name: &'t str,
    code: &'t str,
    expected: &'t str,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    text.split("=== ")
        .skip(1)
        .map(|part| {
            let (name, rest) = part.split_once('\n').expect("a name on its line");
            let (code, expected) = rest.split_once("---\n").unwrap_or((rest, ""));
            Case { name: name.trim(), code, expected: expected.trim_end() }
        })
        .collect()
}

fn lowered(case: &Case<'_>) -> String {
    let body = case.name.ends_with("(body)");
    let text = if body {
        format!("fn f(ctx: Context, cancel: CancelHandle) {{\n{}}}\n", case.code)
    } else {
        case.code.to_owned()
    };
    let facts = match parse::parse(&text) {
        Ok(facts) => facts,
        Err(error) => return format!("error: {} at {:?}", error.message, error.span),
    };
    let violations = facts_check::violations(&facts, &text);
    assert!(violations.is_empty(), "{}: {violations:#?}", case.name);
    let dump = facts_dump::dump(&facts);
    let kept = dump.lines().filter(|line| !body || !line.starts_with("item "));
    kept.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn run(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).expect("a readable file of cases");
    let mut failures = String::new();
    let mut blessed = String::new();
    for case in cases(&text) {
        let found = lowered(&case);
        let _ = write!(blessed, "=== {}\n{}---\n{found}\n\n", case.name, case.code);
        if found != case.expected {
            let _ = write!(failures, "{}\n{found}\n\n", case.name);
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, blessed).expect("a writable file of cases");
        return Ok(());
    }
    Err(format!("{}:\n{failures}", path.display()))
}

#[test]
fn every_case_lowers_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let failures: Vec<String> = files.iter().filter_map(|path| run(path).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
