//! The site's pages: the worked example of a model, and the commands of all recipes, run as they stand.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::fixtures::marks;
use crate::project::{Project, manifest_with_contexts};
use crate::readme::{blocks, pages};
use crate::sources::read;

fn block(page: &str, info: &str) -> String {
    let text = read(format!("docs/{page}.md"));
    blocks(&text, info).first().unwrap_or_else(|| panic!("no {info} in {page}")).to_string()
}

#[test]
fn the_worked_example_of_a_model_works() {
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    let services = block("models", "rust,services");
    let project = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"acme\", \"services\"]\nresolver = \"3\"\n"),
        ("acme/Cargo.toml", &manifest("acme", "")),
        ("acme/src/lib.rs", &block("models", "rust,acme")),
        ("services/Cargo.toml", &manifest("services", "[dependencies]\nacme = { path = \"../acme\" }\n")),
        ("services/src/lib.rs", &services),
        ("ctxlint.toml", &block("models", "toml")),
    ]);
    let output =
        Command::new(env!("CARGO")).args(["check", "--offline", "--quiet"]).current_dir(project.root()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "it compiles: {}", String::from_utf8_lossy(&output.stderr));

    let place = |line: u32, rule: &str| format!("services/src/lib.rs:{line} {rule}");
    let marked: BTreeSet<String> =
        marks("lib.rs", &services).into_iter().map(|(_, line, rule)| place(line, &rule)).collect();
    assert!(marked.len() >= 5, "{marked:?}");
    let found: BTreeSet<String> = project
        .places(&[])
        .iter()
        .map(|found| {
            let line = found.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
            let rule = found.split("ctxlint::").nth(1).expect("a rule").trim_end_matches(']');
            assert!(found.starts_with("services/src/lib.rs:"), "{found}");
            place(line, rule)
        })
        .collect();
    assert_eq!(found, marked);
    // Without the model nothing is known.
    project.write("ctxlint.toml", "");
    assert_eq!(project.places(&[]), [""; 0]);
}

/// Stands in for a published code base, with the names that the page's model speaks of.
const PAGESERVER: &str = r#"
pub mod context {
    #[derive(Clone, Copy)]
    pub enum TaskKind { Compaction, PageService }

    pub struct RequestContext;

    pub struct RequestContextBuilder;

    impl RequestContextBuilder {
        pub fn new(_: TaskKind) -> Self { RequestContextBuilder }
        pub fn task_kind(self, _: TaskKind) -> Self { self }
        pub fn root(self) -> RequestContext { RequestContext }
    }

    impl RequestContext {
        pub fn new(_: TaskKind) -> Self { RequestContext }
        pub fn todo_child(_: TaskKind) -> Self { RequestContext }
        pub fn attached_child(&self) -> Self { RequestContext }
        pub fn detached_child(&self, _: TaskKind) -> Self { RequestContext }
    }
}

pub mod tenant {
    use crate::context::{RequestContext, RequestContextBuilder, TaskKind};

    pub trait Pages {
        fn get(&self, page: u64, ctx: &RequestContext) -> bool; //~ context_not_first
    }

    pub fn compact(ctx: &RequestContext, pages: &dyn Pages) -> bool {
        let own = RequestContextBuilder::new(TaskKind::PageService).task_kind(TaskKind::Compaction).root(); //~ ignored_parent
        pages.get(1, ctx) && pages.get(2, &own)
    }

    pub fn compact_as_a_child(ctx: &RequestContext, pages: &dyn Pages) -> bool {
        let own = ctx.attached_child();
        pages.get(3, &own)
    }

    pub fn compact_on_its_own(pages: &dyn Pages) -> bool {
        let own = RequestContext::new(TaskKind::Compaction);
        pages.get(4, &own)
    }

    pub fn compact_as_is_to_be_seen(pages: &dyn Pages) -> bool {
        let own = RequestContext::todo_child(TaskKind::Compaction); //~ todo_context
        pages.get(5, &own.detached_child(TaskKind::PageService))
    }
}
"#;

#[test]
fn the_model_of_a_published_code_base_works() {
    let project = Project::new(&[
        ("Cargo.toml", "[package]\nname = \"pageserver\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("src/lib.rs", PAGESERVER),
        ("ctxlint.toml", &block("models", "toml,neon")),
    ]);
    let marked: BTreeSet<(u32, String)> =
        marks("lib.rs", PAGESERVER).into_iter().map(|(_, line, rule)| (line, rule)).collect();
    let places = project.places(&["-W", "todo_context"]);
    let found: BTreeSet<(u32, String)> = places
        .iter()
        .map(|found| {
            let line = found.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
            let rule = found.split("ctxlint::").nth(1).expect("a rule").trim_end_matches(']');
            (line, rule.to_owned())
        })
        .collect();
    assert_eq!(found, marked);
}

#[test]
fn the_rule_that_is_shown_is_the_rule() {
    assert_eq!(block("writing-a-rule", "rust,rule"), read("lints/src/todo_context.rs"));
}

/// A package with a finding, two commits, a baseline, and a remote's branch.
fn scratch() -> Project {
    let project = Project::new(&[
        ("Cargo.toml", &manifest_with_contexts("my-api")),
        (
            "src/lib.rs",
            "use context::Context;\n\npub fn f(ctx: &Context) -> Context {\n    let (ctx, _) = ctx.with_cancel();\n    ctx\n}\n",
        ),
    ]);
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let status = Command::new("git").args(identity).args(args).current_dir(project.root()).output();
        assert!(status.expect("git runs").status.success(), "git {args:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    assert_eq!(project.run(&["--write-baseline", "ctxlint-baseline.json"]).code, 0);
    project
}

/// Lets a shell run a command with ours first in its path.
fn shell(project: &Project, command: &str, env: &[(&str, &str)]) {
    let ours = Path::new(env!("CARGO_BIN_EXE_ctxlint")).parent().expect("a folder");
    let path = format!("{}:{}", ours.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", command]).current_dir(project.root()).env("PATH", path);
    for name in ["CARGO_TARGET_DIR", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "NO_COLOR"] {
        shell.env_remove(name);
    }
    let output = shell.envs(env.iter().copied()).output().expect("bash runs");
    // Something is found in the scratch package; that is no failure.
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 1)), "`{command}`: {:?}\n{told}", output.status.code());
}

/// The commands of ours in a block, whatever the language around them; what they are piped into is left out.
fn commands(block: &str) -> Vec<String> {
    let command = |line: &str| {
        let line = line.trim().trim_start_matches("- ");
        let line = line.strip_prefix("sh '").map_or(line, |rest| rest.trim_end_matches('\''));
        let line = line.strip_prefix("run: ").unwrap_or(line);
        let ours = line.starts_with("ctxlint ");
        ours.then(|| line.split(" | ").next().unwrap_or(line).split(" > ").next().unwrap_or(line).to_owned())
    };
    block.lines().filter_map(command).collect()
}

#[test]
fn every_recipe_runs() {
    let mut count = 0;
    for (path, text) in pages() {
        for language in ["sh", "yaml", "groovy"] {
            for command in blocks(&text, language).into_iter().flat_map(commands) {
                assert!(!command.contains("lsp") && !command.contains("--watch"), "{path}: `{command}` would not end");
                shell(&scratch(), &command, &[]);
                count += 1;
            }
        }
    }
    assert!(count > 15, "{count}");
}

/// What a workflow gives the action: `format`, `args`, `paths`, for each use of it.
fn uses(block: &str) -> Vec<Vec<(String, String)>> {
    let mut uses: Vec<Vec<(String, String)>> = Vec::new();
    let mut ours = false;
    for line in block.lines().map(str::trim) {
        if let Some(action) = line.strip_prefix("- uses: ") {
            ours = action.starts_with("ctxlint/ctxlint@");
            uses.extend(ours.then(Vec::new));
        } else if let (true, Some((key, value)), Some(last)) = (ours, line.split_once(": "), uses.last_mut()) {
            last.push((key.to_uppercase(), value.replace("${{ github.base_ref }}", "main")));
        }
    }
    uses
}

#[test]
fn the_action_runs_with_what_workflows_give_it() {
    let action = read("action.yml");
    let run = action.lines().rev().find_map(|line| line.trim().strip_prefix("run: ")).expect("what the action runs");
    let mut count = 0;
    for (_, text) in pages() {
        for given in blocks(&text, "yaml").into_iter().flat_map(uses) {
            let mut env = vec![("PATHS", ""), ("ARGS", ""), ("FORMAT", "github")];
            for (key, value) in &given {
                assert!(action.contains(&format!("\n  {}:\n", key.to_lowercase())), "the action has no input `{key}`");
                env.push((key, value));
            }
            let project = scratch();
            shell(&project, run, &env);
            let file = given.iter().find_map(|(_, value)| value.split_once("--output-file ")?.1.split(' ').next());
            assert!(file.is_none_or(|file| project.path(file).exists()), "{given:?}");
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn the_hook_runs() {
    let hooks = read(".pre-commit-hooks.yaml");
    let entry = hooks.lines().find_map(|line| line.trim().strip_prefix("entry: ")).expect("what the hook runs");
    shell(&scratch(), entry, &[]);
    for (_, text) in pages() {
        for block in blocks(&text, "yaml").into_iter().filter(|block| block.contains("hooks:")) {
            assert!(block.contains("- id: ctxlint") && hooks.contains("- id: ctxlint"));
        }
    }
    assert!(hooks.contains("pass_filenames: false"));
}
