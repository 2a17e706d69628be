//! What is checked: packages, folders, files, standard input.

use crate::project::{Project, manifest, program};

const WARNS: &str = "// ctxlint: allow(syntax_error)\nfn f() {}\n";

fn files(project: &Project, args: &[&str]) -> Vec<String> {
    project.places(args).iter().map(|place| place.split(':').next().unwrap_or("").to_owned()).collect()
}

fn workspace() -> Project {
    Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n"),
        (
            "one/Cargo.toml",
            &format!("{}[dependencies]\nalias = {{ package = \"two\", path = \"../two\" }}\n", manifest("one")),
        ),
        ("one/src/lib.rs", &format!("mod inner;\n{WARNS}")),
        ("one/src/inner.rs", WARNS),
        ("one/tests/t.rs", WARNS),
        ("two/Cargo.toml", &manifest("two")),
        ("two/src/lib.rs", WARNS),
        ("two/src/forgotten.rs", WARNS),
        ("two/scripts/other.rs", WARNS),
    ])
}

#[test]
fn a_workspace_is_checked_as_cargo_knows_it() {
    let project = workspace();
    let expected = ["one/src/inner.rs", "one/src/lib.rs", "one/tests/t.rs", "two/src/forgotten.rs", "two/src/lib.rs"];
    assert_eq!(files(&project, &[]), expected);
    assert_eq!(files(&project, &["."]), expected);
    assert!(!project.path("Cargo.lock").exists(), "cargo writes nothing");
}

#[test]
fn from_within_a_package_the_whole_workspace_is_checked() {
    let project = workspace();
    let run = project.run_in("one", &["--message-format", "short"]);
    let shown: Vec<&str> = run.out.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(shown, ["src/inner.rs", "src/lib.rs", "tests/t.rs", "two/src/forgotten.rs", "two/src/lib.rs"]);
}

#[test]
fn a_member_below_a_workspace_of_others_is_checked() {
    let member = |name: &str| manifest(name).replace("edition", "workspace = \"../..\"\nedition");
    let project = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"other/one\", \"other/one/two\"]\nexclude = [\"other\"]\n"),
        ("other/Cargo.toml", "[workspace]\nmembers = [\"three\"]\n"),
        ("other/one/Cargo.toml", &member("one")),
        ("other/one/src/lib.rs", "mod inner;\n"),
        ("other/one/src/inner.rs", WARNS),
        ("other/one/two/Cargo.toml", &member("two").replace("../..", "../../..")),
        ("other/one/two/src/lib.rs", WARNS),
        ("other/three/Cargo.toml", &manifest("three")),
        ("other/three/src/lib.rs", WARNS),
    ]);
    assert_eq!(files(&project, &[]), ["other/one/src/inner.rs", "other/one/two/src/lib.rs"]);
}

#[test]
fn the_toolchain_of_a_workspace_need_not_be_installed() {
    let project = workspace();
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"nobody-has-this\"\n");
    let two = manifest("two");
    project.write("two/Cargo.toml", &format!("cargo-features = [\"profile-rustflags\"]\n{two}"));
    // What cargo gives the programs it runs would come before the file.
    let mut command = program("ctxlint");
    command.current_dir(project.root()).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    let output = command.args(["-p", "two", "--message-format", "short"]).output().expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let shown: Vec<&str> = out.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(shown, ["two/src/forgotten.rs", "two/src/lib.rs"], "{err}");
}

#[test]
fn packages_and_paths_narrow_what_is_told() {
    let project = workspace();
    assert_eq!(files(&project, &["-p", "two"]), ["two/src/forgotten.rs", "two/src/lib.rs"]);
    assert_eq!(files(&project, &["-p", "t[!o]*"]), ["two/src/forgotten.rs", "two/src/lib.rs"]);
    assert_eq!(files(&project, &["--exclude", "one"]), ["two/src/forgotten.rs", "two/src/lib.rs"]);
    assert_eq!(files(&project, &["one/tests"]), ["one/tests/t.rs"]);
    assert_eq!(files(&project, &["one/src/inner.rs"]), ["one/src/inner.rs"]);
    assert_eq!(files(&project, &["one", "--workspace"]).len(), 5);
    assert_eq!(files(&project, &["two/scripts"]), ["two/scripts/other.rs"], "a folder asked for is checked as it is");
    let run = project.run(&["-p", "tow"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no package is called `tow`; did you mean `two`?"), "{}", run.err);
}

#[test]
fn a_manifest_stands_for_its_package() {
    assert_eq!(files(&workspace(), &["two/Cargo.toml"]), ["two/src/forgotten.rs", "two/src/lib.rs"]);
}

#[test]
fn workspaces_within_are_their_own() {
    let project = workspace();
    project.write("one/sample/Cargo.toml", &format!("{}[workspace]\n", manifest("sample")));
    project.write("one/sample/src/lib.rs", WARNS);
    assert_eq!(files(&project, &[]).len(), 5);
    assert_eq!(files(&project, &["one/sample"]), ["one/sample/src/lib.rs"]);
}

#[test]
fn a_folder_of_workspaces_is_checked_with_all_of_them() {
    let project = Project::new(&[
        ("a/Cargo.toml", &manifest("a")),
        ("a/src/lib.rs", WARNS),
        ("b/Cargo.toml", &manifest("b")),
        ("b/src/main.rs", WARNS),
        ("loose.rs", WARNS),
    ]);
    assert_eq!(files(&project, &[]), ["a/src/lib.rs", "b/src/main.rs", "loose.rs"]);
}

#[test]
fn ignored_built_and_hidden_files_are_left_out_unless_named() {
    let project = Project::package(WARNS);
    project.write(".gitignore", "/src/gen\n");
    project.write("src/gen/a.rs", WARNS);
    project.write("src/target/b.rs", WARNS);
    project.write("target/debug/c.rs", WARNS);
    project.write(".hidden/d.rs", WARNS);
    assert_eq!(files(&project, &[]), ["src/lib.rs", "src/target/b.rs"]);
    assert_eq!(files(&project, &["src/gen/a.rs"]), ["src/gen/a.rs"]);
}

#[test]
fn standard_input_stands_for_a_file() {
    let project = Project::package("fn f() {}\n");
    let short = ["--message-format", "short"];
    let run = project.run_with_input(&[&short[..], &["--stdin-filename", "src/lib.rs"]].concat(), WARNS);
    assert!(run.out.starts_with("src/lib.rs:1:1: warning"), "{}{}", run.out, run.err);
    let run = project.run_with_input(&[&short[..], &["--stdin-filename", "src/unborn.rs"]].concat(), WARNS);
    assert!(run.out.starts_with("src/unborn.rs:1:1: warning"), "{}{}", run.out, run.err);
    let run = project.run_with_input(&[&short[..], &["-"]].concat(), WARNS);
    assert!(run.out.starts_with("<stdin>:1:1: warning"), "{}{}", run.out, run.err);
}

#[test]
fn the_verb_may_be_left_out_and_cargo_may_call() {
    let project = Project::package(WARNS);
    let expected = project.run(&["--message-format", "short"]).out;
    assert_eq!(expected.lines().count(), 1);
    assert_eq!(project.run(&["check", "--message-format", "short", "."]).out, expected);
    let mut cargo = crate::project::program("cargo-ctxlint");
    let output =
        cargo.args(["ctxlint", "--message-format=short"]).current_dir(project.root()).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    let output = crate::project::program("cargo-ctxlint").args(["ctxlint", "--help"]).output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(help.contains("Usage: cargo ctxlint [OPTIONS]"), "{help}");
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let project = workspace();
    for index in 0..40 {
        project.write(
            &format!("one/src/m{index}.rs"),
            &format!("{WARNS}// ctxlint: allow(nothing_{index})\nfn g() {{}}\n"),
        );
    }
    for format in ["human", "short", "json", "sarif", "github", "gitlab", "junit", "html"] {
        let outputs: Vec<String> =
            ["1", "2", "8"].map(|jobs| project.run(&["--message-format", format, "-j", jobs]).out).to_vec();
        assert!(outputs[0].len() > 1000, "{format}");
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "{format}");
    }
}

#[test]
fn the_same_bytes_for_any_order_of_arguments() {
    let project = workspace();
    let mut paths = Vec::new();
    for index in 0..12 {
        let path = format!("one/src/m{index}.rs");
        project.write(&path, &format!("{WARNS}// ctxlint: allow(nothing_{index})\nfn g() {{}}\n"));
        paths.push(path);
    }
    paths.extend(["two".to_owned(), "one/src".to_owned(), ".".to_owned()]);
    for count in [3, 12, paths.len()] {
        let mut named = paths[..count].to_vec();
        let outputs: Vec<String> = (0..6)
            .map(|turn| {
                named.rotate_left(turn % 3);
                named.swap(turn % count, (turn * 7 + 1) % count);
                let args: Vec<&str> =
                    ["--message-format", "json"].into_iter().chain(named.iter().map(String::as_str)).collect();
                project.run(&args).out
            })
            .collect();
        assert!(outputs[0].len() > 1000);
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "{count} paths");
    }
}
