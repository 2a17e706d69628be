//! `ctxlint lsp`, as an editor talks to it.

mod client;
mod neovim;
mod protocol;

use std::path::Path;

use serde_json::{Value, json};

use crate::project::{Project, manifest_with_contexts};
use crate::shop;
use client::{Client, able, uri};

const LOST: &str = "use std::time::Duration;

use context::Context;

pub async fn first_page(ctx: &Context) {
    let (ctx, _) = ctx.with_timeout(Duration::from_secs(5));
    ctx.done().await;
}
";

fn lost(line: u64, column: u64) -> Vec<(u64, u64, String)> {
    vec![(line, column, "lost_cancel".to_owned())]
}

fn message(diagnostic: &Value) -> &str {
    diagnostic["message"].as_str().expect("a message")
}

#[test]
fn saved_files_show_what_the_command_finds() {
    let folder = shop::shop();
    let mut client = Client::new(&[Path::new(&folder)]);
    client.settle();
    let mut shown = std::collections::BTreeSet::new();
    for (uri, published) in &client.published {
        let path = uri.strip_prefix(&format!("file://{folder}/")).expect("a path in it");
        for diagnostic in published["diagnostics"].as_array().expect("a list") {
            let (line, _, rule) = client::place(diagnostic);
            shown.insert((path.to_owned(), line as usize + 1, rule));
        }
    }
    assert_eq!(shown, shop::found());
    client.end();
}

#[test]
fn unsaved_texts_count() {
    let project = Project::with_contexts("");
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, "");
    assert_eq!(client.shown(&lib), []);
    client.edit(&lib, LOST);
    assert_eq!(client.shown(&lib), lost(5, 14));
    assert_eq!(client.checked_version(&lib), 2);

    let diagnostic = client.diagnostics(&lib)[0].clone();
    assert_eq!(diagnostic["severity"], 1);
    assert_eq!(diagnostic["source"], "ctxlint");
    assert!(diagnostic["codeDescription"]["href"].as_str().expect("a link").ends_with("/lints/docs/lost_cancel.md"));
    assert!(message(&diagnostic).starts_with("the cancel handle is never used"), "{diagnostic}");
    assert!(message(&diagnostic).contains("\nnote: dropping a cancel handle does not cancel"), "{diagnostic}");
    let related = &diagnostic["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], lib);
    assert_eq!(related["location"]["range"]["start"], json!({ "line": 5, "character": 23 }));
    assert_eq!(related["message"], "the context and its handle are made here");

    let part = json!({
        "textDocument": { "uri": lib, "version": 9 },
        "contentChanges": [
            { "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } }, "text": "\n" },
            { "range": { "start": { "line": 6, "character": 14 }, "end": { "line": 6, "character": 15 } }, "text": "_h" },
        ],
    });
    client.notify("textDocument/didChange", &part);
    assert_eq!(client.shown(&lib), lost(6, 14), "a part of the text");
    assert_eq!(client.checked_version(&lib), 9);

    client.about("textDocument/didClose", &lib);
    assert_eq!(client.shown(&lib), [], "what is on disk counts again");
    assert_eq!(project.read("src/lib.rs"), "");
    client.end();
}

#[test]
fn what_is_edited_counts_for_other_files() {
    let caller = "use context::Context;\n\npub async fn outer(ctx: &Context) {\n    let (ctx, handle) = crate::make(ctx);\n    \
                  ctx.done().await;\n    let _ = &handle;\n}\n";
    let makes = "mod caller;\n\npub fn make(ctx: &context::Context) -> (context::Context, context::CancelHandle) {\n    \
                 ctx.with_cancel()\n}\n";
    let project = Project::with_contexts("mod caller;\n\npub fn make(ctx: &u8) -> (u8, u8) {\n    (*ctx, *ctx)\n}\n");
    project.write("src/caller.rs", caller);
    let mut client = Client::new(&[project.root()]);
    let (lib, other) = (uri(&project.path("src/lib.rs")), uri(&project.path("src/caller.rs")));
    assert_eq!(client.shown(&other), []);
    client.open(&lib, "");
    client.edit(&lib, makes);
    assert_eq!(client.shown(&other), lost(3, 14));
    client.about("textDocument/didClose", &lib);
    assert_eq!(client.shown(&other), []);
    client.end();
}

#[test]
fn a_file_that_does_not_parse_keeps_what_was_found() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, LOST);
    assert_eq!(client.shown(&lib), lost(5, 14));

    client.edit(&lib, &format!("// é\nfn broken( {{\n{LOST}"));
    let shown = client.shown(&lib);
    assert_eq!(shown[..1], lost(7, 14), "it moves with the text");
    assert_eq!((shown.len(), shown[1].2.as_str()), (2, "syntax_error"));
    let problem = client.diagnostics(&lib)[1].clone();
    assert_eq!(problem["severity"], 3, "softly, while it is written");
    assert!(message(&problem).contains("from before"), "{problem}");
    let actions = client.actions(&lib, 7, 14, &json!({ "diagnostics": [] }));
    assert!(actions.is_empty(), "an edit would be of another text: {actions:?}");

    client.about("textDocument/didSave", &lib);
    client.settle();
    assert_eq!(client.diagnostics(&lib)[1]["severity"], 1, "as the command has it");

    client.edit(&lib, &LOST.replace("    let (ctx, _)", "    let ("));
    let rules: Vec<String> = client.shown(&lib).into_iter().map(|(.., rule)| rule).collect();
    assert_eq!(rules, ["syntax_error"], "what is gone is shown no more");

    client.edit(&lib, &format!("\n\n{LOST}"));
    assert_eq!(client.shown(&lib), lost(7, 14));
    client.end();
}

#[test]
fn a_file_that_never_parsed_is_told_as_the_command_tells_it() {
    let text = "use context::Context;\nfn broken( {\n";
    let project = Project::with_contexts(text);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, text);
    let rules: Vec<String> = client.shown(&lib).into_iter().map(|(.., rule)| rule).collect();
    assert_eq!(rules, ["syntax_error"]);
    assert!(message(&client.diagnostics(&lib)[0]).contains("nothing in it is checked"));
    client.edit(&lib, LOST);
    assert_eq!(client.shown(&lib), lost(5, 14));
    client.end();
}

#[test]
fn quick_fixes_are_offered_and_help() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, LOST);
    let everything = json!({ "diagnostics": [] });
    let actions = client.actions(&lib, 5, 14, &everything);
    let kinds: Vec<&str> = actions.iter().map(|action| action["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["quickfix", "quickfix", "source.fixAll.ctxlint"]);
    assert_eq!(actions[0]["title"], "keep a guard that cancels at the end of the scope");
    assert_eq!(actions[0]["isPreferred"], true);
    assert_eq!(actions[0]["diagnostics"][0]["code"], "lost_cancel");
    assert_eq!(actions[2]["title"], "Fix 1 finding of ctxlint in this file");
    assert!(client.actions(&lib, 1, 0, &json!({ "only": ["quickfix"] })).is_empty(), "there is nothing there");
    assert_eq!(client.actions(&lib, 1, 0, &json!({ "only": ["source.fixAll"] })).len(), 1);

    let fixed = client.apply(&lib, &actions[0]);
    assert!(fixed.contains("let _guard = cancel.guard();"), "{fixed}");
    assert_eq!(client.shown(&lib), []);
    client.edit(&lib, LOST);
    assert_eq!(client.shown(&lib), lost(5, 14));
    let all = client.actions(&lib, 0, 0, &json!({ "only": ["source.fixAll.ctxlint"] }));
    assert_eq!(client.apply(&lib, &all[0]), fixed);
    assert_eq!(client.shown(&lib), []);
    client.end();
}

#[test]
fn a_finding_can_be_suppressed_with_a_reason() {
    let text = format!("// 𝄞\r\n{}", LOST.replace('\n', "\r\n"));
    let project = Project::with_contexts(&text);
    let mut client = Client::with(json!({}), &[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, &text);
    let actions = client.actions(&lib, 6, 14, &json!({ "only": ["quickfix"] }));
    let suppress = actions.iter().find(|it| it["title"] == "Suppress `lost_cancel` here, with a reason");
    let suppress = suppress.unwrap_or_else(|| panic!("{actions:?}"));
    assert!(suppress.get("isPreferred").is_none());
    let new = client.apply(&lib, suppress);
    assert!(new.contains("\r\n    // ctxlint: allow(lost_cancel, reason = \"TODO: say why\")\r\n"), "{new}");
    assert_eq!(new.matches('\n').count(), new.matches("\r\n").count());
    assert_eq!(client.shown(&lib), []);
    client.end();
}

#[test]
fn what_nothing_may_lower_cannot_be_suppressed() {
    let project = Project::with_contexts(LOST);
    project.write("ctxlint.toml", "[rules]\nlost_cancel = \"forbid\"\n");
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, LOST);
    let actions = client.actions(&lib, 5, 14, &json!({ "only": ["quickfix"] }));
    let titles: Vec<&str> = actions.iter().map(|action| action["title"].as_str().expect("a title")).collect();
    assert_eq!(titles, ["keep a guard that cancels at the end of the scope"]);
    client.end();
}

#[test]
fn the_page_of_a_rule_is_shown() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    client.open(&lib, &LOST.replace("pub async", "// ctxlint: allow(busy_wait)\npub async"));
    let mut hover = |line: u64, character: u64| {
        let params = json!({ "textDocument": { "uri": lib }, "position": { "line": line, "character": character } });
        client.request("textDocument/hover", &params)["result"].clone()
    };
    let page = hover(6, 14);
    assert_eq!(page["contents"]["kind"], "markdown");
    let text = page["contents"]["value"].as_str().expect("a text");
    assert!(text.starts_with("[`ctxlint::lost_cancel`](https://") && text.contains("**Use instead**"), "{text}");
    assert_eq!(page["range"]["start"], json!({ "line": 6, "character": 14 }));
    let name = hover(4, 22);
    assert!(name["contents"]["value"].as_str().expect("a text").contains("ctxlint::busy_wait"), "{name}");
    assert_eq!(hover(0, 0), Value::Null);
    assert_eq!(hover(999, 999), Value::Null);
    client.end();
}

#[test]
fn the_configuration_is_read_again() {
    let project = Project::with_contexts(LOST);
    let mut client = Client::new(&[project.root()]);
    let (lib, config) = (uri(&project.path("src/lib.rs")), uri(&project.path("ctxlint.toml")));
    assert_eq!(client.shown(&lib), lost(5, 14));
    assert_eq!(client.asked, ["client/registerCapability"]);

    project.write("ctxlint.toml", "[rules]\nlost_cancel = \"warn\"\n");
    client.changed_on_disk(&project.path("ctxlint.toml"));
    client.settle();
    assert_eq!(client.diagnostics(&lib)[0]["severity"], 2);

    project.write("ctxlint.toml", "[rules]\nlost_cancel = \"allow\"\n");
    client.about("textDocument/didSave", &config);
    assert_eq!(client.shown(&lib), []);

    project.write("ctxlint.toml", "[rules]\nlost_cancle = \"warn\"\n");
    client.changed_on_disk(&project.path("ctxlint.toml"));
    assert_eq!(client.shown(&lib), [], "what was in force stays so");
    let error = client.diagnostics(&config)[0].clone();
    assert_eq!(
        error["range"],
        json!({ "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 11 } })
    );
    assert!(message(&error).contains("did you mean `lost_cancel`?"), "{error}");

    std::fs::remove_file(project.path("ctxlint.toml")).expect("it is removed");
    client.changed_on_disk(&project.path("ctxlint.toml"));
    assert_eq!(client.shown(&lib), lost(5, 14));
    assert_eq!(client.shown(&config), []);
    client.end();
}

#[test]
fn files_are_watched_where_the_editor_does_not() {
    let project = Project::with_contexts("");
    let mut client = Client::with(json!({}), &[project.root()]);
    let lib = uri(&project.path("src/lib.rs"));
    assert_eq!(client.shown(&lib), []);
    assert!(client.asked.is_empty());
    // Watching begins beside all else: a change before that would not be seen.
    std::thread::sleep(std::time::Duration::from_millis(500));
    project.write("src/lib.rs", LOST);
    client.until("the change is seen", |client| client.last(&lib) == lost(5, 14));
    project.write("src/other.rs", LOST);
    let other = uri(&project.path("src/other.rs"));
    project.write("src/lib.rs", "mod other;\n");
    client.until("the new file is seen", |client| client.last(&other) == lost(5, 14) && client.last(&lib).is_empty());
    std::fs::remove_file(project.path("src/other.rs")).expect("it is removed");
    client.until("it is gone", |client| client.last(&other).is_empty());
    client.end();
}

#[test]
fn folders_come_and_go() {
    let (one, two) = (Project::with_contexts(LOST), Project::with_contexts(LOST));
    let (first, second) = (uri(&one.path("src/lib.rs")), uri(&two.path("src/lib.rs")));
    let mut client = Client::new(&[one.root()]);
    assert_eq!(client.shown(&first), lost(5, 14));
    assert_eq!(client.last(&second), []);
    let folder = |project: &Project| json!({ "uri": uri(project.root()), "name": "x" });
    let event = json!({ "event": { "added": [folder(&two)], "removed": [folder(&one)] } });
    client.notify("workspace/didChangeWorkspaceFolders", &event);
    assert_eq!(client.shown(&second), lost(5, 14));
    assert_eq!(client.last(&first), []);

    // One workspace though two of its folders are open.
    let members = Project::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"3\"\n"),
        ("a/Cargo.toml", &manifest_with_contexts("a")),
        ("a/src/lib.rs", LOST),
        ("b/Cargo.toml", &manifest_with_contexts("b")),
        ("b/src/lib.rs", LOST),
    ]);
    let mut client = Client::new(&[&members.path("a"), &members.path("b")]);
    for file in ["a/src/lib.rs", "b/src/lib.rs"] {
        assert_eq!(client.shown(&uri(&members.path(file))), lost(5, 14));
    }
    client.end();
}

#[test]
fn files_that_no_folder_is_for() {
    let project = Project::with_contexts(LOST);
    project.write("nested/Cargo.toml", &format!("{}[workspace]\n", manifest_with_contexts("nested")));
    project.write("nested/src/lib.rs", LOST);
    let nested = uri(&project.path("nested/src/lib.rs"));
    let mut client = Client::new(&[project.root()]);
    assert_eq!(client.shown(&nested), [], "a workspace of its own");
    client.open(&nested, LOST);
    assert_eq!(client.shown(&nested), lost(5, 14), "until it is opened");
    client.about("textDocument/didClose", &nested);
    assert_eq!(client.shown(&nested), []);

    let new = uri(&project.path("src/new.rs"));
    client.open(&new, LOST);
    assert_eq!(client.shown(&new), lost(5, 14), "a file that is not on disk yet");
    let elsewhere = Project::with_contexts(LOST);
    let elsewhere = uri(&elsewhere.path("src/lib.rs"));
    client.open(&elsewhere, LOST);
    assert_eq!(client.shown(&elsewhere), [], "beyond what is open");
    client.end();

    let loose = Project::new(&[("a.rs", "")]);
    let mut client = Client::silent(&["--stdio", "-W", "lost_cancel"]);
    client.initialize(&json!({ "processId": null, "rootUri": null, "capabilities": able() }));
    let (a, lib) = (uri(&loose.path("a.rs")), uri(&project.path("src/lib.rs")));
    client.open(&a, LOST);
    client.open(&lib, LOST);
    client.open("untitled:Untitled-1", LOST);
    assert_eq!(client.shown(&a), lost(5, 14));
    assert_eq!(client.shown(&lib), lost(5, 14));
    assert_eq!(client.diagnostics(&a)[0]["severity"], 2, "as the arguments say");
    client.end();
}

#[test]
fn columns_are_in_the_encoding_that_was_agreed_on() {
    let text = LOST.replace("let (ctx, _)", "/* 𝄞é */ let (ctx, _)");
    let project = Project::with_contexts(&text);
    let lib = uri(&project.path("src/lib.rs"));
    for (offered, agreed, column) in [
        (json!(["utf-16", "utf-8"]), "utf-8", 27),
        (json!(["utf-16"]), "utf-16", 24),
        (json!(["utf-32"]), "utf-32", 23),
    ] {
        let mut client = Client::with(json!({ "general": { "positionEncodings": offered } }), &[project.root()]);
        assert_eq!(client.server["capabilities"]["positionEncoding"], agreed);
        client.open(&lib, &text);
        assert_eq!(client.shown(&lib), lost(5, column), "{agreed}");
        client.end();
    }
}
