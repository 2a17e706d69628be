//! `ctxlint graph`: what it draws of the sample, what its filters leave, and that others can read it.
//!
//! `CTXLINT_BLESS=1 cargo test --test it graph` writes what the sample's drawings should be.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::project::{Project, program, skipped};

/// A handler with a helper, a deadline, tasks with and without the request's context, and a helper
/// that starts over.
const SERVICE: &str = r#"
use axum::Extension;
use context::Context;
use std::time::Duration;

async fn serve(Extension(ctx): Extension<Context>) {
    let (brief, cancel) = ctx.with_timeout(Duration::from_millis(1500));
    let _guard = cancel.guard();
    load(&brief).await;
    let own = ctx.without_cancel();
    tokio::spawn(async move { note(&own).await });
    tokio::spawn(async move { note(&ctx).await });
    alone().await;
}

async fn load(ctx: &Context) { let _ = ctx.sleep(PAUSE).await; }
async fn note(ctx: &Context) { let _ = ctx.sleep(PAUSE).await; }
async fn alone() { load(&Context::background()).await }
const PAUSE: Duration = Duration::from_secs(1);
"#;

fn shop(args: &[&str]) -> String {
    let folder = format!("{}/tests/fixtures/shop", env!("CARGO_MANIFEST_DIR"));
    let output = program("ctxlint").args(["graph", "--no-cache"]).args(args).current_dir(folder).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn draw(text: &str, args: &[&str]) -> String {
    let project = Project::new(&[("a.rs", text)]);
    let run = project.run(&[&["graph"], args].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

/// The label of each node of a DOT text, its lines joined, by its id.
fn labels(dot: &str) -> Vec<(String, String)> {
    let node = |line: &str| {
        let (id, rest) = line.trim().split_once(" [label=\"")?;
        let is_node = id.strip_prefix('n').is_some_and(|number| number.parse::<usize>().is_ok());
        let (label, _) = rest.split_once('"')?;
        is_node.then(|| (id.to_owned(), label.replace("\\n", ", ")))
    };
    dot.lines().filter_map(node).collect()
}

/// `from -> to`, and what is said of it.
fn arrows(dot: &str) -> BTreeSet<(String, String, String)> {
    let labels = labels(dot);
    let name = |id: &str| labels.iter().find(|(known, _)| known == id).expect("a node").1.clone();
    let arrow = |line: &str| {
        let (from, to) = line.trim().strip_suffix(';')?.split_once(" -> ")?;
        let (to, attributes) = to.split_once(" [").unwrap_or((to, ""));
        let said = attributes.split_once("label=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(l, _)| l);
        Some((name(from), name(to), said.to_owned()))
    };
    dot.lines().filter_map(arrow).collect()
}

/// Holds a drawing against the one that is kept.
fn settle(name: &str, is: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/graph").join(name);
    if std::env::var_os("CTXLINT_BLESS").is_some() {
        fs::write(&file, is).expect("it is written");
    }
    let should = fs::read_to_string(&file).expect("it is kept");
    assert_eq!(is, should, "`CTXLINT_BLESS=1 cargo test --test it graph` makes {name} what it is now");
}

#[test]
fn the_sample_is_drawn_as_it_was() {
    settle("shop.dot", &shop(&[]));
    settle("checkout.mmd", &shop(&["--handler", "checkout::place", "--message-format", "mermaid"]));
}

#[test]
fn the_drawing_is_the_same_for_any_number_of_threads() {
    for format in ["dot", "mermaid", "html"] {
        let one = shop(&["-j1", "--message-format", format]);
        assert_eq!(one, shop(&["-j7", "--message-format", format]), "{format}");
    }
}

#[test]
fn derivations_calls_tasks_and_cuts_are_drawn() {
    let dot = draw(SERVICE, &[]);
    let arrows = arrows(&dot);
    let expected = [
        ("serve, handler of axum, a.rs:6", "with_timeout 1500ms, a.rs:7", ""),
        ("with_timeout 1500ms, a.rs:7", "load, deadline on some ways, never ends on some ways, a.rs:16", ""),
        ("serve, handler of axum, a.rs:6", "without_cancel, a.rs:10", "cut"),
        (
            "without_cancel, a.rs:10",
            "tokio::spawn, task that may outlive its spawner, cut off, never ends, ⚠ unbounded_detach, a.rs:11",
            "spawns",
        ),
        (
            "serve, handler of axum, a.rs:6",
            "tokio::spawn, task that may outlive its spawner, ⚠ request_context_in_task, a.rs:12",
            "spawns",
        ),
        ("serve, handler of axum, a.rs:6", "alone, a.rs:18", "without it"),
        (
            "background, ⚠ background_in_handler, a.rs:18",
            "load, deadline on some ways, never ends on some ways, a.rs:16",
            "",
        ),
    ];
    for (from, to, said) in expected {
        let arrow = (from.to_owned(), to.to_owned(), said.to_owned());
        assert!(arrows.contains(&arrow), "no {arrow:?} in\n{arrows:#?}");
    }
}

#[test]
fn a_task_in_a_set_that_is_lent_ends_with_its_owner() {
    let text = r#"
use axum::Extension;
use context::Context;
use tokio::task::JoinSet;

async fn serve(Extension(ctx): Extension<Context>) {
    let mut tasks = JoinSet::new();
    start(&ctx, &mut tasks);
    while tasks.join_next().await.is_some() {}
}

fn start(ctx: &Context, tasks: &mut JoinSet<()>) {
    let ctx = ctx.clone();
    tasks.spawn(async move { ctx.done().await });
}
"#;
    let names: Vec<String> = labels(&draw(text, &[])).into_iter().map(|(_, label)| label).collect();
    assert!(names.iter().any(|name| name.contains("JoinSet::spawn, task")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("outlive")), "{names:?}");
}

#[test]
fn a_handler_is_drawn_with_what_it_reaches() {
    let text = format!("{SERVICE}\nasync fn other(Extension(ctx): Extension<Context>) {{ load(&ctx).await }}\n");
    let dot = draw(&text, &["--handler", "other"]);
    let names: Vec<String> = labels(&dot).into_iter().map(|(_, label)| label).collect();
    // Seen from this handler alone, `load` has no deadline.
    assert_eq!(names, ["load, a.rs:16", "other, handler of axum, a.rs:21"]);

    let run = Project::new(&[("a.rs", &text)]).run(&["graph", "--handler", "othr"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(
        run.err.contains("no handler `othr` has anything to do with contexts; did you mean `other`?"),
        "{}",
        run.err
    );
}

#[test]
fn a_rule_is_drawn_with_what_leads_to_it() {
    let dot = draw(SERVICE, &["--rule", "request_context_in_task"]);
    let names: Vec<String> = labels(&dot).into_iter().map(|(_, label)| label).collect();
    assert_eq!(names.len(), 3, "{names:#?}");
    assert!(names[0].starts_with("serve, ") && names[2].starts_with("note, "), "{names:#?}");
    assert!(names[1].contains("⚠ request_context_in_task"), "{names:#?}");
    let run = Project::new(&[("a.rs", SERVICE)]).run(&["graph", "--rule", "lost_cancle"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("did you mean `lost_cancel`?"), "{}", run.err);
    let run = Project::new(&[("a.rs", SERVICE)]).run(&["graph", "--rule", "busy_wait"]);
    assert!(run.err.contains("nothing in the graph is what these filters ask for"), "{}", run.err);
}

#[test]
fn a_crate_is_drawn_with_its_borders() {
    let worker = shop(&["--crate", "shop-worker"]);
    assert_eq!(worker, shop(&["--crate", "shop_worker"]), "by package and by crate");
    assert!(worker.contains("label=\"shop-worker\"") && worker.contains("label=\"shop-domain\""), "{worker}");
    assert!(!worker.contains("label=\"shop-api\""), "{worker}");
    let inside: BTreeSet<String> = labels(worker.split("label=\"shop-worker\"").next().expect("what is before"))
        .into_iter()
        .map(|(_, label)| label)
        .collect();
    let next: BTreeSet<String> = arrows(&worker).into_iter().flat_map(|(from, to, _)| [from, to]).collect();
    assert!(inside.is_subset(&next), "what is of other crates is next to something");
}

#[test]
fn paths_ask_for_what_is_in_them() {
    let folder = format!("{}/tests/fixtures/shop", env!("CARGO_MANIFEST_DIR"));
    let output = program("ctxlint").args(["graph", "--no-cache", "shop-worker"]).current_dir(folder).output();
    let dot = String::from_utf8(output.expect("it runs").stdout).expect("UTF-8");
    assert!(dot.contains("label=\"shop-worker\"") && !dot.contains("label=\"shop-api\""), "{dot}");
}

#[test]
fn what_is_too_much_is_cut_with_a_word() {
    let project = Project::new(&[("a.rs", SERVICE)]);
    let run = project.run(&["graph", "--limit", "3"]);
    assert_eq!((run.code, labels(&run.out).len()), (0, 3));
    let word =
        "the graph has 9 nodes and only 3 are drawn; narrow it with --crate, --handler or --rule, or raise --limit";
    assert!(run.err.contains(word), "{}", run.err);
    assert!(!project.run(&["graph", "--limit", "9"]).err.contains("only"));
    let none = Project::new(&[("a.rs", "fn f() {}\n")]).run(&["graph"]);
    assert_eq!(none.code, 0);
    assert!(none.err.contains("no contexts there"), "{}", none.err);
    assert_eq!(Project::empty().run(&["graph"]).code, 3);
}

#[test]
fn it_can_go_to_a_file() {
    let project = Project::new(&[("a.rs", SERVICE)]);
    let run = project.run(&["graph", "--message-format", "mermaid", "--output-file", "g.mmd"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert!(project.read("g.mmd").starts_with("flowchart LR\n"));
}

/// Checks a DOT text as far as we write the language: quotes, braces, statements, declared ids.
fn check_dot(dot: &str) {
    let mut depth = 0_i32;
    let mut outside = String::new();
    let mut chars = dot.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => loop {
                match chars.next().expect("a quote that ends") {
                    '\\' => drop(chars.next()),
                    '"' => break,
                    '\n' => panic!("a line break within quotes"),
                    _ => {}
                }
            },
            '{' => depth += 1,
            '}' => depth -= 1,
            c => outside.push(c),
        }
        assert!(depth >= 0);
    }
    assert_eq!(depth, 0, "braces");
    assert!(!outside.contains(['<', '\\']), "{outside}");
    let declared: BTreeSet<String> = labels(dot).into_iter().map(|(id, _)| id).collect();
    for line in dot.lines().filter(|line| line.contains(" -> ")) {
        let (from, to) = line.trim().split_once(" -> ").expect("two ends");
        let to = to.split([' ', ';']).next().expect("an id");
        assert!(declared.contains(from) && declared.contains(to), "{line}");
    }
}

/// Lets Graphviz read a text; whether it is there.
fn graphviz(dot: &str) -> bool {
    let mut command = Command::new("dot");
    command.arg("-Tplain").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        skipped("Graphviz's `dot` is not installed");
        return false;
    };
    // Its plain output is small only for small graphs: it is read while we write.
    let text = dot.to_owned();
    let mut input = child.stdin.take().expect("standard input");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it is written").expect("it is read");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !err.contains("rror"), "{err}");
    true
}

#[test]
fn graphviz_reads_what_is_drawn() {
    let strange = Project::new(&[("we\"ird <b>&amp; `x`.rs", SERVICE), ("ünïcode.rs", SERVICE)]);
    let run = strange.run(&["graph"]);
    assert!(run.out.contains("we\\\"ird <b>&amp; `x`.rs:6"), "{}", run.out);
    for dot in [run.out, shop(&[]), draw("fn f() {}\n", &[])] {
        check_dot(&dot);
        graphviz(&dot);
    }
}

/// Checks a flowchart as far as we write the language.
fn check_mermaid(text: &str) {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("flowchart LR"));
    let mut declared = BTreeSet::new();
    let mut depth = 0;
    let brackets = [("[[", "]]"), ("([", "])"), ("{{", "}}"), ("[", "]"), ("(", ")")];
    for line in lines.map(str::trim) {
        let word = line.split([' ', '[', '(', '{']).next().expect("a word");
        match word {
            "subgraph" => depth += 1,
            "end" => depth -= 1,
            "classDef" | "direction" => {}
            "class" => assert!(line.split(' ').nth(1).expect("ids").split(',').all(|id| declared.contains(id))),
            "linkStyle" => assert!(line.ends_with(" stroke:#b3261e"), "{line}"),
            id if line.contains("\"") => {
                let rest = &line[id.len()..];
                let shape = brackets.iter().find(|(open, close)| rest.starts_with(open) && rest.ends_with(close));
                let (open, close) = shape.unwrap_or_else(|| panic!("{line}"));
                let label = &rest[open.len()..rest.len() - close.len()];
                let label = label.strip_prefix('"').and_then(|label| label.strip_suffix('"')).expect("quotes");
                assert!(!label.replace("<br>", "").contains(['"', '<', '>', '`']), "{line}");
                declared.insert(id.to_owned());
            }
            id => {
                let to = line.rsplit(' ').next().expect("an id");
                assert!(declared.contains(id) && declared.contains(to), "{line}");
            }
        }
    }
    assert_eq!(depth, 0);
}

#[test]
fn flowcharts_are_in_form() {
    let strange = Project::new(&[("we\"ird <b>&amp; `x` #1.rs", SERVICE)]);
    let run = strange.run(&["graph", "--message-format", "mermaid"]);
    assert!(run.out.contains("we#quot;ird #lt;b#gt;#amp;amp; #96;x#96; #35;1.rs:6"), "{}", run.out);
    for text in [run.out, shop(&["--message-format", "mermaid"]), draw("fn f() {}\n", &["--message-format", "mermaid"])]
    {
        check_mermaid(&text);
    }
}
