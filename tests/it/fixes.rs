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
