//! The server at work: what is open, what was found, what is still to be answered.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use camino::{Utf8Path, Utf8PathBuf};
use gen_lsp_types::{
    Diagnostic, DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, LogMessageParams, MessageType, Position,
    PublishDiagnosticsParams, Range, TextDocumentIdentifier, Uri,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::{self, Wish};
use super::buffer::{self, Buffer};
use super::client::{self, Client};
use super::hover;
use super::project::Settings;
use super::server::{Event, Start};
use super::worker::{Change, Checked, Order, Worker};
use crate::watch::Watch;

/// A server that is initialised and not shut down.
pub(super) struct Session {
    client: Client,
    buffers: BTreeMap<Utf8PathBuf, Buffer>,
    /// To the thread that checks.
    orders: Sender<Order>,
    /// The number of the newest change, for that thread to see that what it does is out of date.
    newest: Arc<AtomicU64>,
    checked: Option<Checked>,
    published: BTreeMap<Utf8PathBuf, Published>,
    /// Questions about texts that are still to be checked.
    waiting: Vec<Waiting>,
    /// To the thread that watches folders, if the editor does not.
    watcher: Option<Watch>,
    /// What is to be sent.
    pub(super) outbox: Vec<Message>,
}

/// What the editor was told of a file last.
struct Published {
    uri: Uri,
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

/// A question that waits for a check.
struct Waiting {
    id: RequestId,
    path: Utf8PathBuf,
    revision: u64,
    question: Question,
}

enum Question {
    Hover(Position),
    Actions(Wish),
}

impl Session {
    /// Begins to check.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub(super) fn begin(client: Client, start: &Start, events: &Sender<Event>) -> io::Result<Session> {
        let (orders, receiver) = channel();
        let newest = Arc::new(AtomicU64::new(0));
        let settings = Settings {
            config: start.config.clone(),
            levels: start.levels.clone(),
            encoding: client.encoding,
            related: client.related_places,
        };
        let worker = Worker::new(settings, start.pool.clone(), newest.clone());
        let tell = events.clone();
        // Nobody listens any more only when the program ends.
        let tell = move |checked| drop(tell.send(Event::Checked(checked)));
        std::thread::Builder::new().name("check".to_owned()).spawn(move || worker.run(&receiver, tell))?;
        let mut session = Session {
            buffers: BTreeMap::new(),
            orders,
            newest,
            checked: None,
            published: BTreeMap::new(),
            waiting: Vec::new(),
            watcher: None,
            outbox: Vec::new(),
            client,
        };
        if !session.client.watches_files {
            let events = events.clone();
            // Without it, or where the system cannot watch, only what is saved in the editor is seen.
            session.watcher = Watch::start(move |path| drop(events.send(Event::Disk(path)))).ok();
        }
        let added = session.client.folders.clone();
        session.folders(added, Vec::new());
        Ok(session)
    }

    /// A notification.
    pub(super) fn told(&mut self, told: Notification) {
        let Notification { method, params } = told;
        match method.as_str() {
            "initialized" => self.register(),
            "textDocument/didOpen" => self.with(&method, params, Session::opened),
            "textDocument/didChange" => self.with(&method, params, Session::edited),
            "textDocument/didSave" => self.with(&method, params, |session, it: About| {
                session.about(&it.text_document.uri, Change::Saved);
            }),
            "textDocument/didClose" => self.with(&method, params, Session::closed),
            "workspace/didChangeWatchedFiles" => {
                self.with(&method, params, |session, it: DidChangeWatchedFilesParams| {
                    it.changes.iter().for_each(|file| session.about(&file.uri, Change::Disk));
                });
            }
            "workspace/didChangeWorkspaceFolders" => {
                self.with(&method, params, |session, it: DidChangeWorkspaceFoldersParams| {
                    let paths = |folders: &[gen_lsp_types::WorkspaceFolder]| {
                        folders.iter().filter_map(|folder| client::path(&folder.uri)).collect()
                    };
                    session.folders(paths(&it.event.added), paths(&it.event.removed));
                });
            }
            "$/cancelRequest" => self.with(&method, params, |session, it: Cancel| session.cancelled(&it.id)),
            _ => {}
        }
    }

    /// A request.
    pub(super) fn asked(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let asked = match method.as_str() {
            "textDocument/hover" => serde_json::from_value(params)
                .map(|it: HoverParams| (it.text_document.uri, Question::Hover(it.position))),
            "textDocument/codeAction" => serde_json::from_value(params).map(|it: ActionParams| {
                (it.text_document.uri, Question::Actions(Wish { range: it.range, only: it.context.only }))
            }),
            _ => {
                let why = format!("{method} is not known here");
                return self.refuse(id, ErrorCode::MethodNotFound, &why);
            }
        };
        let (uri, question) = match asked {
            Ok(asked) => asked,
            Err(error) => return self.refuse(id, ErrorCode::InvalidParams, &format!("{method}: {error}")),
        };
        let Some(path) = client::path(&uri) else { return self.answer(id, Value::Null) };
        let revision = self.newest.load(Ordering::Relaxed);
        self.waiting.push(Waiting { id, path, revision, question });
        self.answer_waiting();
    }

    /// A check is done.
    pub(super) fn checked(&mut self, checked: Checked) {
        for note in &checked.notes {
            let params = LogMessageParams { kind: MessageType::Warning, message: note.clone() };
            self.notify("window/logMessage", &params);
        }
        self.checked = Some(checked);
        self.publish();
        self.answer_waiting();
    }

    /// A file changed on disk.
    pub(super) fn disk(&mut self, path: Utf8PathBuf) {
        self.order(Change::Disk(path));
    }

    fn opened(&mut self, it: DidOpenTextDocumentParams) {
        let document = it.text_document;
        let Some(path) = client::path(&document.uri) else { return };
        let unsaved = std::fs::read_to_string(&path).map_or(true, |text| text != document.text);
        let buffer = Buffer { uri: document.uri, version: document.version, text: document.text.into(), unsaved };
        self.put(path, buffer);
    }

    fn edited(&mut self, it: DidChangeTextDocumentParams) {
        let Some(path) = client::path(&it.text_document.text_document_identifier.uri) else { return };
        let Some(buffer) = self.buffers.get(&path) else { return };
        let text = buffer::changed(&buffer.text, it.content_changes, self.client.encoding).into();
        let buffer = Buffer { uri: buffer.uri.clone(), version: it.text_document.version, text, unsaved: true };
        self.put(path, buffer);
    }

    fn put(&mut self, path: Utf8PathBuf, buffer: Buffer) {
        self.forget_questions(&path);
        self.buffers.insert(path.clone(), buffer.clone());
        if is_source(&path) {
            self.order(Change::Buffer(path, buffer));
        }
    }

    fn closed(&mut self, it: DidCloseTextDocumentParams) {
        let Some(path) = client::path(&it.text_document.uri) else { return };
        self.forget_questions(&path);
        if self.buffers.remove(&path).is_some() && is_source(&path) {
            self.order(Change::Closed(path));
        }
    }

    fn about(&mut self, uri: &Uri, change: impl FnOnce(Utf8PathBuf) -> Change) {
        if let Some(path) = client::path(uri) {
            self.order(change(path));
        }
    }

    fn folders(&mut self, added: Vec<Utf8PathBuf>, removed: Vec<Utf8PathBuf>) {
        if let Some(watcher) = &self.watcher {
            added.iter().for_each(|folder| drop(watcher.add(folder.as_std_path())));
        }
        self.order(Change::Folders { added, removed });
    }

    fn order(&mut self, change: Change) {
        let revision = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        // The thread that checks goes only when the session does.
        let _ = self.orders.send(Order { revision, change });
    }

    fn register(&mut self) {
        if self.client.watches_files {
            let watchers: Vec<Value> =
                ["**/*.rs", "**/Cargo.toml", "**/ctxlint.toml"].map(|glob| json!({ "globPattern": glob })).into();
            let registration = json!({
                "id": "watch",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers },
            });
            self.outbox.push(Message::Request(Request {
                id: RequestId::from("watch".to_owned()),
                method: "client/registerCapability".to_owned(),
                params: json!({ "registrations": [registration] }),
            }));
        }
    }

    /// Tells what changed. Of a text that was edited since it was checked there will be more soon.
    fn publish(&mut self) {
        let Some(checked) = &self.checked else { return };
        let paths: BTreeSet<&Utf8PathBuf> =
            self.published.keys().chain(checked.files.keys()).chain(checked.versions.keys()).collect();
        let paths: Vec<Utf8PathBuf> = paths.into_iter().cloned().collect();
        for path in paths {
            let Some(checked) = &self.checked else { return };
            let buffer = self.buffers.get(&path);
            let version = buffer.map(|buffer| buffer.version);
            if is_source(&path) && version.is_some() && checked.versions.get(&path).copied() != version {
                continue;
            }
            let marked = checked.files.get(&path);
            let diagnostics = || marked.iter().flat_map(|marked| &marked.marks).map(|mark| &mark.diagnostic);
            let last = self.published.get(&path);
            let is_same = last.map_or(marked.is_none() && version.is_none(), |last| {
                diagnostics().eq(&last.diagnostics) && (version.is_none() || version == last.version)
            });
            let uri = buffer.map(|buffer| &buffer.uri);
            let uri = uri.or(last.map(|last| &last.uri)).or(marked.map(|marked| &marked.uri));
            let Some(uri) = uri.filter(|_| !is_same).cloned() else { continue };
            let diagnostics: Vec<Diagnostic> = diagnostics().cloned().collect();
            let params = PublishDiagnosticsParams { uri: uri.clone(), version, diagnostics: diagnostics.clone() };
            self.notify("textDocument/publishDiagnostics", &params);
            match diagnostics.is_empty() && version.is_none() {
                true => drop(self.published.remove(&path)),
                false => drop(self.published.insert(path, Published { uri, version, diagnostics })),
            }
        }
    }

    /// Answers the questions whose texts are checked.
    fn answer_waiting(&mut self) {
        let done = self.checked.as_ref().map(|checked| checked.revision);
        let (ready, waiting): (Vec<Waiting>, Vec<Waiting>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|it| done >= Some(it.revision));
        self.waiting = waiting;
        for it in ready {
            let answer = self.reply(&it.path, &it.question);
            self.answer(it.id, answer);
        }
    }

    fn reply(&self, path: &Utf8Path, question: &Question) -> Value {
        let marked = self.checked.as_ref().and_then(|checked| checked.files.get(path));
        let buffer = self.buffers.get(path);
        let answer = match question {
            Question::Hover(position) => {
                let markdown = self.client.markdown;
                let finding = marked.and_then(|marked| hover::of_findings(marked, *position, markdown));
                let name = || {
                    let is_config = path.file_name() == Some("ctxlint.toml");
                    hover::of_name(&buffer?.text, is_config, *position, self.client.encoding, markdown)
                };
                serde_json::to_value(name().or(finding))
            }
            Question::Actions(wish) => {
                let version = buffer.map(|buffer| buffer.version);
                let actions = marked.map(|marked| actions::actions(marked, version, wish, &self.client));
                serde_json::to_value(actions.unwrap_or_default())
            }
        };
        answer.unwrap_or_default()
    }

    /// What was asked about a text that is no more is not worth an answer.
    fn forget_questions(&mut self, path: &Utf8Path) {
        let (gone, waiting): (Vec<Waiting>, Vec<Waiting>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|it| it.path == path);
        self.waiting = waiting;
        for it in gone {
            self.refuse(it.id, ErrorCode::ContentModified, "the text changed");
        }
    }

    fn cancelled(&mut self, id: &RequestId) {
        if let Some(at) = self.waiting.iter().position(|it| it.id == *id) {
            let it = self.waiting.remove(at);
            self.refuse(it.id, ErrorCode::RequestCanceled, "cancelled");
        }
    }

    /// Sees to a notification; one that cannot be understood is told of in the log.
    fn with<P: DeserializeOwned>(&mut self, method: &str, params: Value, job: impl FnOnce(&mut Session, P)) {
        match serde_json::from_value(params) {
            Ok(params) => job(self, params),
            Err(error) => {
                let params = LogMessageParams { kind: MessageType::Error, message: format!("{method}: {error}") };
                self.notify("window/logMessage", &params);
            }
        }
    }

    fn notify(&mut self, method: &str, params: &impl Serialize) {
        let params = serde_json::to_value(params).unwrap_or_default();
        self.outbox.push(Message::Notification(Notification { method: method.to_owned(), params }));
    }

    fn answer(&mut self, id: RequestId, result: Value) {
        self.outbox.push(Message::Response(Response::new_ok(id, result)));
    }

    fn refuse(&mut self, id: RequestId, code: ErrorCode, why: &str) {
        self.outbox.push(Message::Response(Response::new_err(id, code as i32, why.to_owned())));
    }
}

fn is_source(path: &Utf8Path) -> bool {
    path.extension() == Some("rs")
}

/// Something about a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    text_document: TextDocumentIdentifier,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HoverParams {
    text_document: TextDocumentIdentifier,
    position: Position,
}

/// Without what the editor repeats of diagnostics, which may be anybody's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionParams {
    text_document: TextDocumentIdentifier,
    range: Range,
    #[serde(default)]
    context: ActionContext,
}

#[derive(Default, Deserialize)]
struct ActionContext {
    only: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Cancel {
    id: RequestId,
}
