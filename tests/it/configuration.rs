//! Where configuration is found, and what its errors say.

use crate::project::Project;

const WARNS: &str = "// ctxlint: allow(syntax_error)\nfn f() {}\n";

#[test]
fn errors_have_a_place_and_the_nearest_name() {
    let cases = [
        (
            "[rules]\nunused_supression = \"deny\"\n",
            "ctxlint.toml:2:1: unknown rule or group `unused_supression`; did you mean `unused_suppression`?",
        ),
        ("[rules]\nunused_suppression = \"dney\"\n", "ctxlint.toml:2:22: unknown level `dney`; did you mean `deny`?"),
        ("[rule]\n", "ctxlint.toml:1:2: unknown field `rule`, expected one of"),
        ("[rule]\n", "did you mean `rules`?"),
        ("exclude = [\"ok\", \"a[\"]\n", "ctxlint.toml:1:18: bad glob `a[`"),
        ("[[overrides]]\npath = []\n", "did you mean `paths`?"),
        (
            "[options.sintax_error]\nx = \"y\"\n",
            "ctxlint.toml:1:10: unknown rule `sintax_error`; did you mean `syntax_error`?",
        ),
        ("exclude = \n", "ctxlint.toml:1:"),
        ("[[models]]\nname = \"x\"\nword = []\n", "ctxlint.toml:3:1: unknown field `word`"),
        ("[[models]]\nname = \"x\"\n[[models.type]]\npath = \"a::B\"\nrole = \"contxt\"\n", "did you mean `context`?"),
        ("[[models]]\nname = \"x\"\n[[models.type]]\npath = \"a b\"\nrole = \"context\"\n", "`a b` is no path"),
        ("require-reason = \"yes\"\n", "ctxlint.toml:1:18: invalid type"),
    ];
    for (text, expected) in cases {
        let run = Project::new(&[("a.rs", WARNS), ("ctxlint.toml", text)]).run(&[]);
        assert_eq!(run.code, 2, "{text}\n{}", run.err);
        assert!(run.err.contains(expected), "{text}\nexpected {expected}\nfound {}", run.err);
        assert_eq!((run.out.as_str(), run.err.lines().count()), ("", 1), "one clear line: {}", run.err);
    }
}

/// Types are allowed by their name, or by their path where the name is not enough.
#[test]
fn types_that_may_keep_a_context() {
    let text = "use context::Context;\nstruct Call { ctx: Context }\nmod jobs {\n    \
                pub struct Job { ctx: context::Context }\n    pub struct Call2 { ctx: context::Context }\n}\n";
    let places = |allowed: &str| {
        let configuration =
            format!("[rules]\ncontext_in_struct = \"warn\"\n[options.context_in_struct]\nallow = {allowed}\n");
        Project::new(&[("a.rs", text), ("ctxlint.toml", &configuration)]).places(&[])
    };
    let at = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| format!("a.rs:{line}: warning[ctxlint::context_in_struct]")).collect()
    };
    assert_eq!(places("[]"), at(&["2:15", "4:22", "5:24"]));
    assert_eq!(places("[\"Call\"]"), at(&["4:22", "5:24"]));
    assert_eq!(places("[\"Call\", \"Call2\"]"), at(&["4:22"]));
    assert_eq!(places("[\"a::jobs::Job\"]"), at(&["2:15", "5:24"]));
    assert_eq!(places("[\"jobs\"]"), at(&["2:15", "4:22", "5:24"]));
}

#[test]
fn the_nearest_file_above_counts() {
    let project =
        Project::new(&[("ctxlint.toml", "[rules]\nunused_suppression = \"allow\"\n"), ("deep/down/a.rs", WARNS)]);
    assert_eq!(project.places(&["deep/down"]), [""; 0]);
    project.write("deep/ctxlint.toml", "[rules]\nunused_suppression = \"deny\"\n");
    assert_eq!(project.places(&["deep/down"]), ["deep/down/a.rs:1:1: error[ctxlint::unused_suppression]"]);
}

#[test]
fn manifests_configure_where_there_is_no_file() {
    let project = Project::package(WARNS);
    let manifest = project.read("Cargo.toml");
    project
        .write("Cargo.toml", &format!("{manifest}[package.metadata.ctxlint.rules]\nunused_suppression = \"deny\"\n"));
    assert_eq!(project.places(&[]), ["src/lib.rs:1:1: error[ctxlint::unused_suppression]"]);
    project.write("Cargo.toml", &format!("{manifest}[package.metadata.ctxlint]\nrulez = {{}}\n"));
    let run = project.run(&[]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("Cargo.toml:6:1: unknown field `rulez`"), "{}", run.err);
    project.write("ctxlint.toml", "");
    assert_eq!(project.places(&[]), ["src/lib.rs:1:1: warning[ctxlint::unused_suppression]"]);
}

#[test]
fn an_explicit_file_replaces_what_would_be_found() {
    let project = Project::new(&[
        ("a.rs", WARNS),
        ("ctxlint.toml", "nonsense = 1\n"),
        ("other.toml", "[rules]\nunused_suppression = \"deny\"\n"),
    ]);
    assert_eq!(project.places(&["--config", "other.toml"]), ["a.rs:1:1: error[ctxlint::unused_suppression]"]);
    assert_eq!(project.run(&["--config", "nowhere.toml"]).code, 2);
}

#[test]
fn excluded_files_are_not_read() {
    let project = Project::new(&[
        ("a.rs", WARNS),
        ("generated/b.rs", WARNS),
        ("c.pb.rs", WARNS),
        ("ctxlint.toml", "exclude = [\"generated\", \"*.pb.rs\"]\n"),
    ]);
    assert_eq!(project.places(&[]), ["a.rs:1:1: warning[ctxlint::unused_suppression]"]);
    assert_eq!(project.places(&["--exclude", "a.rs"]), [""; 0]);
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let project = Project::new(&[("a.rs", WARNS), ("ctxlint.toml", "[rules]\nunused_suppression = \"deny\"\n")]);
    let run = project.run(&["config"]);
    let line = run.out.lines().find(|line| line.starts_with("unused_suppression")).expect("the rule is listed");
    assert!(line.contains("\"deny\"") && line.ends_with("ctxlint.toml"), "{line}");
    assert!(
        run.out.lines().any(|line| line.starts_with("syntax_error") && line.ends_with("# built in")),
        "{}",
        run.out
    );
}

#[test]
fn the_schema_knows_what_the_reader_knows() {
    let project = Project::empty();
    let schema: serde_json::Value = serde_json::from_str(&project.run(&["schema"]).out).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let accepted = [
        "",
        "exclude = [\"a\"]\nrequire-reason = true\n[rules]\nall = \"warn\"\ncorrectness = \"forbid\"\nsyntax_error = \"allow\"\n",
        "[[overrides]]\npaths = [\"a\"]\nrules = { style = \"deny\" }\n[options.syntax_error]\nx = \"y\"\nz = [\"y\"]\n",
        "[[models]]\nname = \"x\"\n",
    ];
    let rejected = [
        "[rule]\n",
        "[rules]\nnope = \"deny\"\n",
        "[rules]\nall = \"dney\"\n",
        "exclude = \"a\"\n",
        "[[overrides]]\npaths = []\n",
    ];
    for (texts, valid) in [(&accepted[..], true), (&rejected[..], false)] {
        for text in texts {
            let value: toml::Table = toml::from_str(text).expect("TOML");
            let value = serde_json::to_value(value).expect("JSON");
            assert_eq!(validator.is_valid(&value), valid, "the schema on {text}");
            let run = Project::new(&[("a.rs", "fn f() {}\n"), ("ctxlint.toml", text)]).run(&[]);
            assert_eq!(run.code == 0, valid, "the reader on {text}: {}", run.err);
        }
    }
}
