//! The life of the server, as the protocol has it: initialised, at work, shut down, gone.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use camino::Utf8PathBuf;
use gen_lsp_types::{
    ChangeNotifications, CodeActionKind, CodeActionOptions, CodeActionProvider, HoverProvider, InitializeResult, Save,
    ServerCapabilities, ServerInfo, TextDocumentSync, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use rayon::ThreadPool;
use serde_json::Value;

use super::actions::FIX_ALL;
use super::client::Client;
use super::session::Session;
use super::transport::{self, Incoming};
use super::worker::Checked;
use crate::config::Config;
use crate::run::Outcome;

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// The editor says something.
    Incoming(Incoming),
    /// A check is done.
    Checked(Checked),
    /// A file changed on disk.
    Disk(Utf8PathBuf),
}

/// What the command line says.
#[derive(Clone)]
pub(super) struct Start {
    /// A configuration instead of the one that would be found.
    pub(super) config: Option<Utf8PathBuf>,
    /// Levels and rules, without layers.
    pub(super) levels: Config,
    /// Where to check.
    pub(super) pool: Arc<ThreadPool>,
}

enum Phase {
    Waiting,
    Working(Box<Session>),
    Shut,
}

/// The server.
pub(super) struct Server {
    start: Start,
    phase: Phase,
    events: Sender<Event>,
    out: Box<dyn Write>,
}

impl Server {
    /// One that waits to be initialised. `events` is for those who have something to tell it.
    pub(super) fn new(start: Start, events: Sender<Event>, out: Box<dyn Write>) -> Server {
        Server { start, phase: Phase::Waiting, events, out }
    }

    /// Answers until the editor says that it is enough, or is gone.
    ///
    /// # Errors
    /// What writing fails with.
    pub(super) fn run(mut self, events: &Receiver<Event>) -> io::Result<Outcome> {
        while let Ok(event) = events.recv() {
            match event {
                Event::Incoming(Incoming::Message(Message::Notification(told))) if told.method == "exit" => break,
                Event::Incoming(Incoming::End) => break,
                Event::Incoming(Incoming::Message(message)) => self.message(message)?,
                Event::Incoming(Incoming::Malformed(why)) => transport::write_parse_error(&mut self.out, &why)?,
                Event::Checked(checked) => self.session(|session| session.checked(checked))?,
                Event::Disk(path) => self.session(|session| session.disk(path))?,
            }
        }
        Ok(if matches!(self.phase, Phase::Shut) { Outcome::Clean } else { Outcome::Deserted })
    }

    fn message(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(told) => self.told(told),
            // We ask only to be told of files, and can do without.
            Message::Response(_) => Ok(()),
        }
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        match (&mut self.phase, request.method.as_str()) {
            (Phase::Waiting, "initialize") => self.initialize(request.id, &request.params),
            (Phase::Waiting, _) => {
                self.refuse(request.id, ErrorCode::ServerNotInitialized, "the server is not initialized")
            }
            (Phase::Working(_), "initialize") => {
                self.refuse(request.id, ErrorCode::InvalidRequest, "the server is initialized already")
            }
            (Phase::Working(_), "shutdown") => {
                self.phase = Phase::Shut;
                self.send(&Message::Response(Response::new_ok(request.id, Value::Null)))
            }
            (Phase::Working(_), _) => self.session(|session| session.asked(request)),
            (Phase::Shut, _) => self.refuse(request.id, ErrorCode::InvalidRequest, "the server is shut down"),
        }
    }

    fn told(&mut self, told: Notification) -> io::Result<()> {
        self.session(|session| session.told(told))
    }

    fn initialize(&mut self, id: RequestId, params: &Value) -> io::Result<()> {
        let client = Client::new(params);
        let result = InitializeResult {
            capabilities: capabilities(&client),
            server_info: Some(ServerInfo {
                name: "ctxlint".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        };
        let session = Session::begin(client, &self.start, &self.events)?;
        self.phase = Phase::Working(Box::new(session));
        let result = serde_json::to_value(result)?;
        self.send(&Message::Response(Response::new_ok(id, result)))
    }

    /// Lets the session see to something, if there is one, and sends what it has to say.
    fn session(&mut self, job: impl FnOnce(&mut Session)) -> io::Result<()> {
        let Phase::Working(session) = &mut self.phase else { return Ok(()) };
        job(session);
        let outbox = std::mem::take(&mut session.outbox);
        outbox.iter().try_for_each(|message| transport::write(&mut self.out, message))
    }

    fn refuse(&mut self, id: RequestId, code: ErrorCode, why: &str) -> io::Result<()> {
        self.send(&Message::Response(Response::new_err(id, code as i32, why.to_owned())))
    }

    fn send(&mut self, message: &Message) -> io::Result<()> {
        transport::write(&mut self.out, message)
    }
}

fn capabilities(client: &Client) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(Save::Bool(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::Custom(FIX_ALL.into())]),
            ..CodeActionOptions::default()
        })),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(ChangeNotifications::Bool(true)),
            }),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}
