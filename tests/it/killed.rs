//! Runs that are killed, at any moment: files and cache are then as before or as after, never between.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::project::{Project, manifest, program};

const FILES: usize = 24;
/// How many runs are killed, at moments spread over how long a whole one takes.
const KILLS: usize = 30;
/// How many more there may be on a machine that has become slower since the whole run.
const MORE: usize = 9 * KILLS;

const FIXABLE: &str = "use context::Context;\n\n// ctxlint: allow(syntax_error)\nfn f(_: &Context) {}\n";
const FIXED: &str = "use context::Context;\n\nfn f(_: &Context) {}\n";

/// A package with many files that can be fixed.
fn package() -> Project {
    let project = Project::new(&[("Cargo.toml", &manifest("demo"))]);
    let modules: String = (0..FILES).map(|index| format!("mod m{index};\n")).collect();
    project.write("src/lib.rs", &modules);
    spoil(&project);
    project
}

fn spoil(project: &Project) {
    (0..FILES).for_each(|index| project.write(&format!("src/m{index}.rs"), FIXABLE));
}

/// Runs the program and kills it after a while, if it is not done by then.
fn kill_after(project: &Project, args: &[&str], pause: Duration) {
    let mut command = program("ctxlint");
    command.args(args).current_dir(project.root());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    sleep(pause);
    // SIGKILL: nothing of the program runs any more.
    child.kill().expect("it is killed, or done");
    child.wait().expect("it ends");
}

/// Moments from the start of a run to its end, a little beyond after [`KILLS`] of them, and so on.
fn moments(project: &Project, args: &[&str]) -> impl Iterator<Item = Duration> + use<> {
    let start = Instant::now();
    assert!(project.run(args).code <= 1);
    let whole = start.elapsed();
    (0u32..).map(move |at| whole * at / 25)
}

/// What is in the sources' folder.
fn sources(project: &Project) -> BTreeMap<String, String> {
    let entries = fs::read_dir(project.path("src")).expect("the folder").flatten();
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, fs::read_to_string(entry.path()).expect("UTF-8"))
        })
        .collect()
}

#[test]
fn fixing_leaves_every_file_old_or_new() {
    let project = package();
    let args = ["--fix", "--quiet"];
    let (mut old, mut new) = (0, 0);
    for (at, moment) in moments(&project, &args).enumerate().take(KILLS + MORE) {
        if at >= KILLS && new > 0 {
            break;
        }
        spoil(&project);
        kill_after(&project, &args, moment);
        for (name, text) in sources(&project) {
            match text.as_str() {
                _ if name == "lib.rs" => {}
                // The new text on its way, beside the file: no source.
                _ if name.starts_with(".ctxlint-") => {
                    assert!(!name.ends_with(".rs"));
                    fs::remove_file(project.path("src").join(name)).expect("it is removed");
                }
                FIXABLE => old += 1,
                FIXED => new += 1,
                between => panic!("{name} is neither as before nor as after: {between:?}"),
            }
        }
    }
    assert!(old > 0 && new > 0, "no run was killed at work: {old} as before, {new} as after");
    project.run(&args);
    assert!(sources(&project).iter().all(|(name, text)| name == "lib.rs" || text == FIXED), "the next run is right");
}

#[test]
fn the_cache_is_of_a_whole_run() {
    let project = package();
    let args = ["--message-format", "json"];
    let expected = project.run(&args).out;
    assert!(expected.lines().count() > FILES);
    for (at, moment) in moments(&project, &args).enumerate().take(KILLS) {
        // A new configuration writes the report anew, a new text the facts too.
        project.write("ctxlint.toml", &format!("# {at}\n"));
        project.write("src/m0.rs", &format!("{FIXABLE}// {at}\n"));
        kill_after(&project, &args, moment);
        if at % 5 == 0 {
            project.write("src/m0.rs", FIXABLE);
            assert_eq!(project.run(&args).out, expected, "after {moment:?}");
        }
    }
    project.write("src/m0.rs", FIXABLE);
    assert_eq!(project.run(&args).out, expected);
    assert_eq!(project.run(&args).out, expected, "from the cache");
}

#[test]
fn a_cache_that_is_cut_off_is_none() {
    let project = package();
    let args = ["--message-format", "json"];
    let expected = project.run(&args).out;
    for file in ["target/ctxlint/facts.bin", "target/ctxlint/report.bin"] {
        let whole = fs::read(project.path(file)).expect("the cache");
        for part in 0..8 {
            project.write_bytes(file, &whole[..whole.len() * part / 8]);
            assert_eq!(project.run(&args).out, expected, "{part} eighths of {file}");
        }
        let doubled = [&whole[..], &whole[..]].concat();
        project.write_bytes(file, &doubled);
        assert_eq!(project.run(&args).out, expected, "{file} twice");
    }
}
