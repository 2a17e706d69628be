//! Checks real code that nobody here wrote, and tells what came of it.
//!
//! The crates of `xtask/corpus.toml` become the dependencies of a generated package under
//! `target/corpus`, so that cargo fetches them; ctxlint then runs over each where cargo keeps it.

mod fetch;
mod outcome;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) use self::fetch::{fetch, rust_files};

use self::fetch::Package;
use self::outcome::{Outcome, Place};
use crate::Result;

/// What to check and how to tell.
struct Options {
    bin: Option<PathBuf>,
    pedantic: bool,
    dependencies: bool,
    names: Vec<String>,
}

/// One package, checked.
struct Checked {
    package: Package,
    files: usize,
    lines: usize,
    took: Duration,
    outcome: Outcome,
}

/// Fetches the corpus, checks it, prints the table.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<()> {
    let options = Options::parse(args)?;
    let packages = fetch(root, options.dependencies)?;
    if let Some(unknown) = options.names.iter().find(|name| packages.iter().all(|package| package.name != **name)) {
        return Err(format!("`{unknown}` is not in the corpus").into());
    }
    let bin = match &options.bin {
        Some(bin) => bin.canonicalize()?,
        None => build(root)?,
    };
    let on_by_default = rules_on_by_default(&bin)?;
    let raw = root.join("target/corpus/findings");
    fs::create_dir_all(&raw)?;

    let mut checked = Vec::new();
    for package in packages {
        if !options.names.is_empty() && !options.names.contains(&package.name) {
            continue;
        }
        let one = check(&bin, package, &raw)?;
        writeln!(io::stderr(), "{:>9} lines {:>7.2?} {}", one.lines, one.took, one.package)?;
        checked.push(one);
    }
    print(&checked, &on_by_default, options.pedantic)?;
    match checked.iter().filter(|one| one.outcome.crash.is_some()).count() {
        0 => Ok(()),
        crashes => Err(format!("{crashes} crashes").into()),
    }
}

impl Options {
    fn parse(args: &[&str]) -> Result<Options> {
        let mut options = Options { bin: None, pedantic: false, dependencies: false, names: Vec::new() };
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            match arg {
                "--bin" => options.bin = Some(args.next().ok_or("`--bin` wants a file")?.into()),
                "--pedantic" => options.pedantic = true,
                "--dependencies" => options.dependencies = true,
                _ if arg.starts_with('-') => return Err(format!("there is no option `{arg}`").into()),
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Builds the release of this tree's ctxlint and gives its path.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let mut build = Command::new("cargo")
        .args(["build", "--release", "--bin", "ctxlint", "--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()?;
    let output = build.stdout.take().ok_or("cargo says nothing")?;
    let mut bin = None;
    for message in cargo_metadata::Message::parse_stream(io::BufReader::new(output)) {
        if let cargo_metadata::Message::CompilerArtifact(artifact) = message? {
            bin = artifact.executable.map(PathBuf::from).or(bin);
        }
    }
    if !build.wait()?.success() {
        return Err("ctxlint does not build".into());
    }
    bin.ok_or_else(|| "cargo built no ctxlint".into())
}

/// The rules whose findings a user sees without asking.
fn rules_on_by_default(bin: &Path) -> Result<Vec<String>> {
    let rules = Command::new(bin).args(["rules", "--message-format", "json"]).output()?;
    if !rules.status.success() {
        return Err(String::from_utf8_lossy(&rules.stderr).into());
    }
    outcome::on_by_default(&String::from_utf8(rules.stdout)?)
}

/// Runs ctxlint over one package with every rule on; keeps what it said under `raw`.
fn check(bin: &Path, package: Package, raw: &Path) -> Result<Checked> {
    let (mut files, mut lines) = (0, 0);
    for file in rust_files(&package.root) {
        files += 1;
        lines += fs::read(&file)?.iter().filter(|byte| **byte == b'\n').count();
    }
    let start = Instant::now();
    let output = Command::new(bin)
        .args(["check", "--message-format", "json", "-W", "all", "."])
        .current_dir(&package.root)
        .stdin(Stdio::null())
        .output()?;
    let took = start.elapsed();
    fs::write(raw.join(format!("{package}.json")), &output.stdout)?;
    let outcome = Outcome::read(
        output.status,
        &String::from_utf8_lossy(&output.stdout),
        &String::from_utf8_lossy(&output.stderr),
    );
    Ok(Checked { package, files, lines, took, outcome })
}

fn print(checked: &[Checked], on_by_default: &[String], pedantic: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut rules: BTreeMap<&str, Vec<(&Package, &Place)>> = BTreeMap::new();
    for one in checked {
        for (rule, place) in &one.outcome.findings {
            rules.entry(rule).or_default().push((&one.package, place));
        }
    }
    let is_on = |rule: &str| on_by_default.iter().any(|on| on == rule);

    for (rule, places) in rules.iter().filter(|(rule, _)| pedantic || is_on(rule)) {
        writeln!(out, "\n{rule}")?;
        for (package, place) in places {
            writeln!(out, "  {package}/{place}")?;
        }
    }

    writeln!(out, "\n{:<28} {:>8}  by default", "rule", "findings")?;
    for (rule, places) in &rules {
        writeln!(out, "{rule:<28} {:>8}  {}", places.len(), if is_on(rule) { "on" } else { "off" })?;
    }
    for one in checked {
        if let Some(crash) = &one.outcome.crash {
            writeln!(out, "\ncrash in {}: {crash}", one.package)?;
        }
        for note in &one.outcome.notes {
            writeln!(out, "{}: {note}", one.package)?;
        }
    }

    let files: usize = checked.iter().map(|one| one.files).sum();
    let lines: usize = checked.iter().map(|one| one.lines).sum();
    let took: Duration = checked.iter().map(|one| one.took).sum();
    let crashes = checked.iter().filter(|one| one.outcome.crash.is_some()).count();
    let unparsed = rules.get("syntax_error").map_or(0, Vec::len);
    let defaults: usize = rules.iter().filter(|(rule, _)| is_on(rule)).map(|(_, places)| places.len()).sum();
    let speed = lines as f64 / took.as_secs_f64().max(f64::EPSILON);
    writeln!(
        out,
        "\n{} crates, {files} files, {lines} lines in {took:.2?}: {speed:.0} lines per second\n\
         {defaults} findings by default, {crashes} crashes, {unparsed} files that do not parse",
        checked.len(),
    )
}
