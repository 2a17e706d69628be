//! Editors that say anything, in any order, and what must hold of the server's answers.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use ctxlint::lsp;
use serde_json::{Value, json};

use super::edits;
use super::laws::{everything, pool};
use super::seeds::seeds;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

const FILES: [&str; 4] = ["src/lib.rs", "src/a.rs", "src/nowhere.rs", "ctxlint.toml"];

/// What an editor says between opening and closing a workspace.
pub struct Talk {
    said: Vec<Said>,
    last: String,
}

enum Said {
    Message(Value),
    Bytes(Vec<u8>),
}

impl<'a> Arbitrary<'a> for Talk {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Talk> {
        let mut said = Vec::new();
        if input.ratio(15, 16)? {
            said.push(Said::Message(initialize(input)?));
            said.push(Said::Message(told("initialized", json!({}))));
        }
        for number in 0..input.int_in_range(1..=12)? {
            said.push(something(number, input)?);
        }
        let last = edits::text(input.choose(&seeds().texts)?, input)?;
        Ok(Talk { said, last })
    }
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for said in &self.said {
            match said {
                Said::Message(message) => writeln!(f, "{message}")?,
                Said::Bytes(bytes) => writeln!(f, "{:?}", String::from_utf8_lossy(bytes))?,
            }
        }
        write!(f, "and then:\n{}", self.last)
    }
}

/// Every request is answered once, nothing goes wrong within, and whatever was said before, what is
/// found in a text in the end is what is found in it at once.
pub fn holds(talk: &Talk) {
    let after = found(&talk.said, &talk.last);
    let at_once = [Said::Message(initialize(&mut Unstructured::new(&[])).expect("zeros do"))];
    let fresh = found(&at_once, &talk.last);
    let (Some(after), Some(fresh)) = (after, fresh) else { return };
    assert_eq!(without_tags(after), without_tags(fresh), "what was said before is still felt");
}

/// What editors need not be told alike.
fn without_tags(mut diagnostics: Value) -> Value {
    let entries = diagnostics.as_array_mut().into_iter().flatten();
    entries.filter_map(Value::as_object_mut).for_each(|entry| {
        entry.remove("relatedInformation");
    });
    diagnostics
}

/// Says it all, opens a text in the end, and gives what is found there: nothing if the server is not at
/// work any more.
fn found(said: &[Said], last: &str) -> Option<Value> {
    let mut editor = Editor::start();
    for said in said {
        match said {
            Said::Message(message) => editor.say(message),
            Said::Bytes(bytes) => editor.send(bytes.clone()),
        }
    }
    let uri = uri("src/a.rs");
    for path in FILES {
        editor.say(&told("textDocument/didClose", json!({ "textDocument": { "uri": self::uri(path) } })));
    }
    let folders = json!({ "added": [{ "uri": self::uri(""), "name": "x" }], "removed": [] });
    editor.say(&told("workspace/didChangeWorkspaceFolders", json!({ "event": folders })));
    let document = json!({ "uri": uri, "languageId": "rust", "version": 1_000_000, "text": last });
    editor.say(&told("textDocument/didOpen", json!({ "textDocument": document })));
    let position = json!({ "line": 0, "character": 0 });
    editor.say(&asked("last", "textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": position })));
    let is_at_work = editor.answer("last").get("error").is_none();
    editor.say(&asked("shutdown", "shutdown", Value::Null));
    editor.say(&told("exit", Value::Null));
    let said = editor.end();
    of_answers(&said);
    let about = said.iter().rfind(|message| {
        message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str()
    });
    is_at_work.then(|| about.map_or(json!([]), |message| message["params"]["diagnostics"].clone()))
}

fn of_answers(said: &[Value]) {
    let mut answered = BTreeSet::new();
    for message in said {
        assert_eq!(message["jsonrpc"], "2.0");
        match message.get("method").and_then(Value::as_str) {
            Some("window/logMessage") => {
                let text = message["params"]["message"].as_str().expect("a message");
                assert!(!text.contains("internal error"), "{text}");
            }
            Some(_) => {}
            None => {
                let id = &message["id"];
                assert!(id.is_null() || answered.insert(id.to_string()), "{id} is answered twice");
                assert!(message.get("result").is_some() != message.get("error").is_some(), "{message}");
            }
        }
    }
}

fn told(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn asked(id: &str, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn initialize(input: &mut Unstructured<'_>) -> Result<Value> {
    let encoding = *input.choose(&["utf-16", "utf-8", "utf-32", "ebcdic"])?;
    let open = input.ratio(3, 4)?;
    let folders = if open { json!([{ "uri": uri(""), "name": "x" }]) } else { Value::Null };
    let capabilities = json!({
        "general": { "positionEncodings": [encoding] },
        "workspace": {
            "didChangeWatchedFiles": { "dynamicRegistration": true },
            "workspaceEdit": { "documentChanges": !bool::arbitrary(input)? },
        },
        "textDocument": { "hover": { "contentFormat": ["markdown"] } },
    });
    Ok(asked("initialize", "initialize", json!({ "capabilities": capabilities, "workspaceFolders": folders })))
}

fn something(number: i32, input: &mut Unstructured<'_>) -> Result<Said> {
    let uri = if input.ratio(15, 16)? { uri(input.choose(&FILES)?) } else { "untitled:x".to_owned() };
    let document = json!({ "uri": uri, "version": number });
    let id = format!("{number}");
    Ok(Said::Message(match input.int_in_range(0..=15)? {
        0..=2 => {
            let text = edits::text(input.choose(&seeds().texts)?, input)?;
            let document = json!({ "uri": uri, "languageId": "rust", "version": number, "text": text });
            told("textDocument/didOpen", json!({ "textDocument": document }))
        }
        3..=7 => {
            let mut changes = Vec::new();
            for _ in 0..input.int_in_range(1..=3)? {
                let text = text(input)?;
                changes.push(match input.ratio(7, 8)? {
                    true => json!({ "range": range(input)?, "text": text }),
                    false => json!({ "text": text }),
                });
            }
            told("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }))
        }
        8 => told("textDocument/didClose", json!({ "textDocument": document })),
        9 => told("textDocument/didSave", json!({ "textDocument": document })),
        10 => told("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 2 }] })),
        11 => asked(&id, "textDocument/hover", json!({ "textDocument": document, "position": range(input)?["start"] })),
        12 => {
            let only = if bool::arbitrary(input)? { json!(["source.fixAll"]) } else { Value::Null };
            let context = json!({ "diagnostics": [], "only": only });
            let params = json!({ "textDocument": document, "range": range(input)?, "context": context });
            asked(&id, "textDocument/codeAction", params)
        }
        13 => told("$/cancelRequest", json!({ "id": format!("{}", number - 1) })),
        14 => {
            let methods =
                ["textDocument/hover", "textDocument/didChange", "initialize", "shutdown", "x", "initialized"];
            let method = *input.choose(&methods)?;
            let params = json!({ "textDocument": number, "contentChanges": text(input)? });
            if bool::arbitrary(input)? { asked(&id, method, params) } else { told(method, params) }
        }
        _ => {
            let bytes: &[u8] = input.arbitrary()?;
            // Framed: what has no end would be waited for.
            let mut framed = format!("Content-Length: {}\r\n\r\n", bytes.len()).into_bytes();
            framed.extend(bytes);
            return Ok(Said::Bytes(framed));
        }
    }))
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=3)? {
        0 => input.choose(&seeds().texts)?.clone(),
        1 => <&str>::arbitrary(input)?.to_owned(),
        2 => "{ é𝄞\r\n".to_owned(),
        _ => String::new(),
    })
}

/// Places that are there, that are not, and that are the wrong way round.
fn range(input: &mut Unstructured<'_>) -> Result<Value> {
    let mut position = || -> Result<Value> {
        let wild = input.ratio(1, 16)?;
        let line = if wild { u32::arbitrary(input)? } else { input.int_in_range(0..=120)? };
        let character = if wild { u32::arbitrary(input)? } else { input.int_in_range(0..=90)? };
        Ok(json!({ "line": line, "character": character }))
    };
    Ok(json!({ "start": position()?, "end": position()? }))
}

fn uri(path: &str) -> String {
    format!("file://{}", folder().join(path).to_str().expect("Unicode").trim_end_matches('/'))
}

/// A package on disk, as projects have to be.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("ctxlint-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src")).expect("a folder is made");
        let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
        std::fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest is written");
        std::fs::write(folder.join("src/lib.rs"), "mod a;\n").expect("a file is written");
        std::fs::write(folder.join("src/a.rs"), "").expect("a file is written");
        folder
    })
}

/// The other side of the server.
struct Editor {
    to: Option<Sender<Vec<u8>>>,
    from: Receiver<Vec<u8>>,
    unread: Vec<u8>,
    seen: Vec<Value>,
}

impl Editor {
    fn start() -> Editor {
        let (to, input) = channel();
        let (output, from) = channel();
        std::thread::spawn(move || {
            let input = BufReader::new(Source { chunks: input, rest: io::Cursor::default() });
            lsp::talk(input, Box::new(Sink(output)), None, everything(), pool(1)).expect("nothing fails");
        });
        Editor { to: Some(to), from, unread: Vec::new(), seen: Vec::new() }
    }

    fn say(&self, message: &Value) {
        let body = message.to_string();
        self.send(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
    }

    fn send(&self, bytes: Vec<u8>) {
        // A server that was told to go is gone.
        let _ = self.to.as_ref().map(|to| to.send(bytes));
    }

    /// Waits for the answer to a request.
    fn answer(&mut self, id: &str) -> Value {
        loop {
            let answer = |message: &&Value| message["id"] == id && message.get("method").is_none();
            if let Some(answer) = self.seen.iter().find(answer) {
                return answer.clone();
            }
            match self.from.recv_timeout(PATIENCE) {
                Ok(bytes) => self.take(&bytes),
                Err(error) => panic!("{id} is not answered: {error}"),
            }
        }
    }

    /// Everything the server ever said.
    fn end(mut self) -> Vec<Value> {
        self.to = None;
        loop {
            match self.from.recv_timeout(PATIENCE) {
                Ok(bytes) => self.take(&bytes),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("the server does not go: {error}"),
            }
        }
        assert!(self.unread.is_empty(), "half a message");
        self.seen
    }

    fn take(&mut self, bytes: &[u8]) {
        self.unread.extend(bytes);
        while let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let header = std::str::from_utf8(&self.unread[..end]).expect("a header");
            let length = header.strip_prefix("Content-Length: ").and_then(|length| length.parse().ok());
            let length: usize = length.expect("a length");
            let Some(body) = self.unread.get(end + 4..end + 4 + length) else { return };
            self.seen.push(serde_json::from_slice(body).expect("JSON"));
            self.unread.drain(..end + 4 + length);
        }
    }
}

struct Source {
    chunks: Receiver<Vec<u8>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.rest.read(buffer)? {
                0 => match self.chunks.recv() {
                    Ok(chunk) => self.rest = io::Cursor::new(chunk),
                    Err(_) => return Ok(0),
                },
                read => return Ok(read),
            }
        }
    }
}

struct Sink(Sender<Vec<u8>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whoever listened may have what it wanted.
        let _ = self.0.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
