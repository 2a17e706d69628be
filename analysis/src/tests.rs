//! Tests of names, types and handlers on whole programs.
//!
//! A program is written as one text. Lines `//- path key:value…` begin a file; with `crate:name` the
//! file is the root of a crate, of `kind:` lib (default), bin, test or loose, with `package:`,
//! `edition:` and `deps:name,other=real`; with `unparsed` it was left out, and its types are of no interest.
//! A text without such lines is one loose file. What is
//! expected stands at the end of a line: `//~ name: type` for a variable bound on it,
//! `//~ -> target` for something called or named on it, several joined by ` ; `.

mod handlers;
mod inference;
mod library;
mod names;
mod selection;
mod tokens;

use std::sync::{Arc, OnceLock};

use crate::facts::OpKind;
use crate::link::Program;
use crate::model::Models;
use crate::outline::Outline;
use crate::parse;
use crate::source::{Crate, CrateId, CrateKind, Dependency, FileId, SourceFile, Sources};
use crate::types::{BodyRef, Target};

/// Rules look at the program from many threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Program>();
};

/// Links a program written as one text.
pub(crate) fn link_with(text: &str, models: Models) -> Program {
    Program::link(sources(text), models)
}

fn sources(text: &str) -> Sources {
    let mut files: Vec<(String, String, Option<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(head) = line.trim_start().strip_prefix("//- ") {
            let (path, meta) = head.split_once(' ').unwrap_or((head, ""));
            files.push((path.to_owned(), meta.to_owned(), None));
        } else {
            if files.is_empty() {
                files.push(("main.rs".to_owned(), "crate:main kind:loose".to_owned(), None));
            }
            let text = files.last_mut().unwrap().2.get_or_insert_with(String::new);
            text.push_str(line);
            text.push('\n');
        }
    }
    let mut sources = Sources::default();
    let mut crates: Vec<(FileId, String)> = Vec::new();
    for (path, meta, text) in files {
        let text = text.unwrap_or_default();
        let (facts, plain) = if meta.contains("unparsed") {
            (None, Outline::of(&text).types().collect())
        } else {
            let facts = parse::parse(&text).unwrap_or_else(|error| panic!("{path}: {error:?}"));
            (Some(Arc::new(facts)), Vec::new())
        };
        if meta.contains("crate:") {
            crates.push((FileId(sources.files.len() as u32), meta));
        }
        let outline = Arc::new(OnceLock::from(Outline::of(&text)));
        sources.files.push(SourceFile { path, facts, plain, outline });
    }
    let value =
        |meta: &str, key: &str| meta.split_whitespace().find_map(|part| part.strip_prefix(key)).map(str::to_owned);
    let names: Vec<String> = crates.iter().map(|(_, meta)| value(meta, "crate:").unwrap()).collect();
    for (root, meta) in &crates {
        let name = value(meta, "crate:").unwrap();
        let package = value(meta, "package:").unwrap_or_else(|| name.clone());
        let kind = match value(meta, "kind:").as_deref() {
            None | Some("lib") => CrateKind::Lib,
            Some("bin") => CrateKind::Bin,
            Some("test") => CrateKind::Test,
            Some("loose") => CrateKind::Loose,
            Some(other) => panic!("kind {other}"),
        };
        let dependencies = value(meta, "deps:").unwrap_or_default();
        let dependencies = dependencies.split(',').filter(|name| !name.is_empty()).map(|name| {
            let (name, real) = name.split_once('=').unwrap_or((name, name));
            let dependency = match names.iter().position(|known| known == real) {
                Some(at) => Dependency::Crate(CrateId(at as u32)),
                None => Dependency::External(real.into()),
            };
            (name.into(), dependency)
        });
        sources.crates.push(Crate {
            name: name.as_str().into(),
            root: *root,
            kind,
            package: package.bytes().fold(7, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))),
            package_name: package.as_str().into(),
            edition: value(meta, "edition:").map_or(2024, |edition| edition.parse().unwrap()),
            dependencies: dependencies.collect(),
        });
    }
    sources
}

/// The texts of the files, in the order of [`sources`].
fn texts(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("//- ") {
            texts.push(String::new());
        } else {
            if texts.is_empty() {
                texts.push(String::new());
            }
            let text = texts.last_mut().unwrap();
            text.push_str(line);
            text.push('\n');
        }
    }
    texts
}

/// What is known on one line of a file.
#[derive(Default)]
struct Line {
    variables: Vec<String>,
    targets: Vec<String>,
}

fn lines(program: &Program, file: FileId, text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = text.lines().map(|_| Line::default()).collect();
    let line_of = |offset: u32| text[..offset as usize].matches('\n').count();
    let Some(facts) = program.facts(file) else { return lines };
    for (body, at) in facts.bodies.iter().zip(0..) {
        let id = BodyRef { file, body: crate::facts::BodyId(at) };
        let typed = program.typed(id).unwrap();
        for (local, ty) in body.locals.iter().zip(&typed.locals) {
            if let Some(name) = &local.name {
                let line = &mut lines[line_of(local.span.start)];
                let told = format!("{name}: {}", program.type_text(ty));
                // A stand-in in a closure knows no more than the variable itself.
                if !line.variables.contains(&told) {
                    line.variables.push(told);
                }
            }
        }
        for (block, targets) in body.blocks.iter().zip(&typed.targets) {
            for (op, target) in block.ops.iter().zip(targets) {
                let place = match &op.kind {
                    OpKind::MethodCall { name_span, .. } => name_span.start,
                    _ => op.span.start,
                };
                if *target != Target::Unknown {
                    lines[line_of(place)].targets.push(program.target_text(target));
                }
            }
        }
    }
    lines
}

/// Checks what comments at the ends of lines expect; at least one must.
pub(crate) fn check(text: &str) {
    check_with(text, Models::builtin().unwrap());
}

pub(crate) fn check_with(text: &str, models: Models) {
    let program = link_with(text, models);
    let mut failures = Vec::new();
    let mut count = 0;
    for (at, text) in texts(text).iter().enumerate() {
        let lines = lines(&program, FileId(at as u32), text);
        for (number, (source, line)) in text.lines().zip(&lines).enumerate() {
            let Some((code, expected)) = source.split_once("//~ ") else { continue };
            for expected in expected.split(" ; ") {
                count += 1;
                let met = match expected.strip_prefix("-> ") {
                    Some("_") => line.targets.is_empty(),
                    Some(target) => line.targets.iter().any(|known| known == target),
                    None => line.variables.iter().any(|known| known == expected),
                };
                if !met {
                    failures.push(format!(
                        "{}:{}: {}\n  expected {expected}\n  variables {:?}\n  targets {:?}",
                        program.path(FileId(at as u32)),
                        number + 1,
                        code.trim(),
                        line.variables,
                        line.targets
                    ));
                }
            }
        }
    }
    assert!(count > 0, "nothing is expected");
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}
