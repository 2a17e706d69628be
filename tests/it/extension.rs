//! The extension for VS Code: how it is checked. What it does is tried by its own tests, in node.
#![cfg(unix)]

use std::process::Command;

use crate::project::Project;
use crate::sources::root;

/// Runs the check of the extension for VS Code with programs of these names in place of the real ones.
fn check_extension(programs: &[(&str, &str)]) -> (Option<i32>, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::empty();
    project.write(".ci/extension", &std::fs::read_to_string(root().join(".ci/extension")).expect("the script"));
    project.write("editors/vscode/package.json", "{}");
    for (name, text) in programs {
        project.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path(&format!("bin/{name}")), executable).expect("it can be run");
    }
    // What else a script needs, but for node and npm.
    for tool in ["bash", "dirname", "mktemp", "rm", "tee", "grep"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").expect("a path"))
            .map(|folder| folder.join(tool))
            .find(|path| path.is_file())
            .expect("a tool that every system has");
        std::fs::create_dir_all(project.path("bin")).expect("a folder");
        std::os::unix::fs::symlink(found, project.path("bin").join(tool)).expect("a link");
    }
    let output = Command::new(project.path("bin/bash"))
        .arg(project.path(".ci/extension"))
        .env("PATH", project.path("bin"))
        .output()
        .expect("bash runs");
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).expect("UTF-8"))
}

/// What is skipped for want of tools or of a network says so, and nothing else is skipped.
#[test]
fn the_extension_is_skipped_only_where_it_cannot_be_built() {
    const NODE: (&str, &str) = ("node", "exit 0");
    let npm = |ci: &str, run: &str| format!("case $1 in ci) {ci};; *) {run};; esac");
    let skipped = |programs: &[(&str, &str)], why: &str| {
        let (code, told) = check_extension(programs);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.lines().any(|line| line.starts_with("SKIPPED: ") && line.contains(why)), "{told}");
    };
    let failed = |npm: &str| {
        let (code, told) = check_extension(&[NODE, ("npm", npm)]);
        assert!(code != Some(0) && !told.contains("SKIPPED"), "{code:?} {told}");
    };
    skipped(&[], "node 20 or later");
    skipped(&[NODE], "npm");
    skipped(&[("node", "case $1 in -e) exit 1;; *) echo v18.0.0;; esac"), ("npm", "exit 1")], "this is v18.0.0");
    skipped(&[NODE, ("npm", &npm("echo npm error code ENOTFOUND >&2; exit 1", "exit 0"))], "cannot be reached");
    failed(&npm("echo npm error code EUSAGE >&2; exit 1", "exit 0"));
    failed(&npm("exit 1", "exit 0"));
    for step in ["run lint", "test"] {
        let fails = format!("case \"$*\" in \"{step}\"*) exit 1;; esac");
        failed(&npm("exit 0", &fails));
    }
    let (code, told) = check_extension(&[NODE, ("npm", &npm("exit 0", "echo \"did $*\""))]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("did run lint\ndid test\n"), "{told}");
}
