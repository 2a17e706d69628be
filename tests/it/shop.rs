//! The sample codebase: exactly its marked lines, in all formats.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::Message;
use serde_json::Value;

use crate::project::program;

pub(crate) type Place = (String, usize, String);

pub(crate) fn shop() -> String {
    format!("{}/tests/fixtures/shop", env!("CARGO_MANIFEST_DIR"))
}

fn output(format: &str) -> String {
    let mut command = program("ctxlint");
    let output = command.args(["--no-cache", "--message-format", format]).current_dir(shop()).output();
    String::from_utf8(output.expect("it runs").stdout).expect("UTF-8")
}

/// What the command finds: file, line from 1, rule.
pub(crate) fn found() -> BTreeSet<Place> {
    output("short").lines().map(short_line).collect()
}

/// `//~ rule` behind a line, `//~^ rule` below it.
fn marked() -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    let mut folders = vec![Path::new(&shop()).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file");
                let file = path.strip_prefix(shop()).expect("a path in it").to_str().expect("Unicode").to_owned();
                places.extend(marks(&text).map(|(line, rule)| (file.clone(), line, rule)));
            }
        }
    }
    places
}

fn marks(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mark = |(index, line): (usize, &str)| {
        let (_, mark) = line.split_once("//~")?;
        let up = mark.chars().take_while(|c| *c == '^').count();
        Some((index + 1 - up, mark[up..].trim().to_owned()))
    };
    text.lines().enumerate().filter_map(mark).collect::<Vec<_>>().into_iter()
}

fn short_line(line: &str) -> Place {
    let mut parts = line.split(':');
    let file = parts.next().expect("a file").to_owned();
    let number = parts.next().expect("a line").parse().expect("a number");
    let rule = line.split("[ctxlint::").nth(1).and_then(|rest| rest.split(']').next()).expect("a rule");
    (file, number, rule.to_owned())
}

/// Places in the human format: a heading, then the place of the primary label.
fn human_places(text: &str) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rule) = line.split("[ctxlint::").nth(1).and_then(|rest| rest.split(']').next()) else { continue };
        let place = lines.next().expect("a place").trim_start().trim_start_matches("┌─ ");
        let mut parts = place.split(':');
        let file = parts.next().expect("a file").to_owned();
        places.insert((file, parts.next().expect("a line").parse().expect("a number"), rule.to_owned()));
    }
    places
}

#[test]
fn exactly_the_marked_lines_are_found() {
    let short = found();
    let marked = marked();
    let missed: Vec<_> = marked.difference(&short).collect();
    let false_alarms: Vec<_> = short.difference(&marked).collect();
    assert!(missed.is_empty() && false_alarms.is_empty(), "missed {missed:#?}\nfalse alarms {false_alarms:#?}");
}

#[test]
fn all_formats_tell_the_same() {
    let short = found();
    assert!(short.len() > 20);
    assert_eq!(human_places(&output("human")), short);

    let json = output("json");
    let messages = json.lines().map(|line| serde_json::from_str::<Message>(line).expect("cargo's message"));
    let of_message = |message| match message {
        Message::CompilerMessage(message) => {
            let span = message.message.spans.into_iter().find(|span| span.is_primary).expect("a primary span");
            let code = message.message.code.expect("a code").code;
            Some((span.file_name, span.line_start, code.trim_start_matches("ctxlint::").to_owned()))
        }
        _ => None,
    };
    assert_eq!(messages.filter_map(of_message).collect::<BTreeSet<Place>>(), short);

    let sarif: Value = serde_json::from_str(&output("sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let of_result = |result: &Value| {
        let location = &result["locations"][0]["physicalLocation"];
        let line = location["region"]["startLine"].as_u64().expect("a line") as usize;
        let rule = result["ruleId"].as_str().expect("a rule").trim_start_matches("ctxlint::").to_owned();
        (location["artifactLocation"]["uri"].as_str().expect("a path").to_owned(), line, rule)
    };
    assert_eq!(results.iter().map(of_result).collect::<BTreeSet<Place>>(), short);
}
