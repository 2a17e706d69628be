//! A folder with files to run the program on.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder that goes away at the end of the test.
pub(crate) struct Project {
    folder: TempDir,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    pub(crate) fn empty() -> Project {
        Project { folder: TempDir::new().expect("a temporary folder") }
    }

    /// A folder with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Project {
        let project = Project::empty();
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// A package `demo` with this library.
    pub(crate) fn package(lib: &str) -> Project {
        Project::new(&[("Cargo.toml", &manifest("demo")), ("src/lib.rs", lib)])
    }

    /// A package that may use contexts.
    pub(crate) fn with_contexts(lib: &str) -> Project {
        Project::new(&[("Cargo.toml", &manifest_with_contexts("demo")), ("src/lib.rs", lib)])
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    pub(crate) fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        fs::write(path, bytes).expect("a file is written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("the file is there")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program in the folder.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_in("", args)
    }

    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Run {
        run(&self.path(folder), args, "", &[])
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        run(self.root(), args, input, &[])
    }

    pub(crate) fn run_with_env(&self, args: &[&str], env: &[(&str, &str)]) -> Run {
        run(self.root(), args, "", env)
    }

    /// The findings as `path:line:column: level[rule]`.
    pub(crate) fn places(&self, args: &[&str]) -> Vec<String> {
        let args = [&["--message-format", "short"], args].concat();
        let run = self.run(&args);
        run.out.lines().map(|line| line.split_inclusive(']').next().unwrap_or(line).to_owned()).collect()
    }
}

pub(crate) fn manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
}

/// The manifest of a package that may use contexts: nobody needs to build it.
pub(crate) fn manifest_with_contexts(name: &str) -> String {
    let dependency = "[dependencies]\ncontext = { package = \"ctxlint-context\", version = \"0.1\" }\n";
    format!("{}\n{dependency}", manifest(name))
}

pub(crate) fn program(name: &str) -> Command {
    let path = match name {
        "cargo-ctxlint" => env!("CARGO_BIN_EXE_cargo-ctxlint"),
        _ => env!("CARGO_BIN_EXE_ctxlint"),
    };
    let mut command = Command::new(path);
    // Nothing of the environment of the test run may reach the output.
    let names = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "COLUMNS"];
    for name in names.into_iter().chain(["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]) {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, args: &[&str], input: &str, env: &[(&str, &str)]) -> Run {
    let mut command = program("ctxlint");
    command.args(args).current_dir(folder).envs(env.iter().copied());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Whoever does not read its standard input may be gone already.
    let _ = child.stdin.take().expect("standard input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    Run {
        code: output.status.code().expect("the program exits"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Tells why a test, or part of one, has nothing to try.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
