//! The other formats, each read by something that knows it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::project::Project;

const TEXT: &str = "fn f() {\n\tlet x = \"é<&>\"; // ctxlint: allow(syntax_error)\n}\n\n\
                    // ctxlint: allow(unused_supression)\nfn g() {}\n";

fn project() -> Project {
    Project::new(&[("src dir/ä.rs", TEXT), ("b.rs", TEXT), ("c.rs", "use context::Context;\nfn f( {\n")])
}

fn output(format: &str) -> String {
    project().run(&["--message-format", format]).out
}

/// The schema that OASIS publishes, as the crate `serde-sarif` carries it.
fn sarif_schema() -> Value {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let rustc = String::from_utf8(rustc.stdout).expect("UTF-8");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    // Crates for other platforms need not be there.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("the crate is there");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let text = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the schema");
    // As published, with a bracket too many: no regular expression by the rules of JSON Schema.
    let text = text.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn sarif_passes_the_published_schema() {
    let log: Value = serde_json::from_str(&output("sarif")).expect("JSON");
    let validator = jsonschema::options().build(&sarif_schema()).expect("a schema");
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
    let broken = serde_json::json!({ "version": "0.0.1", "runs": [] });
    assert!(!validator.is_valid(&broken), "the schema rejects something");

    let typed: serde_sarif::sarif::Sarif = serde_json::from_value(log.clone()).expect("the model reads it");
    assert_eq!(typed.runs.len(), 1);
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 5);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let uri = &results[3]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "src%20dir/%C3%A4.rs");
    let region = &results[0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &18.into()));
}

#[test]
fn fingerprints_survive_moved_lines_and_are_unique() {
    let fingerprints = |project: &Project| -> Vec<String> {
        let issues: Value = serde_json::from_str(&project.run(&["--message-format", "gitlab"]).out).expect("JSON");
        let issues = issues.as_array().expect("an array");
        issues.iter().map(|issue| issue["fingerprint"].as_str().expect("a text").to_owned()).collect()
    };
    let line = "fn f() {} // ctxlint: allow(syntax_error)\n";
    let project = Project::new(&[("a.rs", &format!("{line}mod m {{ {line} }}\n{line}"))]);
    let before = fingerprints(&project);
    assert_eq!(before.len(), 3);
    assert!(before[0] != before[1] && before[0] != before[2] && before[1] != before[2]);
    project.write("a.rs", &format!("// moved\n\n    {line}mod m {{ {line} }}\n\n{line}"));
    assert_eq!(fingerprints(&project), before);
}

#[test]
fn gitlab_has_what_it_needs() {
    let issues: Value = serde_json::from_str(&output("gitlab")).expect("JSON");
    for issue in issues.as_array().expect("an array") {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            assert!(issue[key].is_string(), "{key} in {issue}");
        }
        assert!(issue["location"]["path"].is_string());
        assert!(issue["location"]["positions"]["begin"]["line"].is_u64());
    }
}

#[test]
fn github_commands_are_escaped() {
    let text = output("github");
    assert_eq!(text.lines().count(), 5);
    let first = text.lines().next().expect("a line");
    assert!(
        first.starts_with("::warning title=ctxlint%3A%3Aunused_suppression,file=b.rs,line=2,col=18,endLine=2,endColumn=49::b.rs:2:18: "),
        "{first}"
    );
    assert!(first.contains("%0Ahelp: remove it"), "{first}");
    assert!(text.lines().any(|line| line.starts_with("::error ")), "{text}");
}

#[test]
fn ci_paths_count_from_the_ci_root() {
    let project = Project::new(&[("rust/a.rs", TEXT)]);
    let root = project.root().to_str().expect("Unicode").to_owned();
    let run = project.run_with_env(&["--message-format", "github", "rust"], &[("GITHUB_WORKSPACE", &root)]);
    assert!(run.out.contains("file=rust/a.rs,"), "{}", run.out);
}

#[test]
fn junit_is_xml_with_a_case_a_finding() {
    let text = output("junit");
    assert!(text.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ctxlint\" tests=\"5\" failures=\"5\""
    ));
    assert_eq!(text.matches("<testcase ").count(), 5);
    assert_eq!(text.matches("<testsuite ").count(), 3);
    assert!(text.contains("é&lt;&amp;&gt;"), "{text}");
    let clean = Project::new(&[("a.rs", "fn f() {}\n")]).run(&["--message-format", "junit"]).out;
    assert!(clean.contains("<testcase name=\"no findings\""), "{clean}");
}

#[test]
fn html_is_one_page_with_everything_escaped() {
    let text = output("html");
    assert_eq!(text.matches("<article ").count(), 5);
    assert!(text.contains("é&lt;&amp;&gt;"));
    assert!(!text.contains("http:") && !text.contains("https:") && !text.contains(" src="), "nothing from elsewhere");
    assert!(text.contains("<option value=\"unknown_rule\">unknown_rule (2)</option>"));
}

#[test]
fn several_formats_go_to_several_files() {
    let project = project();
    let run = project.run(&[
        "--message-format",
        "sarif",
        "--output-file",
        "a.sarif",
        "--message-format",
        "junit",
        "--output-file",
        "a.xml",
        "--message-format",
        "short",
    ]);
    assert_eq!(run.out.lines().count(), 5);
    assert!(project.read("a.sarif").contains("\"2.1.0\""));
    assert!(project.read("a.xml").contains("<testsuites"));
    let run = project.run(&["--message-format", "sarif", "--message-format", "junit"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("only one format can go to standard output"), "{}", run.err);
    assert_eq!(project.run(&["--output-file", "x", "--output-file", "y"]).code, 2);
}

#[test]
fn files_go_to_the_formats_before_them_in_order() {
    let begin = [("sarif", "{"), ("junit", "<?xml"), ("gitlab", "["), ("short", "b.rs:")];
    let places = |words: &str| {
        let project = project();
        let run = project.run(&words.split(' ').collect::<Vec<_>>());
        let format = |text: &str| begin.iter().find(|(_, begin)| text.starts_with(begin)).map_or("-", |(name, _)| name);
        let file = |name: &str| if project.path(name).exists() { format(&project.read(name)) } else { "-" };
        format!("{} {} {}", file("x"), file("y"), if run.code == 2 { "failed" } else { format(&run.out) })
    };
    assert_eq!(places("--message-format sarif,junit --output-file x --output-file y"), "sarif junit -");
    assert_eq!(
        places("--message-format sarif --message-format junit --output-file x --output-file y"),
        "sarif junit -"
    );
    assert_eq!(places("--message-format short --message-format gitlab --output-file x"), "gitlab - short");
    assert_eq!(places("--output-file x --message-format gitlab --message-format short"), "gitlab - short");
    assert_eq!(
        places("--message-format sarif --output-file x --message-format junit --output-file y"),
        "sarif junit -"
    );
    assert_eq!(
        places("--output-file x --message-format sarif --output-file y --message-format junit"),
        "sarif junit -"
    );
    assert_eq!(places("--message-format sarif,junit --output-file x --output-file x"), "- - failed");
}

#[test]
fn human_output_shows_source_labels_and_changes() {
    let project = Project::new(&[("a.rs", TEXT)]);
    let expected = "\
warning[ctxlint::unused_suppression]: this suppression of `syntax_error` suppresses nothing
  ┌─ a.rs:2:18
  │
2 │     let x = \"é<&>\"; // ctxlint: allow(syntax_error)
  │                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing to suppress
  │
  = help: remove it
          2 -     let x = \"é<&>\"; // ctxlint: allow(syntax_error)
          2 +     let x = \"é<&>\";
";
    let run = project.run(&["--only", "unused_suppression"]);
    assert!(run.out.replace('\t', "    ").starts_with(expected), "{}", run.out);
    assert!(run.err.contains("1 warning; 1 can be fixed with --fix"), "{}", run.err);
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let project = Project::new(&[("a.rs", TEXT)]);
    assert!(!project.run(&[]).out.contains('\u{1b}'), "no colours in a pipe");
    assert!(project.run(&["--color", "always"]).out.contains("\u{1b}["));
    assert!(!project.run_with_env(&[], &[("NO_COLOR", "1")]).out.contains('\u{1b}'));
    assert!(project.run_with_env(&["--color=always"], &[("NO_COLOR", "1")]).out.contains('\u{1b}'));
}
