//! `--fix` and `--diff`.

use std::fs;
use std::process::Command;

use crate::project::Project;

const TEXT: &str = "// é\nfn f() {\n\tg(); // ctxlint: allow(syntax_error)\n}\n\n\
                    // ctxlint: expect(syntax_error)\nfn g() {}\n\n\
                    // ctxlint: allow(unused_supression)\nfn h() {}\n\n\
                    #[cfg_attr(ctxlint, allow(ctxlint::syntax_error, ctxlint::unknown_rule))]\nfn i() {}\n";

/// In a second round the corrected name turns out to suppress nothing that can be told.
const FIXED: &str = "// é\nfn f() {\n\tg();\n}\n\nfn g() {}\n\n\
                     // ctxlint: allow(unused_suppression)\nfn h() {}\n\nfn i() {}\n";

#[test]
fn fixes_are_applied_until_none_is_left() {
    let project = Project::new(&[("a.rs", TEXT)]);
    let run = project.run(&["--fix"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert_eq!(project.read("a.rs"), FIXED);
    assert!(run.err.contains("no findings in 1 file; 4 fixed"), "{}", run.err);
    assert!(project.run(&["--fix"]).err.contains("no findings"), "nothing is left to fix");
    assert_eq!(project.read("a.rs"), FIXED);
}

#[test]
fn marks_line_endings_and_permissions_stay() {
    let text = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
    let project = Project::new(&[("a.rs", &text)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(project.path("a.rs"), fs::Permissions::from_mode(0o640)).expect("permissions are set");
    }
    assert_eq!(project.run(&["--fix"]).code, 0);
    assert_eq!(project.read("a.rs"), format!("\u{feff}{}", FIXED.replace('\n', "\r\n")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(project.path("a.rs")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    let left: Vec<_> =
        fs::read_dir(project.root()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["a.rs"], "no temporary file is left behind");
}

#[test]
fn what_is_read_only_is_left_as_it_is() {
    let project = Project::new(&[("a.rs", TEXT), ("b.rs", TEXT)]);
    let set = |read_only: bool| {
        let mut permissions = fs::metadata(project.path("a.rs")).expect("the file").permissions();
        permissions.set_readonly(read_only);
        fs::set_permissions(project.path("a.rs"), permissions).expect("permissions are set");
    };
    set(true);
    let run = project.run(&["--fix"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("ctxlint: a.rs: read-only; it is left as it is\n"), "{}", run.err);
    assert_eq!((project.read("a.rs"), project.read("b.rs")), (TEXT.to_owned(), FIXED.to_owned()));
    set(false);
}

/// The administrator's `--fix` of somebody's files leaves them somebody's.
#[cfg(unix)]
#[test]
fn the_owner_stays() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let project = Project::new(&[("a.rs", TEXT)]);
    if chown(project.path("a.rs"), Some(12345), Some(12345)).is_err() {
        eprintln!("SKIPPED: only the administrator can give a file away");
        return;
    }
    assert_eq!(project.run(&["--fix"]).code, 0);
    let found = fs::metadata(project.path("a.rs")).expect("the file");
    assert_eq!((project.read("a.rs").as_str(), found.uid(), found.gid()), (FIXED, 12345, 12345));
}

#[test]
fn unsafe_fixes_without_fixing_is_a_mistake() {
    let run = Project::new(&[("a.rs", TEXT)]).run(&["--unsafe-fixes"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("--fix"), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let outside = Project::new(&[("real.rs", TEXT)]);
    let project = Project::empty();
    std::os::unix::fs::symlink(outside.path("real.rs"), project.path("a.rs")).expect("a link");
    assert_eq!(project.run(&["--fix"]).code, 0);
    assert!(fs::symlink_metadata(project.path("a.rs")).expect("the link").is_symlink());
    assert_eq!(outside.read("real.rs"), FIXED);
}

#[test]
fn a_patch_is_printed_and_applies() {
    let project = Project::new(&[("src/a.rs", TEXT), ("b.rs", &TEXT.replace('\n', "\r\n"))]);
    let run = project.run(&["--diff"]);
    assert_eq!(run.code, 1, "the findings are still there: {}", run.err);
    assert_eq!(project.read("src/a.rs"), TEXT, "nothing is written");
    project.write("change.patch", &run.out);
    let status =
        Command::new("git").args(["apply", "--whitespace=nowarn", "change.patch"]).current_dir(project.root()).status();
    assert!(status.expect("git runs").success(), "{}", run.out);
    assert_eq!(project.read("src/a.rs"), FIXED);
    assert_eq!(project.read("b.rs"), FIXED.replace('\n', "\r\n"));
    assert_eq!(project.run(&["--diff"]).out, "");
}

#[test]
fn what_cannot_be_written_is_told() {
    let project = Project::empty();
    let run = project.run_with_input(&["--fix", "-"], TEXT);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("standard input cannot be fixed in place"), "{}", run.err);
    let run = project.run_with_input(&["--diff", "-"], TEXT);
    assert!(run.out.starts_with("--- a/<stdin>\n+++ b/<stdin>\n@@"), "{}", run.out);
}

const MISUSES: &str = "use context::Context;\n\nfn f(parent: &Context) {\n\tlet (ctx, _) = parent.with_cancel();\n\tctx.is_done();\n}\n\n\
    fn g(parent: &Context) -> bool { let (ctx, _) = parent.with_cancel(); ctx.value(\"k\"); ctx.is_done() }\n\n\
    fn h(parent: &Context) -> bool {\n    let ctx = parent\n        .clone()\n        .with_cancel()\n        .0;\n    ctx.is_done()\n}\n";

#[test]
fn a_codebase_begins_with_a_clean_report() {
    for text in [MISUSES.to_owned(), MISUSES.replace('\n', "\r\n")] {
        let project = Project::new(&[("a.rs", &text)]);
        let before = project.places(&[]);
        assert!(before.len() >= 4, "{before:?}");
        let run = project.run(&["--add-suppressions", "known, see \"issue 7\""]);
        assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
        assert!(run.err.contains(&format!("suppressions for {} findings; 0 are left", before.len())), "{}", run.err);
        let after = project.read("a.rs");
        assert!(after.contains("\t// ctxlint: allow(lost_cancel, reason = \"known, see \\\"issue 7\\\"\")"), "{after}");
        assert_eq!(
            after.matches('\n').count() == after.matches("\r\n").count(),
            text.contains('\r'),
            "line endings stay"
        );
        let again = project.run(&["--add-suppressions", "again"]);
        assert_eq!((again.code, project.read("a.rs")), (0, after), "what is suppressed needs nothing: {}", again.err);
    }
}

#[test]
fn fixes_of_rules_converge_and_silence_them() {
    let project = Project::new(&[("a.rs", MISUSES)]);
    let before = project.places(&[]).len();
    let run = project.run(&["--fix", "--unsafe-fixes", "--message-format", "short"]);
    let left = run.out.lines().count();
    assert!(left < before, "{}{}", run.out, run.err);
    let once = project.read("a.rs");
    project.run(&["--fix", "--unsafe-fixes"]);
    assert_eq!(project.read("a.rs"), once);
}
