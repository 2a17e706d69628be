//! Suppressions, and the findings about them.

use crate::project::Project;

const UNUSED: &str = "// ctxlint: allow(syntax_error)\nfn f() {}\n";

#[test]
fn an_allow_that_suppresses_nothing_is_reported() {
    let project = Project::new(&[("a.rs", UNUSED)]);
    assert_eq!(project.places(&[]), ["a.rs:1:1: warning[ctxlint::unused_suppression]"]);
    assert_eq!(project.run(&[]).code, 0, "a warning does not fail the run");
}

#[test]
fn an_expect_without_a_finding_is_reported_as_such() {
    let project = Project::new(&[("a.rs", "fn f() {} // ctxlint: expect(syntax_error)\n")]);
    let run = project.run(&["--message-format", "short"]);
    assert!(run.out.contains("a finding of `syntax_error` was expected here and there is none"), "{}", run.out);
}

#[test]
fn unknown_names_are_reported_with_the_nearest_and_fail_the_run() {
    let project = Project::new(&[("a.rs", "//! ctxlint: allow(unused_supression)\nfn f() {}\n")]);
    let run = project.run(&[]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("error[ctxlint::unknown_rule]: no rule or group is called `unused_supression`"),
        "{}",
        run.out
    );
    assert!(run.out.contains("the nearest name is `unused_suppression`"), "{}", run.out);
}

#[test]
fn there_is_no_name_for_everything() {
    let project = Project::new(&[("a.rs", "//! ctxlint: allow(all)\nfn f() {}\n")]);
    assert_eq!(project.places(&[]), ["a.rs:1:20: error[ctxlint::unknown_rule]"]);
}

#[test]
fn what_cannot_be_read_is_told_not_ignored() {
    let project = Project::new(&[("a.rs", "// ctxlint: alow(syntax_error)\nfn f() {}\n")]);
    let run = project.run(&["--message-format", "short"]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.out.contains("this suppression cannot be read and suppresses nothing"), "{}", run.out);
}

#[test]
fn findings_about_suppressions_can_be_suppressed_and_are_counted() {
    let project = Project::new(&[(
        "a.rs",
        "//! ctxlint: allow(unused_suppression)\n\n// ctxlint: allow(syntax_error)\nfn f() {}\n",
    )]);
    let run = project.run(&[]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert!(run.err.contains("1 suppressed"), "{}", run.err);
}

#[test]
fn forbidden_rules_are_not_suppressed() {
    let project = Project::new(&[(
        "a.rs",
        "//! ctxlint: allow(unused_suppression)\n\n// ctxlint: allow(syntax_error)\nfn f() {}\n",
    )]);
    let run = project.run(&["-F", "unused_suppression"]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("note: `unused_suppression` is at level forbid: the suppression has no effect"),
        "{}",
        run.out
    );
}

#[test]
fn a_suppression_of_a_rule_that_is_off_is_not_unused() {
    let project = Project::new(&[("a.rs", UNUSED)]);
    assert_eq!(project.places(&["-A", "syntax_error"]), [""; 0]);
}

#[test]
fn a_required_reason_that_is_missing_leaves_the_finding() {
    let text = "//! ctxlint: allow(unused_suppression)\n\n// ctxlint: allow(syntax_error)\nfn f() {}\n";
    let project = Project::new(&[("a.rs", text), ("ctxlint.toml", "require-reason = true\n")]);
    let run = project.run(&[]);
    assert!(run.out.contains("no effect without a `reason`"), "{}", run.out);
    project.write("a.rs", &text.replace("unused_suppression)", "unused_suppression, reason = \"why\")"));
    assert_eq!(project.run(&[]).out, "");
}

#[test]
fn attributes_suppress_like_comments() {
    let project = Project::new(&[(
        "a.rs",
        "#[cfg_attr(ctxlint, allow(ctxlint::syntax_error, ctxlint::unknown_rule))]\nfn f() {}\n",
    )]);
    let run = project.run(&["--message-format", "short"]);
    assert!(run.out.starts_with("a.rs:1:1: warning[ctxlint::unused_suppression]"), "{}", run.out);
}
