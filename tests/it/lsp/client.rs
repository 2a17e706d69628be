//! An editor that does as it is told: speaks to the server over pipes and remembers what that says.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::project::program;

/// Longer than anything takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the editor that most tests play can do.
pub(crate) fn able() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "workspace": {
            "didChangeWatchedFiles": { "dynamicRegistration": true },
            "workspaceEdit": { "documentChanges": true },
        },
        "textDocument": {
            "publishDiagnostics": { "relatedInformation": true },
            "hover": { "contentFormat": ["markdown", "plaintext"] },
        },
    })
}

pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    requests: i64,
    versions: BTreeMap<String, i64>,
    texts: BTreeMap<String, String>,
    /// The last diagnostics of each file, by its URI.
    pub(crate) published: BTreeMap<String, Value>,
    /// How often diagnostics came.
    pub(crate) publications: usize,
    /// What the server logged.
    pub(crate) log: Vec<String>,
    /// The methods of what the server asked.
    pub(crate) asked: Vec<String>,
    /// What `initialize` was answered with.
    pub(crate) server: Value,
}

pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.to_str().expect("Unicode"))
}

impl Client {
    /// A server that was told nothing yet.
    pub(crate) fn silent(args: &[&str]) -> Client {
        let mut child = program("ctxlint")
            .arg("lsp")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let (sender, messages) = channel();
        let mut out = BufReader::new(child.stdout.take().expect("standard output"));
        std::thread::spawn(move || {
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if out.read_line(&mut line).expect("a header") == 0 {
                        return;
                    }
                    match line.trim_end().split_once(": ") {
                        Some(("Content-Length", value)) => length = value.parse().expect("a length"),
                        Some(other) => panic!("{other:?}"),
                        None => break,
                    }
                }
                let mut body = vec![0; length];
                out.read_exact(&mut body).expect("a body");
                if sender.send(serde_json::from_slice(&body).expect("JSON")).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Client {
            child,
            stdin,
            messages,
            requests: 0,
            versions: BTreeMap::new(),
            texts: BTreeMap::new(),
            published: BTreeMap::new(),
            publications: 0,
            log: Vec::new(),
            asked: Vec::new(),
            server: Value::Null,
        }
    }

    /// A server that works on these folders.
    pub(crate) fn new(folders: &[&Path]) -> Client {
        Client::with(able(), folders)
    }

    pub(crate) fn with(capabilities: Value, folders: &[&Path]) -> Client {
        let folders: Vec<Value> =
            folders.iter().map(|folder| json!({ "uri": uri(folder), "name": "folder" })).collect();
        let mut client = Client::silent(&[]);
        client.initialize(&json!({
            "processId": null,
            "rootUri": null,
            "capabilities": capabilities,
            "workspaceFolders": folders,
        }));
        client
    }

    pub(crate) fn initialize(&mut self, params: &Value) {
        self.server = self.request("initialize", params)["result"].clone();
        assert_eq!(self.server["serverInfo"]["name"], "ctxlint");
        self.notify("initialized", &json!({}));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes).expect("the server reads");
        stdin.flush().expect("the server reads");
    }

    pub(crate) fn send_all(&mut self, messages: &[Value]) {
        let framed = |message: &Value| {
            let body = message.to_string();
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        };
        let bytes: String = messages.iter().map(framed).collect();
        self.send_bytes(bytes.as_bytes());
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.send_all(&[json!({ "jsonrpc": "2.0", "method": method, "params": params })]);
    }

    /// A request's message, and its number.
    pub(crate) fn question(&mut self, method: &str, params: &Value) -> (Value, i64) {
        self.requests += 1;
        let id = self.requests;
        (json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }), id)
    }

    /// Asks, and waits for the answer.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        let (message, id) = self.question(method, params);
        self.send_all(&[message]);
        self.answer(id)
    }

    /// Waits for the answer to a request that was sent.
    pub(crate) fn answer(&mut self, id: i64) -> Value {
        loop {
            let message = self.next().unwrap_or_else(|| panic!("no answer to {id}"));
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// The next message; none if the server is gone. What is no answer is remembered.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let message = self.messages.recv_timeout(PATIENCE).ok()?;
        assert_eq!(message["jsonrpc"], "2.0");
        match message["method"].as_str() {
            Some("textDocument/publishDiagnostics") => {
                let params = &message["params"];
                self.publications += 1;
                self.published.insert(params["uri"].as_str().expect("a URI").to_owned(), params.clone());
            }
            Some("window/logMessage") => {
                self.log.push(message["params"]["message"].as_str().expect("a text").to_owned());
            }
            Some(method) if message.get("id").is_some() => {
                self.asked.push(method.to_owned());
                self.send_all(&[json!({ "jsonrpc": "2.0", "id": message["id"], "result": null })]);
            }
            _ => {}
        }
        Some(message)
    }

    /// Waits until something is so.
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&Client) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "{what}");
            self.next().expect(what);
        }
    }

    /// Waits until everything that was said is checked: questions are answered after that.
    pub(crate) fn settle(&mut self) {
        let answer = self.request(
            "textDocument/hover",
            &json!({ "textDocument": { "uri": "file:///nowhere.rs" }, "position": { "line": 0, "character": 0 } }),
        );
        assert_eq!(answer["result"], Value::Null, "{answer}");
    }

    pub(crate) fn open(&mut self, uri: &str, text: &str) {
        self.versions.insert(uri.to_owned(), 1);
        self.texts.insert(uri.to_owned(), text.to_owned());
        let document = json!({ "uri": uri, "languageId": "rust", "version": 1, "text": text });
        self.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub(crate) fn edit(&mut self, uri: &str, text: &str) {
        let message = self.edit_message(uri, text);
        self.send_all(&[message]);
    }

    pub(crate) fn edit_message(&mut self, uri: &str, text: &str) -> Value {
        let version = self.versions.get_mut(uri).expect("it is open");
        *version += 1;
        self.texts.insert(uri.to_owned(), text.to_owned());
        let params = json!({
            "textDocument": { "uri": uri, "version": *version },
            "contentChanges": [{ "text": text }],
        });
        json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params })
    }

    pub(crate) fn about(&mut self, method: &str, uri: &str) {
        self.notify(method, &json!({ "textDocument": { "uri": uri } }));
    }

    pub(crate) fn changed_on_disk(&mut self, path: &Path) {
        self.notify("workspace/didChangeWatchedFiles", &json!({ "changes": [{ "uri": uri(path), "type": 2 }] }));
    }

    /// What is shown in a file now: line and column from 0, and the rule.
    pub(crate) fn shown(&mut self, uri: &str) -> Vec<(u64, u64, String)> {
        self.settle();
        self.last(uri)
    }

    /// What was shown last.
    pub(crate) fn last(&self, uri: &str) -> Vec<(u64, u64, String)> {
        self.diagnostics(uri).iter().map(place).collect()
    }

    pub(crate) fn diagnostics(&self, uri: &str) -> Vec<Value> {
        self.published.get(uri).map_or(Vec::new(), |it| it["diagnostics"].as_array().expect("a list").clone())
    }

    /// The version of the text that was checked last.
    pub(crate) fn checked_version(&self, uri: &str) -> i64 {
        self.published.get(uri).map_or(0, |it| it["version"].as_i64().unwrap_or(0))
    }

    pub(crate) fn version(&self, uri: &str) -> i64 {
        self.versions[uri]
    }

    /// The actions for a position.
    pub(crate) fn actions(&mut self, uri: &str, line: u64, character: u64, context: &Value) -> Vec<Value> {
        let at = json!({ "line": line, "character": character });
        let answer = self.request(
            "textDocument/codeAction",
            &json!({ "textDocument": { "uri": uri }, "range": { "start": at, "end": at }, "context": context }),
        );
        answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Does what an action says to this file (columns in UTF-16, as all tests of actions have it).
    pub(crate) fn apply(&mut self, uri: &str, action: &Value) -> String {
        let edit = &action["edit"];
        let edits = match edit["documentChanges"].as_array() {
            Some(changes) => {
                assert_eq!(changes.len(), 1, "{action}");
                assert_eq!(changes[0]["textDocument"]["uri"], uri);
                assert_eq!(changes[0]["textDocument"]["version"], self.versions[uri]);
                changes[0]["edits"].as_array().expect("edits").clone()
            }
            None => edit["changes"][uri].as_array().expect("edits").clone(),
        };
        let text = self.texts[uri].clone();
        let offset = |position: &Value| {
            let line = position["line"].as_u64().expect("a line") as usize;
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let mut left = position["character"].as_u64().expect("a column") as usize;
            let inside = text[start..].chars().take_while(|c| {
                let goes_on = left > 0;
                left = left.saturating_sub(c.len_utf16());
                goes_on
            });
            start + inside.map(char::len_utf8).sum::<usize>()
        };
        let mut edits: Vec<(usize, usize, String)> = edits
            .iter()
            .map(|edit| {
                let range = &edit["range"];
                let text = edit["newText"].as_str().expect("a text").to_owned();
                (offset(&range["start"]), offset(&range["end"]), text)
            })
            .collect();
        edits.sort();
        let mut new = text.clone();
        for (start, end, text) in edits.into_iter().rev() {
            new.replace_range(start..end, &text);
        }
        self.edit(uri, &new);
        new
    }

    /// Ends the session as the protocol wants it.
    pub(crate) fn end(mut self) {
        let answer = self.request("shutdown", &Value::Null);
        assert_eq!(answer.get("result"), Some(&Value::Null), "{answer}");
        self.notify("exit", &Value::Null);
        assert_eq!(self.wait().code(), Some(0));
    }

    /// Closes the pipe.
    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the server is ours") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Of a test that failed; one that did not has waited for the end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a diagnostic begins, and its rule.
pub(crate) fn place(diagnostic: &Value) -> (u64, u64, String) {
    let start = &diagnostic["range"]["start"];
    let number = |name: &str| start[name].as_u64().expect("a number");
    (number("line"), number("character"), diagnostic["code"].as_str().unwrap_or("").to_owned())
}
