//! cargo's messages: read by `cargo_metadata`, applied by `rustfix`.

use std::collections::HashSet;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;

use crate::project::{Project, manifest};

const TEXT: &str = "// é: three findings\n\nfn f() {\n\tlet x = \"é\"; // ctxlint: allow(syntax_error)\n}\n\n\
                    // ctxlint: expect(syntax_error, unused_supression)\nfn g() {}\n";

fn messages(project: &Project, args: &[&str]) -> Vec<Message> {
    let run = project.run(&[&["--message-format=json"], args].concat());
    let lines = run
        .out
        .lines()
        .map(|line| serde_json::from_str::<Message>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    lines.collect()
}

#[test]
fn every_line_is_one_of_cargos_messages() {
    let project = Project::package(TEXT);
    let messages = messages(&project, &[]);
    let kinds: Vec<&str> = messages
        .iter()
        .map(|message| match message {
            Message::CompilerMessage(_) => "message",
            Message::CompilerArtifact(_) => "artifact",
            Message::BuildFinished(finished) if !finished.success => "failed",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["message", "message", "message", "artifact", "failed"]);
}

#[test]
fn messages_have_what_editors_need() {
    let project = Project::package(TEXT);
    let run = std::process::Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(project.root())
        .output()
        .expect("cargo runs");
    let metadata: cargo_metadata::Metadata = serde_json::from_slice(&run.stdout).expect("metadata");
    let id = &metadata.packages[0].id;
    let mut rules = Vec::new();
    for message in messages(&project, &[]) {
        let Message::CompilerMessage(message) = message else { continue };
        assert_eq!(&message.package_id, id);
        assert_eq!(message.target, metadata.packages[0].targets[0]);
        let diagnostic = &message.message;
        let [primary] = diagnostic.spans.as_slice() else { panic!("one span") };
        assert!(primary.is_primary && primary.label.is_some() && primary.suggested_replacement.is_none());
        assert_eq!(primary.file_name, "src/lib.rs");
        assert_eq!(primary.text.len(), primary.line_end - primary.line_start + 1);
        let text = &TEXT[primary.byte_start as usize..primary.byte_end as usize];
        let line = &primary.text[0];
        let marked: String =
            line.text.chars().skip(line.highlight_start - 1).take(line.highlight_end - line.highlight_start).collect();
        assert_eq!(marked, text, "bytes and columns mean the same");
        assert_eq!((line.highlight_start, line.highlight_end), (primary.column_start, primary.column_end));
        assert!(diagnostic.rendered.as_ref().is_some_and(|text| text.contains("┌─ src/lib.rs:")));
        let edits = diagnostic.children.iter().flat_map(|child| &child.spans);
        assert!(
            edits.clone().count() > 0
                && edits.clone().all(|edit| edit.is_primary && edit.suggested_replacement.is_some())
        );
        rules.push((diagnostic.code.as_ref().expect("a code").code.clone(), diagnostic.level));
    }
    assert_eq!(
        rules,
        [
            ("ctxlint::unused_suppression".to_owned(), DiagnosticLevel::Warning),
            ("ctxlint::unused_suppression".to_owned(), DiagnosticLevel::Warning),
            ("ctxlint::unknown_rule".to_owned(), DiagnosticLevel::Error),
        ]
    );
}

#[test]
fn rustfix_applies_the_suggestions() {
    for (mark, text) in [("", TEXT.to_owned()), ("\u{feff}", TEXT.replace('\n', "\r\n"))] {
        let on_disk = format!("{mark}{text}");
        let project = Project::package(&on_disk);
        let run = project.run(&["--message-format=json", "--only", "unknown_rule"]);
        let diagnostics: String = run
            .out
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?.get("message").cloned())
            .map(|message| format!("{message}\n"))
            .collect();
        let suggestions =
            rustfix::get_suggestions_from_json(&diagnostics, &HashSet::new(), rustfix::Filter::MachineApplicableOnly)
                .expect("rustfix reads them");
        let fixed = rustfix::apply_suggestions(&on_disk, &suggestions).expect("rustfix applies them");
        assert_eq!(fixed, on_disk.replace("unused_supression", "unused_suppression"));
    }
}

#[test]
fn clean_packages_have_an_artifact_too_and_loose_files_a_package() {
    let project = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n"),
        ("one/Cargo.toml", &manifest("one")),
        ("one/src/lib.rs", ""),
        ("two/Cargo.toml", &manifest("two")),
        ("two/src/main.rs", "fn main() {}\n"),
    ]);
    let names: Vec<String> = messages(&project, &[])
        .iter()
        .map(|message| match message {
            Message::CompilerArtifact(artifact) => artifact.target.name.clone(),
            Message::BuildFinished(finished) => finished.success.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["one", "two", "true"]);

    let loose = Project::new(&[("a.rs", TEXT)]);
    assert_eq!(messages(&loose, &[]).len(), 5);
}

#[test]
fn cargos_other_spellings_are_taken() {
    let project = Project::package(TEXT);
    let rendered = |format: &str| {
        let run = project.run(&[&format!("--message-format={format}")]);
        let first: serde_json::Value = serde_json::from_str(run.out.lines().next().expect("a line")).expect("JSON");
        first["message"]["rendered"].as_str().expect("rendered").to_owned()
    };
    assert!(rendered("json-diagnostic-rendered-ansi").contains("\u{1b}["));
    assert!(rendered("json,json-diagnostic-rendered-ansi").contains("\u{1b}["));
    assert_eq!(rendered("json-diagnostic-short").lines().count(), 1);
}
