//! What editors run: cargo's messages beside ours, running again on change, the cache.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cargo_metadata::Message;

use crate::project::{Project, program};

/// rustc warns of the variable, we of the suppression.
const BOTH: &str = "pub fn f() {\n    let unused = 1; // ctxlint: allow(syntax_error)\n}\n";

fn codes(out: &str) -> Vec<String> {
    let messages = out.lines().map(|line| serde_json::from_str::<Message>(line).unwrap_or_else(|_| panic!("{line}")));
    messages
        .filter_map(|message| match message {
            Message::CompilerMessage(message) => Some(message.message.code?.code),
            Message::BuildFinished(finished) => Some(format!("success: {}", finished.success)),
            _ => None,
        })
        .collect()
}

#[test]
fn cargos_messages_are_passed_through() {
    let project = Project::package(BOTH);
    let run = project.run(&["--with-cargo", "check", "--message-format=json"]);
    let codes = codes(&run.out);
    assert_eq!(codes.first().map(String::as_str), Some("unused_variables"), "{}", run.err);
    assert_eq!(codes[codes.len() - 2..], ["ctxlint::unused_suppression", "success: true"]);
    assert_eq!(run.code, 0);
}

/// The words of the command in each of the README's settings for rust-analyzer.
fn recipes() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let after = readme.split("overrideCommand").skip(1).map(|rest| rest.split_once("```").expect("a block ends").0);
    let words = |rest: &str| {
        let list = rest.split_once(['[', '{']).expect("a list begins").1;
        let list = list.split_once([']', '}']).expect("a list ends").0;
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    };
    after.map(words).collect()
}

#[test]
fn rust_analyzer_can_read_what_the_readme_has_it_run() {
    let recipes = recipes();
    assert_eq!(recipes.len(), 4, "VS Code and Zed, Neovim, Helix, Emacs");
    let project = Project::package(BOTH);
    let mut told = Vec::new();
    for recipe in recipes {
        assert_eq!(recipe[..2], ["cargo", "ctxlint"]);
        let output = program("cargo-ctxlint").args(&recipe[1..]).current_dir(project.root()).output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        // Panics at a line that cargo's own types cannot read: rust-analyzer would drop it. rustc warns
        // of the library and of its tests.
        let mut codes = codes(&out);
        codes.dedup();
        assert_eq!(codes, ["unused_variables", "ctxlint::unused_suppression", "success: true"], "{recipe:?}");
        let artifacts = out.lines().filter(|line| line.starts_with(r#"{"reason":"compiler-artifact""#)).count();
        assert!(artifacts > 0, "what was found before is cleared: {out}");
        told.push(recipe);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "they are all the same");
}

#[test]
fn clippys_messages_are_passed_through_too() {
    let project = Project::package("pub fn f() -> u8 {\n    return 1; // ctxlint: allow(syntax_error)\n}\n");
    let run = project.run(&["--with-cargo", "clippy", "--message-format=json-diagnostic-rendered-ansi"]);
    let mut codes = codes(&run.out);
    codes.dedup();
    assert_eq!(codes, ["clippy::needless_return", "ctxlint::unused_suppression", "success: true"], "{}", run.err);
}

#[test]
fn a_build_that_fails_fails_the_run() {
    let project = Project::package("pub fn f() { nonsense() }\n");
    let run = project.run(&["--with-cargo", "check", "--message-format=json"]);
    assert_eq!(run.code, 1);
    assert_eq!(codes(&run.out).last().map(String::as_str), Some("success: false"));
    assert!(codes(&run.out).contains(&"E0425".to_owned()));
}

/// How many folders a program watches, where the system tells.
fn watched_folders(process: u32) -> Option<usize> {
    let files = std::fs::read_dir(format!("/proc/{process}/fdinfo")).ok()?;
    let infos = files.flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
    infos.map(|info| info.lines().filter(|line| line.starts_with("inotify ")).count()).max()
}

#[test]
fn a_change_is_seen() {
    let project = Project::package("pub fn f() {}\n");
    (0..20).for_each(|at| project.write(&format!("target/debug/build/{at}/out.rs"), ""));
    let mut child = program("ctxlint")
        .args(["--watch", "--message-format", "short"])
        .current_dir(project.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut err = BufReader::new(child.stderr.take().expect("standard error"));
    let mut line = String::new();
    while !line.contains("waiting for changes") {
        line.clear();
        assert!(err.read_line(&mut line).expect("a line") > 0, "it waits");
    }
    if let Some(watched) = watched_folders(child.id()) {
        assert_eq!(watched, 2, "the package and its sources, nothing that was built");
    }
    project.write("src/lib.rs", BOTH);
    let mut found = String::new();
    BufReader::new(child.stdout.take().expect("standard output")).read_line(&mut found).expect("a line");
    child.kill().expect("it is ended");
    child.wait().expect("it ends");
    assert!(found.starts_with("src/lib.rs:2:21: warning[ctxlint::unused_suppression]"), "{found}");
}

#[test]
fn the_cache_changes_nothing_but_the_time() {
    let project = Project::package(BOTH);
    let cached = |args: &[&str]| {
        let run = project.run(&[&["--timings", "--message-format", "json"], args].concat());
        let line = run.err.lines().find(|line| line.contains("from the cache")).expect("timings").to_owned();
        (run.out, line)
    };
    let (first, line) = cached(&[]);
    assert!(line.contains(" 0 of them from the cache"), "{line}");
    let (second, line) = cached(&[]);
    assert!(line.contains(" 1 of them from the cache"), "{line}");
    assert_eq!(first, second);
    assert!(project.path("target/ctxlint/CACHEDIR.TAG").exists());

    project.write("src/lib.rs", &format!("\n{BOTH}"));
    let (moved, line) = cached(&[]);
    assert!(line.contains(" 0 of them from the cache") && moved != first, "{line}");

    let files = ["target/ctxlint/facts.bin", "target/ctxlint/report.bin"];
    for damage in [&b""[..], b"nonsense", &[0xff; 4096]] {
        files.iter().for_each(|file| project.write_bytes(file, damage));
        let (out, line) = cached(&[]);
        assert!(line.contains(" 0 of them from the cache") && out == moved, "{line}");
    }
    for file in files {
        let mut bytes = std::fs::read(project.path(file)).expect("the cache");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        project.write_bytes(file, &bytes);
    }
    let (out, line) = cached(&[]);
    assert!(line.contains(" 0 of them from the cache") && out == moved, "one wrong bit is seen: {line}");

    let strict = project.run(&["-D", "warnings"]);
    assert_eq!(strict.code, 1, "a report with other levels is another report");
    assert_eq!(project.run(&["-D", "warnings"]).out, strict.out);
    project.write("ctxlint.toml", "[rules]\nunused_suppression = \"allow\"\n");
    assert_eq!(project.run(&[]).out, "");
    project.write("ctxlint.toml", "");

    assert!(cached(&["--no-cache"]).1.contains(" 0 of them from the cache"));
    project.run(&["--cache-dir", "elsewhere"]);
    assert!(project.path("elsewhere/facts.bin").exists());
}

#[test]
fn a_loose_file_leaves_nothing_behind() {
    let project = Project::new(&[("a.rs", BOTH)]);
    let start = Instant::now();
    project.run(&[]);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(std::fs::read_dir(project.root()).expect("the folder").count(), 1);
}
