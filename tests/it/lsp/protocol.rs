//! The life of the server, and what no well-behaved editor does.

use serde_json::{Value, json};

use super::client::{Client, uri};
use super::{LOST, lost};
use crate::project::Project;

#[test]
fn it_ends_as_the_protocol_wants() {
    let project = Project::with_contexts("");
    Client::new(&[project.root()]).end();

    let mut client = Client::new(&[project.root()]);
    client.notify("exit", &Value::Null);
    assert_eq!(client.wait().code(), Some(1), "not shut down before");

    let mut client = Client::new(&[project.root()]);
    client.hang_up();
    assert_eq!(client.wait().code(), Some(1), "the editor is gone");

    let mut client = Client::new(&[project.root()]);
    client.request("shutdown", &Value::Null);
    let answer = client.request("textDocument/hover", &json!({}));
    assert_eq!(answer["error"]["code"], -32600, "nothing is answered any more");
    client.hang_up();
    assert_eq!(client.wait().code(), Some(0));

    let mut client = Client::silent(&[]);
    client.notify("initialized", &json!({}));
    assert_eq!(client.request("shutdown", &Value::Null)["error"]["code"], -32002, "not initialized");
    client.notify("exit", &Value::Null);
    assert_eq!(client.wait().code(), Some(1));
}

#[test]
fn bad_arguments_fail() {
    let mut client = Client::silent(&["-W", "lost_cancle"]);
    assert_eq!(client.wait().code(), Some(2));
}

#[test]
fn a_message_that_is_none_is_refused_and_the_next_one_answered() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let bad: [&[u8]; 6] = [
        b"Content-Length: 7\r\n\r\n{\"id\":1",
        b"Content-Length: 2\r\n\r\n\xff\xfe",
        b"Content-Length: 4\r\n\r\nnull",
        b"Content-Length: x\r\n",
        b"nonsense\r\n",
        b"\r\n",
    ];
    for bytes in bad {
        client.send_bytes(bytes);
        let refused = loop {
            let message = client.next().expect("an answer");
            if message.get("error").is_some() {
                break message;
            }
        };
        assert_eq!(refused["error"]["code"], -32700, "{refused}");
        assert_eq!(refused["id"], Value::Null);
    }
    assert_eq!(client.shown(&uri(&project.path("src/lib.rs"))), lost(5, 14));
    client.end();
}

#[test]
fn nonsense_does_no_harm() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    assert_eq!(client.request("no/such/thing", &json!([1]))["error"]["code"], -32601);
    assert_eq!(client.request("initialize", &json!({}))["error"]["code"], -32600);
    for params in [json!(null), json!([]), json!({ "textDocument": { "uri": "no uri" } }), json!({ "position": -1 })] {
        assert_eq!(client.request("textDocument/hover", &params)["error"]["code"], -32602, "{params}");
        assert_eq!(client.request("textDocument/codeAction", &params)["error"]["code"], -32602, "{params}");
    }
    let told = [
        ("no/such/thing", json!({})),
        ("$/cancelRequest", json!({ "id": 99 })),
        ("$/cancelRequest", json!({ "id": {} })),
        ("$/setTrace", json!("x")),
        ("initialized", json!(null)),
        ("textDocument/didOpen", json!({ "textDocument": { "uri": lib } })),
        (
            "textDocument/didChange",
            json!({ "textDocument": { "uri": lib, "version": 1 }, "contentChanges": [{ "text": "" }] }),
        ),
        ("textDocument/didClose", json!({ "textDocument": { "uri": lib } })),
        ("textDocument/didSave", json!({ "textDocument": { "uri": "untitled:x" } })),
        ("textDocument/didSave", json!({ "textDocument": { "uri": "file:///no/such/file.rs" } })),
        ("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": "file:///no/ctxlint.toml", "type": 77 }] })),
        (
            "workspace/didChangeWorkspaceFolders",
            json!({ "event": { "added": [{ "uri": "file:///no/such", "name": "" }], "removed": [] } }),
        ),
    ];
    for (method, params) in &told {
        client.notify(method, params);
    }
    client.open(&lib, LOST);
    let far = u32::MAX;
    let out_of_bounds = json!({
        "textDocument": { "uri": lib, "version": -3 },
        "contentChanges": [
            { "range": { "start": { "line": far, "character": far }, "end": { "line": far, "character": 0 } }, "text": "\n" },
            { "range": { "start": { "line": 3, "character": far }, "end": { "line": 0, "character": far } }, "text": "\n\n\n" },
        ],
    });
    client.notify("textDocument/didChange", &out_of_bounds);
    let everywhere = json!({
        "textDocument": { "uri": lib },
        "range": { "start": { "line": far, "character": far }, "end": { "line": 0, "character": 0 } },
        "context": { "diagnostics": [{ "nonsense": true }], "only": ["no.such.kind"] },
    });
    assert_eq!(client.request("textDocument/codeAction", &everywhere)["result"], json!([]));
    client.edit(&lib, LOST);
    assert_eq!(client.shown(&lib), lost(5, 14));
    assert!(client.log.iter().any(|line| line.starts_with("textDocument/didOpen: ")), "{:?}", client.log);
    client.end();
}

#[test]
fn questions_about_texts_that_are_no_more_are_not_answered() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, LOST);
    client.settle();
    let params = json!({ "textDocument": { "uri": lib }, "position": { "line": 5, "character": 14 } });

    let edit = client.edit_message(&lib, &format!("\n{LOST}"));
    let (question, id) = client.question("textDocument/hover", &params);
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": id } });
    client.send_all(&[edit, question, cancel]);
    assert_eq!(client.answer(id)["error"]["code"], -32800, "cancelled");

    let edit = client.edit_message(&lib, &format!("\n\n{LOST}"));
    let (question, id) = client.question("textDocument/hover", &params);
    let again = client.edit_message(&lib, LOST);
    client.send_all(&[edit, question, again]);
    assert_eq!(client.answer(id)["error"]["code"], -32801, "the text changed");
    assert_eq!(client.shown(&lib), lost(5, 14));
    client.end();
}

#[test]
fn a_newer_text_is_checked_instead_of_an_older_one() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, LOST);
    client.settle();
    let before = client.publications;
    let edits: Vec<Value> =
        (0..500).map(|lines| client.edit_message(&lib, &format!("{}{LOST}", "\n".repeat(lines)))).collect();
    client.send_all(&edits);
    assert_eq!(client.shown(&lib), lost(5 + 499, 14));
    assert_eq!(client.checked_version(&lib), client.version(&lib));
    let times = client.publications - before;
    assert!(times < 100, "{times} checks of 500 texts");
    client.end();
}
