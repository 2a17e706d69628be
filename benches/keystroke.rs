//! From a key to what is shown: the language server on a crate of 500 files, typing in one of 2,000
//! lines. The target is 50 ms.
//!
//! The files are the fixtures of the rules, again and again, so that in the first crate every file is
//! about contexts, which no real crate is; in the second it is one in ten, and the others are plain
//! code. In the last row of each a key follows while the text before it is being checked: it should take
//! no longer than one by itself. A key is timed from the edit's first byte to the last of the diagnostics for that text: the
//! waiting for a pause in the typing is in it. Beside it stands the processor time that the server took
//! for a key, on all threads together, where the system tells: it is the same on a busy machine.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for developers that tells what it measured"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const FILES: usize = 500;
const LINES: usize = 2000;
/// Keys of each sort.
const KEYS: usize = 20;

fn main() {
    // `cargo test --benches` calls with `--test`: then there is nothing to measure.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!("milliseconds");
    println!("{:<28} {:>9} {:>9} {:>9} {:>9} {:>9}", "crate", "first", "median", "95 %", "most", "CPU");
    for (name, every) in [("every file about contexts", 1), ("one file in ten", 10)] {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let text = write_crate(folder.path(), every);
        measure(name, folder.path(), &text);
    }
}

fn measure(name: &str, root: &Path, text: &str) {
    let start = Instant::now();
    let mut server = Server::start(root);
    let uri = format!("file://{}", root.join("src/large.rs").display());
    server.notify(
        "textDocument/didOpen",
        &json!({ "textDocument": { "uri": uri, "languageId": "rust", "version": 0, "text": text } }),
    );
    assert!(server.wait_for(&uri, 0) > 0, "nothing is found, so nothing is measured");
    let first = start.elapsed();
    // Within a body, within a comment, and so that the file does not parse until the next key.
    let middle = text.lines().count() / 2;
    let near = |what: &str| {
        let lines = text.lines().enumerate().skip(middle);
        let found = lines.filter(|(_, line)| line.trim_start().starts_with(what)).map(|(line, _)| line).next();
        found.expect("such a line")
    };
    let keys =
        [(near("let "), "\n"), (near("let "), "let x = 1;\n"), (near("//"), "// x\n"), (near("let "), "let x = (;\n")];
    for (sort, (line, typed)) in ["blank line", "statement", "comment", "breaks the file"].iter().zip(keys) {
        let mut times = Vec::new();
        let before = server.processor_time();
        for _ in 0..KEYS / 2 {
            let at = |line: usize| json!({ "line": line, "character": 0 });
            for (end, typed) in [(line, typed), (line + 1, "")] {
                times.push(server.key(&uri, &json!({ "start": at(line), "end": at(end) }), typed));
            }
        }
        times.sort();
        let at = |part: f64| milliseconds(times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default());
        let most = milliseconds(times.last().copied().unwrap_or_default());
        let used = before.zip(server.processor_time()).map(|(before, after)| (after - before) / KEYS as u32);
        let used = used.map_or("?".to_owned(), milliseconds);
        println!("{name:<28} {:>9} {:>9} {:>9} {most:>9} {used:>9}   {sort}", milliseconds(first), at(0.5), at(0.95));
    }
    let line = near("let ");
    let key = |server: &mut Server, line: usize, end: usize, typed: &str| {
        let at = |line: usize| json!({ "line": line, "character": 0 });
        server.type_key(&uri, &json!({ "start": at(line), "end": at(end) }), typed);
    };
    let mut times = Vec::new();
    for _ in 0..KEYS / 2 {
        let alone = Instant::now();
        key(&mut server, line, line, "let x = 1;\n");
        server.wait_for_last(&uri);
        let alone = alone.elapsed();
        key(&mut server, line, line + 1, "");
        std::thread::sleep(alone / 2);
        let start = Instant::now();
        key(&mut server, line, line, "let x = 2;\n");
        server.wait_for_last(&uri);
        times.push(start.elapsed());
        key(&mut server, line, line + 1, "");
        server.wait_for_last(&uri);
    }
    times.sort();
    let at = |part: f64| milliseconds(times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default());
    let most = milliseconds(times.last().copied().unwrap_or_default());
    println!(
        "{name:<28} {:>9} {:>9} {:>9} {most:>9} {:>9}   key upon key",
        milliseconds(first),
        at(0.5),
        at(0.95),
        "-"
    );
    server.stop();
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

/// A crate, and the text of its large file.
fn write_crate(root: &Path, every: usize) -> String {
    let texts = fixtures();
    let fixture = |index: usize| texts.get(index % texts.len()).expect("there are fixtures").as_str();
    fs::create_dir_all(root.join("src")).expect("a folder is made");
    let manifest = "[package]\nname = \"large\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
        [dependencies]\ncontext = { package = \"ctxlint-context\", version = \"0.1\" }\ntokio = \"1\"\naxum = \"0.8\"\n";
    fs::write(root.join("Cargo.toml"), manifest).expect("a file is written");
    let mut lib = String::from("mod large;\n");
    for index in 0..FILES {
        let _ = writeln!(lib, "mod file{index};");
        let plain = plain(fixture(index).lines().count());
        let text = if index % every == 0 { fixture(index) } else { &plain };
        fs::write(root.join(format!("src/file{index}.rs")), text).expect("a file is written");
    }
    fs::write(root.join("src/lib.rs"), lib).expect("a file is written");
    let mut large = String::new();
    for part in 0.. {
        if large.lines().count() >= LINES {
            break;
        }
        let _ = writeln!(large, "mod part{part} {{\n{}}}", fixture(part * 7));
    }
    fs::write(root.join("src/large.rs"), &large).expect("a file is written");
    large
}

fn fixtures() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let rules = fs::read_dir(root).expect("the fixtures").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = rules
        .filter(|folder| !folder.join("Cargo.toml").exists())
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).expect("a fixture")).collect()
}

/// Code about nothing.
fn plain(lines: usize) -> String {
    let mut text = String::new();
    for index in 0..lines / 4 {
        let _ = writeln!(
            text,
            "pub fn value{index}(x: u64) -> u64 {{\n    let y = x.wrapping_mul({index});\n    y ^ x\n}}"
        );
    }
    text
}

/// The server, and how to talk to it.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: i64,
}

impl Server {
    fn start(root: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ctxlint"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("standard input");
        let output = BufReader::new(child.stdout.take().expect("standard output"));
        let mut server = Server { child, input, output, version: 0 };
        let params = json!({
            "processId": null,
            "rootUri": format!("file://{}", root.display()),
            "capabilities": { "general": { "positionEncodings": ["utf-8"] } },
        });
        server.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
        server.notify("initialized", &json!({}));
        server
    }

    /// An edit, and how long it takes until its text is checked.
    fn key(&mut self, uri: &str, range: &Value, typed: &str) -> Duration {
        let start = Instant::now();
        self.type_key(uri, range, typed);
        self.wait_for_last(uri);
        start.elapsed()
    }

    fn type_key(&mut self, uri: &str, range: &Value, typed: &str) {
        self.version += 1;
        let change = json!({ "range": range, "text": typed });
        let params = json!({ "textDocument": { "uri": uri, "version": self.version }, "contentChanges": [change] });
        self.notify("textDocument/didChange", &params);
    }

    fn wait_for_last(&mut self, uri: &str) {
        self.wait_for(uri, self.version);
    }

    /// What all threads took so far, to a hundredth of a second.
    fn processor_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // After the name, which may hold anything: the 12th and 13th are of the program and of the system.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    /// Waits for what is found in a text, and tells how much that is.
    fn wait_for(&mut self, uri: &str, version: i64) -> usize {
        loop {
            let message = self.read();
            let params = &message["params"];
            if message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
            {
                return params["diagnostics"].as_array().map_or(0, Vec::len);
            }
        }
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("a header");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(value) => length = value.parse().expect("a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    fn stop(mut self) {
        self.send(&json!({ "jsonrpc": "2.0", "id": 2, "method": "shutdown", "params": null }));
        self.notify("exit", &Value::Null);
        self.child.wait().expect("the server ends");
    }
}
