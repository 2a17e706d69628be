//! Every fixture says what is to be found in it, and exactly that is found.
//!
//! `//~ rule` stands at the end of the line in which a finding's primary span begins, `//~^ rule` in
//! the line below, with more `^` further down. Marks of rules that are not built yet do not count.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::sources::{self, Checked, check_folder, check_text, fixtures, is_rule};

/// Where a rule finds something: path, line, rule.
type Place = (String, u32, String);

/// One test for each folder of fixtures; that none is missing is tested in `meta`.
macro_rules! folders {
    ($($name:ident)*) => {
        /// The folders that are tested.
        pub(crate) const FOLDERS: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            folder(stringify!($name));
        })*
    };
}

folders! {
    adhoc_detach
    after_func_on_detached
    background_in_handler
    broken_chain
    busy_wait
    cancel_after_await
    cancellation_as_error
    context_grows_in_loop
    context_in_struct
    context_not_first
    dependency_in_value
    detach_in_middleware
    detached_in_group
    done_arm_spins
    endless_task
    expired_at_birth
    flight_uses_caller_context
    guard_dropped_at_once
    ignored_parent
    lost_cancel
    lost_stop
    no_deadline
    optional_context
    polled_not_raced
    primitive_value_key
    public_value_key
    request_context_in_task
    required_value
    retry_after_cancel
    state_of_detached
    string_value_key
    task_outlives_guard
    timeout_beyond_parent
    todo_context
    unbounded_detach
    uncancellable_wait
    unused_context
    use_after_done
    value_chain
    value_in_loop
    value_mismatch
    wait_on_detached
    wrong_group_context
}

/// A service, its domain and a worker.
#[test]
fn shop() {
    let folder = fixtures().join("shop");
    let mut outcome = Outcome::default();
    outcome.workspace(&folder, "");
    outcome.settle();
}

/// Handlers and tasks of many frameworks.
#[test]
fn frameworks() {
    let mut outcome = Outcome::default();
    outcome.workspace(&fixtures().join("frameworks"), "");
    outcome.settle();
}

fn folder(rule: &str) {
    let folder = fixtures().join(rule);
    let mut outcome = Outcome::default();
    for name in sources::names(&folder) {
        let path = folder.join(&name);
        if path.join("Cargo.toml").exists() {
            outcome.workspace(&path, rule);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a fixture");
            outcome.compare(marks(&name, &text), &check_text(&name, &text, rule));
        } else {
            panic!("{} is neither a fixture nor a workspace", path.display());
        }
    }
    outcome.settle();
}

#[derive(Default)]
struct Outcome {
    files: usize,
    misses: Vec<String>,
    false_alarms: Vec<String>,
    failures: Vec<String>,
}

impl Outcome {
    fn workspace(&mut self, folder: &Path, rule: &str) {
        let checked = check_folder(folder, rule);
        let expected = checked.workspace.files.iter().flat_map(|file| marks(&file.path, &file.text)).collect();
        self.compare(expected, &checked);
    }

    fn compare(&mut self, expected: Vec<Place>, checked: &Checked) {
        self.files += checked.workspace.files.len();
        self.failures.extend(checked.report.failures.iter().cloned());
        let mut left: BTreeMap<Place, usize> = BTreeMap::new();
        for place in expected.into_iter().filter(|(_, _, rule)| is_rule(rule)) {
            *left.entry(place).or_default() += 1;
        }
        for reported in &checked.report.findings {
            let rule = reported.finding.rule;
            let place = (checked.path(reported).to_owned(), checked.line(reported), rule.to_owned());
            match left.get_mut(&place).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => {
                    let (path, line, _) = place;
                    self.false_alarms.push(format!("{path}:{line} {rule}: {}", reported.finding.message));
                }
            }
        }
        for ((path, line, rule), count) in left {
            self.misses.extend((0..count).map(|_| format!("{path}:{line} {rule}")));
        }
    }

    fn settle(self) {
        let mut text = String::new();
        for (what, places) in
            [("misses", &self.misses), ("false alarms", &self.false_alarms), ("failures", &self.failures)]
        {
            if !places.is_empty() {
                let _ = writeln!(text, "\n{} {what}:\n  {}", places.len(), places.join("\n  "));
            }
        }
        assert!(self.files > 0, "no fixtures");
        assert!(text.is_empty(), "{text}");
    }
}

/// What a text says is to be found in it.
pub(crate) fn marks(path: &str, text: &str) -> Vec<Place> {
    let mut marks = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        for mark in content.split("//~").skip(1) {
            let rule = mark.trim_start_matches('^');
            let above = (mark.len() - rule.len()) as u32;
            marks.push((path.to_owned(), line - above, rule.trim().to_owned()));
        }
    }
    marks
}

#[test]
fn marks_are_read() {
    let text = "a(); //~ first //~ second\n\nb(\n);\n//~^^ third\n";
    let place = |line, rule: &str| ("x.rs".to_owned(), line, rule.to_owned());
    assert_eq!(marks("x.rs", text), [place(1, "first"), place(1, "second"), place(3, "third")]);
}
