//! Levels on the command line and in the configuration, and exit codes.

use crate::project::Project;

const WARNS: &str = "// ctxlint: allow(syntax_error)\nfn f() {}\n";
const DENIES: &str = "// ctxlint: allow(no_such_rule_at_all)\nfn f() {}\n";

#[test]
fn exit_codes_are_those_of_the_contract() {
    type Files = &'static [(&'static str, &'static str)];
    let cases: &[(Files, &[&str], i32)] = &[
        (&[("a.rs", "fn f() {}\n")], &[], 0),
        (&[("a.rs", WARNS)], &[], 0),
        (&[("a.rs", WARNS)], &["-D", "warnings"], 1),
        (&[("a.rs", DENIES)], &[], 1),
        (&[("a.rs", DENIES)], &["--exit-zero"], 0),
        (&[("a.rs", DENIES)], &["nowhere.rs", "a.rs"], 2),
        (&[("a.rs", DENIES)], &["--no-such-flag"], 2),
        (&[("a.rs", DENIES)], &["-D", "no_such_rule"], 2),
        (&[], &[], 3),
        (&[("notes.txt", "nothing")], &[], 3),
    ];
    for (files, args, code) in cases {
        let run = Project::new(files).run(args);
        assert_eq!(run.code, *code, "{files:?} {args:?}\n{}{}", run.out, run.err);
    }
}

#[test]
fn later_levels_win_and_rules_follow_groups() {
    let project = Project::new(&[("a.rs", WARNS)]);
    let severity = |args: &[&str]| project.places(args).first().cloned().unwrap_or_default();
    assert!(severity(&["-A", "unused_suppression", "-D", "unused_suppression"]).contains("error"));
    assert_eq!(severity(&["-D", "unused_suppression", "-A", "unused_suppression"]), "");
    assert_eq!(severity(&["-A", "warnings"]), "");
    assert!(severity(&["-F", "unused_suppression", "-A", "unused_suppression"]).contains("error"));
}

#[test]
fn only_runs_what_is_named() {
    let project = Project::new(&[("a.rs", &format!("{WARNS}{DENIES}"))]);
    let rules = |args: &[&str]| project.places(args);
    assert_eq!(rules(&["--only", "unknown_rule"]), ["a.rs:3:19: error[ctxlint::unknown_rule]"]);
    assert_eq!(rules(&["--only", "unused_suppression"]), ["a.rs:1:1: warning[ctxlint::unused_suppression]"]);
}

#[test]
fn a_file_overrides_and_the_command_line_overrides_it() {
    let project = Project::new(&[
        ("src/a.rs", WARNS),
        ("tests/b.rs", WARNS),
        (
            "ctxlint.toml",
            "[rules]\nunused_suppression = \"deny\"\n\n[[overrides]]\npaths = [\"tests/**\"]\nrules = { unused_suppression = \"allow\" }\n",
        ),
    ]);
    assert_eq!(project.places(&[]), ["src/a.rs:1:1: error[ctxlint::unused_suppression]"]);
    assert_eq!(
        project.places(&["-W", "unused_suppression"]),
        ["src/a.rs:1:1: warning[ctxlint::unused_suppression]", "tests/b.rs:1:1: warning[ctxlint::unused_suppression]"]
    );
}
