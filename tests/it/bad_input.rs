//! Bad input: one clear line or finding each, never a panic, and everything else is still checked.

use std::fs;

use crate::project::{Project, Run};

const WARNS: &str = "// ctxlint: allow(syntax_error)\nfn f() {}\n";
const FOUND: &str = "good.rs:1:1: warning[ctxlint::unused_suppression]";

/// A folder with one good file, which has a finding.
fn beside() -> Project {
    Project::new(&[("good.rs", WARNS)])
}

fn check(project: &Project) -> Run {
    let run = project.run(&["--message-format", "short"]);
    assert!(run.out.contains(FOUND), "the good file is checked all the same: {}{}", run.out, run.err);
    assert!(!run.err.contains("panicked"), "{}", run.err);
    run
}

/// One line on standard error, the summary apart, and exit code 2.
fn fails_with(project: &Project, words: &[&str]) {
    let run = check(project);
    assert_eq!(run.code, 2, "{}{}", run.out, run.err);
    let lines: Vec<&str> = run.err.lines().filter(|line| !line.contains("warning")).collect();
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    for word in words {
        assert!(line.contains(word), "{word} in {line}");
    }
}

/// A finding about the file, and exit code 1.
fn finds(project: &Project, place: &str) {
    let run = check(project);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(run.out.lines().any(|line| line.starts_with(place)), "{place} in {}", run.out);
}

#[test]
fn a_missing_path() {
    let project = beside();
    let run = project.run(&["--message-format", "short", "nowhere", "good.rs"]);
    assert_eq!(run.code, 2);
    assert!(run.out.contains(FOUND));
    assert!(run.err.contains("nowhere: no such file or folder"), "{}", run.err);
}

#[test]
fn a_file_that_is_not_utf_8() {
    let project = beside();
    project.write_bytes("bad.rs", b"fn f() {} // \xff");
    fails_with(&project, &["bad.rs", "not UTF-8 (byte 13)"]);
}

#[test]
fn an_empty_file() {
    let project = beside();
    project.write("empty.rs", "");
    assert_eq!(check(&project).code, 0);
}

#[test]
fn unbalanced_braces() {
    let project = beside();
    project.write("bad.rs", "use context::Context;\nfn f( {\n");
    finds(&project, "bad.rs:2:");
}

#[test]
fn a_broken_file_that_is_named() {
    let project = Project::new(&[("bad.rs", "fn f( {\n")]);
    assert_eq!(project.run(&["bad.rs"]).code, 1);
}

#[test]
fn very_deep_nesting() {
    let project = beside();
    let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
    project.write("deep.rs", &format!("use context::Context;\nfn f() {{ let x = {open}1{close}; }}\n"));
    let run = check(&project);
    assert!(run.code <= 1, "{}", run.err);
}

#[test]
fn a_very_large_file() {
    let project = beside();
    project.write("large.rs", &format!("// {}\n", "x".repeat(50 * 1024 * 1024)));
    fails_with(&project, &["large.rs", "50 MiB", "exclude"]);
}

#[test]
fn a_manifest_that_does_not_parse() {
    let project = beside();
    project.write("broken/Cargo.toml", "[package\n");
    project.write("broken/src/lib.rs", WARNS);
    fails_with(&project, &["broken/Cargo.toml"]);
    assert!(check(&project).out.contains("broken/src/lib.rs:1:1"), "its files are checked one by one");
}

#[test]
fn a_folder_in_a_files_place() {
    let project = beside();
    fs::create_dir(project.path("folder.rs")).expect("a folder");
    assert_eq!(check(&project).code, 0);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_dangling_link() {
        let project = beside();
        symlink("nowhere", project.path("dangling.rs")).expect("a link");
        fails_with(&project, &["dangling.rs", "leads nowhere"]);
    }

    #[test]
    fn a_loop_of_links() {
        let project = beside();
        symlink(project.root(), project.path("again")).expect("a link");
        fails_with(&project, &["again", "loop of links"]);
        let project = beside();
        symlink("b.rs", project.path("a.rs")).expect("a link");
        symlink("a.rs", project.path("b.rs")).expect("a link");
        let run = check(&project);
        assert_eq!((run.code, run.err.matches("loop of links").count()), (2, 2), "{}", run.err);
    }

    #[test]
    fn a_link_out_of_the_folder_is_followed() {
        let outside = Project::new(&[("linked/far.rs", WARNS)]);
        let project = beside();
        symlink(outside.path("linked"), project.path("near")).expect("a link");
        let run = check(&project);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains("near/far.rs:1:1"), "{}", run.out);
    }

    #[test]
    fn an_unreadable_folder_and_file() {
        let project = beside();
        project.write("locked/a.rs", WARNS);
        project.write("secret.rs", WARNS);
        let lock = |path: &str, mode| {
            fs::set_permissions(project.path(path), fs::Permissions::from_mode(mode)).expect("permissions are set");
        };
        lock("locked", 0o000);
        lock("secret.rs", 0o000);
        let is_superuser = fs::read_dir(project.path("locked")).is_ok();
        let run = check(&project);
        lock("locked", 0o755);
        lock("secret.rs", 0o644);
        if !is_superuser {
            assert_eq!(run.code, 2);
            assert_eq!(run.err.matches("permission denied").count(), 2, "{}", run.err);
        }
    }

    #[test]
    fn a_name_that_is_not_unicode() {
        let project = beside();
        let name = OsStr::from_bytes(b"bad\xff.rs");
        if fs::write(project.root().join(name), WARNS).is_ok() {
            fails_with(&project, &["not Unicode"]);
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let project = beside();
        for index in 0..500 {
            project.write(&format!("m{index}.rs"), WARNS);
        }
        let mut command = crate::project::program("ctxlint");
        let mut child = command
            .current_dir(project.root())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}
