//! What the editor says of itself. Read leniently: a wish that cannot be understood is none.

use camino::Utf8PathBuf;
use gen_lsp_types::Uri;
use serde_json::Value;

use super::position::Encoding;
use crate::discover::absolute;

/// What the other side can do.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) encoding: Encoding,
    /// It tells of files that change on disk, if it is asked to.
    pub(super) watches_files: bool,
    /// It takes edits together with the version of the text that they are for.
    pub(super) versioned_edits: bool,
    /// It shows further places of a finding.
    pub(super) related_places: bool,
    /// It shows Markdown.
    pub(super) markdown: bool,
    /// What is open at the start.
    pub(super) folders: Vec<Utf8PathBuf>,
}

impl Client {
    /// Reads the parameters of `initialize`.
    pub(super) fn new(params: &Value) -> Client {
        let capabilities = params.get("capabilities").unwrap_or(&Value::Null);
        let can = |path: &str| capabilities.pointer(path).and_then(Value::as_bool) == Some(true);
        let formats = capabilities.pointer("/textDocument/hover/contentFormat").and_then(Value::as_array);
        Client {
            encoding: Encoding::negotiate(capabilities),
            watches_files: can("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            versioned_edits: can("/workspace/workspaceEdit/documentChanges"),
            related_places: can("/textDocument/publishDiagnostics/relatedInformation"),
            markdown: formats.is_some_and(|formats| formats.iter().any(|format| format == "markdown")),
            folders: folders(params),
        }
    }
}

/// The folders, from the newest way to tell them to the oldest.
fn folders(params: &Value) -> Vec<Utf8PathBuf> {
    if let Some(folders) = params.get("workspaceFolders").and_then(Value::as_array) {
        return folders.iter().filter_map(|folder| folder_path(folder.get("uri")?)).collect();
    }
    let root = params.get("rootUri").and_then(folder_path);
    let plain = || params.get("rootPath").and_then(Value::as_str).map(Utf8PathBuf::from);
    root.or_else(plain).into_iter().collect()
}

fn folder_path(uri: &Value) -> Option<Utf8PathBuf> {
    path(&uri.as_str()?.parse().ok()?)
}

/// The path of a file or folder; none for what is not on disk, such as a text without a name.
pub(super) fn path(uri: &Uri) -> Option<Utf8PathBuf> {
    if uri.scheme() != "file" {
        return None;
    }
    let path = Utf8PathBuf::from_path_buf(uri.to_file_path().ok()?).ok()?;
    // Without a slash at the end.
    Some(absolute("/".into(), &path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn folders_are_told_in_several_ways() {
        let folders = |params: Value| folders(&params);
        let uri = "file:///a%20b/";
        assert_eq!(folders(json!({ "workspaceFolders": [{ "uri": uri, "name": "x" }, { "uri": 7 }] })), ["/a b"]);
        assert_eq!(folders(json!({ "workspaceFolders": null, "rootUri": uri })), ["/a b"]);
        assert_eq!(folders(json!({ "rootUri": null, "rootPath": "/c" })), ["/c"]);
        assert!(folders(json!({ "workspaceFolders": [], "rootUri": uri })).is_empty());
        assert!(folders(json!({ "rootUri": "untitled:x" })).is_empty());
        assert!(folders(json!(null)).is_empty());
    }

    #[test]
    fn wishes_that_cannot_be_understood_are_none() {
        let client = Client::new(&json!({ "capabilities": { "workspace": 7, "textDocument": { "hover": [] } } }));
        assert!(!client.watches_files && !client.versioned_edits && !client.related_places && !client.markdown);
    }
}
