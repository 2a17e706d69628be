//! The smaller commands.

use serde_json::Value;

use crate::project::Project;

#[test]
fn rules_are_listed_for_people_and_programs() {
    let project = Project::empty();
    let table = project.run(&["rules"]);
    assert_eq!(table.code, 0);
    let json: Value = serde_json::from_str(&project.run(&["rules", "--message-format", "json"]).out).expect("JSON");
    let rules = json.as_array().expect("an array");
    assert!(rules.len() >= 3);
    for rule in rules {
        let name = rule["name"].as_str().expect("a name");
        assert!(table.out.contains(name), "{name}");
        assert!(!rule["summary"].as_str().expect("a summary").is_empty());
    }
}

#[test]
fn pages_are_shown_and_unknown_names_come_with_the_nearest() {
    let project = Project::empty();
    let run = project.run(&["explain", "ctxlint::syntax_error"]);
    assert_eq!(run.code, 0);
    assert!(run.out.starts_with("syntax_error\n") && run.out.contains("What it does"), "{}", run.out);
    let run = project.run(&["explain", "sintax_error"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert_eq!(run.err, "ctxlint: unknown rule `sintax_error`; did you mean `syntax_error`?\n");
}

#[test]
fn init_writes_once_what_check_reads() {
    let project = Project::new(&[("a.rs", "fn f() {}\n")]);
    assert_eq!(project.run(&["init"]).code, 0);
    assert_eq!(project.run(&["check"]).code, 0);
    let text = project.read("ctxlint.toml");
    let again = project.run(&["init"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("ctxlint.toml is there already"), "{}", again.err);
    assert_eq!(project.read("ctxlint.toml"), text);

    // What is commented out is right too, prose and examples from other files apart.
    let is_setting =
        |line: &&str| line.starts_with('[') || line.contains(" = ") && !line.starts_with(' ') && !line.contains('`');
    let settings = text.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).filter(is_setting);
    project.write("ctxlint.toml", &settings.collect::<Vec<_>>().join("\n"));
    let run = project.run(&["check"]);
    assert_eq!(run.code, 0, "{}\n{}", run.err, project.read("ctxlint.toml"));
}

#[test]
fn completions_and_the_manual_are_printed() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = project.run(&["completions", shell]);
        assert_eq!(run.code, 0);
        assert!(run.out.contains("message-format") && run.out.contains("explain"), "{shell}");
    }
    let manual = project.run(&["man"]);
    assert!(manual.out.contains(".TH ctxlint 1"), "{}", &manual.out[..200.min(manual.out.len())]);
    for what in [
        ".SS \"graph [options] [PATH]...\"",
        "\\-\\-handler",
        "\\-\\-with\\-cargo",
        ".SS \"explain [options] RULE\"",
        "EXIT STATUS",
    ] {
        assert!(manual.out.contains(what), "{what} is not in\n{}", manual.out);
    }
    assert!(!manual.out.contains("(1)"), "there are no other pages to refer to");
}

#[test]
fn statistics_and_timings_go_to_standard_error() {
    let project = Project::new(&[("a.rs", "fn f() {} // ctxlint: allow(syntax_error)\n")]);
    let run = project.run(&["--statistics", "--timings", "--message-format", "json"]);
    assert!(run.err.contains("1  unused_suppression (1 can be fixed with --fix)"), "{}", run.err);
    assert!(run.err.contains("ms  parse") && run.err.contains("files of interest"), "{}", run.err);
    assert!(run.out.lines().all(|line| line.starts_with('{')));
    assert_eq!(project.run(&["-q"]).err, "");
}
