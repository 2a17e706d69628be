//! Baselines, and findings since a revision.

use std::process::Command;

use crate::project::Project;

const TWO: &str = "fn f() {} // ctxlint: allow(syntax_error)\nfn g() {} // ctxlint: allow(syntax_error)\n";

#[test]
fn a_baseline_hides_what_is_known_though_lines_move() {
    let project = Project::new(&[("a.rs", TWO)]);
    let strict = ["-D", "warnings", "--baseline", "known.json"];
    assert_eq!(project.run(&["-D", "warnings", "--write-baseline", "known.json"]).code, 0);
    let run = project.run(&strict);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert!(run.err.contains("2 in the baseline"), "{}", run.err);

    project.write("a.rs", &format!("// moved\n\nmod deep {{\n    {TWO}}}\n"));
    assert_eq!(project.run(&strict).code, 0);

    project.write("a.rs", &format!("{TWO}fn h() {{}} // ctxlint: allow(syntax_error)\n"));
    let run = project.run(&[&strict[..], &["--message-format", "short"]].concat());
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("a.rs:3:11: error") && run.out.lines().count() == 1, "{}", run.out);
}

#[test]
fn stale_entries_are_told_and_taken_out() {
    let project = Project::new(&[("a.rs", TWO), ("b.rs", TWO)]);
    project.run(&["--write-baseline", "known.json"]);
    project.write("a.rs", "fn f() {} // ctxlint: allow(syntax_error)\n");
    std::fs::remove_file(project.path("b.rs")).expect("the file is removed");
    let run = project.run(&["--baseline", "known.json"]);
    assert!(run.err.contains("known.json: stale: unused_suppression in a.rs and 2 more"), "{}", run.err);
    assert!(!project.run(&["--baseline", "known.json", "nowhere", "known.json"]).err.contains("panicked"));
    project.run(&["--baseline", "known.json", "--write-baseline", "known.json"]);
    assert!(!project.run(&["--baseline", "known.json"]).err.contains("stale"));
    assert_eq!(project.read("known.json").matches("fingerprint").count(), 1);
}

#[test]
fn taking_out_what_is_gone_takes_in_nothing_new() {
    let project = Project::new(&[("a.rs", TWO)]);
    let both = ["--baseline", "known.json", "--write-baseline", "known.json", "-D", "warnings"];
    assert_eq!(project.run(&both).code, 0, "the first run makes it");
    project.write("a.rs", "fn f() {} // ctxlint: allow(syntax_error)\n// ctxlint: allow(nonsense)\nfn h() {}\n");
    let run = project.run(&both);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("unknown_rule") && run.err.contains("1 in the baseline"), "{}{}", run.out, run.err);
    assert_eq!(project.read("known.json").matches("fingerprint").count(), 1);
    assert!(!project.run(&both[..2]).err.contains("stale"));
}

#[test]
fn a_run_over_a_part_says_nothing_of_the_rest() {
    let project = Project::new(&[("a.rs", TWO), ("b.rs", &format!("{TWO}// ctxlint: allow(nonsense)\nfn h() {{}}\n"))]);
    let entries = |project: &Project| project.read("known.json").matches("fingerprint").count();
    project.run(&["--write-baseline", "known.json"]);
    assert_eq!(entries(&project), 5);
    project.write("a.rs", "");
    let update = ["--baseline", "known.json", "--write-baseline", "known.json"];

    let by_path = ["b.rs", "--baseline", "known.json"];
    assert!(!project.run(&by_path).err.contains("stale"));
    project.run(&[&["b.rs"], &update[..]].concat());
    assert_eq!(entries(&project), 5, "what is in a.rs is not looked at");

    let by_rule = ["--only", "unknown_rule"];
    assert!(!project.run(&[&by_rule[..], &update[..2]].concat()).err.contains("stale"));
    project.run(&[&by_rule[..], &update[..]].concat());
    assert_eq!(entries(&project), 5, "other rules are off");

    project.run(&update);
    assert_eq!(entries(&project), 3);
}

#[test]
fn a_bad_baseline_is_one_clear_line() {
    let project = Project::new(&[("a.rs", TWO)]);
    for text in ["", "{}", "{\"version\": 2, \"findings\": []}", "{\"version\": 1, \"findings\": [{\"x\": 1}]}"] {
        project.write("known.json", text);
        let run = project.run(&["--baseline", "known.json"]);
        assert_eq!((run.code, run.err.lines().count()), (2, 1), "{}", run.err);
        assert!(run.err.contains("the baseline known.json: "), "{}", run.err);
    }
    assert_eq!(project.run(&["--baseline", "nowhere.json"]).code, 2);
}

fn git(project: &Project, args: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(args).current_dir(project.root()).output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn repository() -> Project {
    let project = Project::new(&[("a.rs", TWO), ("old name.rs", &format!("{TWO}{}", "// long\n".repeat(20)))]);
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "one"]);
    project
}

#[test]
fn only_changed_lines_count_since_a_revision() {
    let project = repository();
    assert_eq!(project.places(&["--since", "HEAD"]), [""; 0]);
    project.write("a.rs", &format!("{TWO}fn h() {{}} // ctxlint: allow(syntax_error)\n"));
    project.write("new ä.rs", TWO);
    git(&project, &["mv", "old name.rs", "new name.rs"]);
    let warning = "warning[ctxlint::unused_suppression]";
    let expected =
        [format!("a.rs:3:11: {warning}"), format!("new ä.rs:1:11: {warning}"), format!("new ä.rs:2:11: {warning}")];
    assert_eq!(project.places(&["--since", "HEAD"]), expected, "in files, untracked files, and not in renamed ones");
    git(&project, &["add", "-A"]);
    assert_eq!(project.places(&["--since", "HEAD"]), expected, "in the index");
    git(&project, &["commit", "-qm", "two"]);
    assert_eq!(project.places(&["--since", "HEAD~1"]), expected, "in commits");
    assert_eq!(project.places(&["--since", "HEAD"]), [""; 0]);
}

#[test]
fn gits_own_settings_change_nothing() {
    let project = repository();
    project.write(".gitattributes", "*.rs -diff\n");
    for (key, value) in [("diff.interHunkContext", "50"), ("diff.mnemonicPrefix", "true"), ("color.ui", "always")] {
        git(&project, &["config", key, value]);
    }
    let many = format!("// long\n{TWO}{}// changed\n", "// long\n".repeat(20));
    project.write("old name.rs", &many);
    assert_eq!(project.places(&["--since", "HEAD"]), [""; 0], "what stands between two changes did not change");
    project.write("a.rs", &TWO.replace("fn f", "fn ff"));
    assert_eq!(project.places(&["--since", "HEAD"]).len(), 1);
}

#[test]
fn changes_on_the_other_branch_do_not_count() {
    let project = repository();
    git(&project, &["checkout", "-qb", "work"]);
    git(&project, &["checkout", "-q", "main"]);
    project.write("a.rs", "\n");
    git(&project, &["commit", "-qam", "elsewhere"]);
    git(&project, &["checkout", "-q", "work"]);
    assert_eq!(project.places(&["--since", "main"]), [""; 0]);
}

#[test]
fn what_git_cannot_tell_is_one_clear_line() {
    let project = repository();
    let since = |project: &Project, revision: &str| {
        let run = project.run(&["--since", revision]);
        assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (2, "", 1), "{}", run.err);
        run.err
    };
    assert!(since(&project, "nonsense").contains("--since nonsense: git knows no such revision"));
    project.write("a.rs", "\n");
    git(&project, &["commit", "-qam", "two"]);
    let clone = Project::empty();
    let url = format!("file://{}", project.root().display());
    git(&clone, &["clone", "-q", "--depth", "1", &url, "."]);
    assert!(since(&clone, "HEAD~1").contains("this clone is shallow: `git fetch --unshallow`"));
    let outside = Project::new(&[("a.rs", TWO)]);
    assert!(since(&outside, "HEAD").contains("not a git repository"));
}
