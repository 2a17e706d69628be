//! A real client: Neovim without a screen, driven by a script.

use std::process::Command;

use serde_json::Value;

use super::LOST;
use crate::project::{Project, program};

/// Opens the file, waits for what is found, types, and says what it saw.
const SCRIPT: &str = r#"
local uv = vim.loop
local seen = {}
local buffer = vim.api.nvim_get_current_buf()

local function finish(why)
  seen.error = why
  local out = io.open(vim.env.SEEN, "w")
  out:write(vim.fn.json_encode(seen))
  out:close()
  vim.cmd(why and "cquit!" or "qall!")
end

local function diagnostics()
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, { line = it.lnum, column = it.col, code = it.code, source = it.source })
  end
  return found
end

local function wait(what, is_so)
  if not vim.wait(60000, is_so, 20) then
    finish("timed out: " .. what .. ": " .. vim.inspect(diagnostics()))
    error(what)
  end
end

local ok, why = pcall(function()
  local client = vim.lsp.start_client({
    name = "ctxlint",
    cmd = { vim.env.SERVER, "lsp" },
    root_dir = vim.env.ROOT,
    workspace_folders = { { uri = vim.uri_from_fname(vim.env.ROOT), name = "root" } },
  })
  vim.lsp.buf_attach_client(buffer, client)
  wait("found", function() return #diagnostics() == 1 end)
  seen.found = diagnostics()

  vim.api.nvim_buf_set_lines(buffer, 0, 0, false, { "// é𝄞" })
  wait("moved", function()
    local now = diagnostics()
    return #now == 1 and now[1].line == seen.found[1].line + 1
  end)
  seen.moved = diagnostics()

  vim.api.nvim_buf_set_lines(buffer, 0, 0, false, { "fn broken( {" })
  wait("broken", function() return #diagnostics() == 2 end)
  vim.api.nvim_buf_set_lines(buffer, 0, 1, false, {})
  wait("mended", function() return #diagnostics() == 1 end)

  local position = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
  position.position = { line = seen.moved[1].line, character = seen.moved[1].column }
  local hover = vim.lsp.buf_request_sync(buffer, "textDocument/hover", position, 60000)
  seen.hover = hover[client].result.contents.value

  local asked = { textDocument = position.textDocument, context = { diagnostics = {}, only = { "quickfix" } } }
  asked.range = { start = position.position, ["end"] = position.position }
  local actions = vim.lsp.buf_request_sync(buffer, "textDocument/codeAction", asked, 60000)[client].result
  seen.action = actions[1].title
  vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16")
  wait("fixed", function() return #diagnostics() == 0 end)
  seen.text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")

  vim.lsp.stop_client(client)
  wait("stopped", function() return vim.lsp.get_client_by_id(client) == nil end)
end)
finish(not ok and tostring(why) or nil)
"#;

#[test]
fn neovim_shows_fixes_and_explains() {
    if Command::new("nvim").arg("--version").output().is_err() {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: there is no nvim here; Debian's package is neovim\n",
        );
        return;
    }
    let project = Project::with_contexts(LOST);
    project.write("session.lua", SCRIPT);
    let server = program("ctxlint").get_program().to_owned();
    let output = Command::new("nvim")
        .args(["--headless", "--clean", "-n", "src/lib.rs", "-c", "luafile session.lua"])
        .current_dir(project.root())
        .env("SERVER", server)
        .env("ROOT", project.root())
        .env("SEEN", project.path("seen.json"))
        .env("XDG_STATE_HOME", project.path("state"))
        .output()
        .expect("nvim runs");
    let seen: Value = serde_json::from_str(&project.read("seen.json")).expect("what nvim saw");
    assert!(output.status.success() && seen.get("error").is_none(), "{seen}\n{output:?}");
    let found = serde_json::json!([{ "line": 5, "column": 14, "code": "lost_cancel", "source": "ctxlint" }]);
    assert_eq!(seen["found"], found);
    assert!(seen["hover"].as_str().expect("a page").contains("lost_cancel"), "{seen}");
    assert_eq!(seen["action"], "keep a guard that cancels at the end of the scope");
    let text = seen["text"].as_str().expect("a text");
    assert!(text.starts_with("// é𝄞\n") && text.contains("let _guard = cancel.guard();"), "{text}");
}
