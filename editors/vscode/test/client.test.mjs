// The extension as it is shipped, with a real server: only the editor around it is a stand-in.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { editor } from "./vscode.mjs";

const server = process.env.CTXLINT ?? fileURLToPath(new URL("../../../target/debug/ctxlint", import.meta.url));
const skip = existsSync(server) ? false : `SKIPPED: there is no server at ${server}; CTXLINT names another`;

const LOST = `use context::Context;

pub fn f(ctx: &Context) -> bool {
    let (ctx, _) = ctx.with_cancel();
    ctx.is_done()
}
`;
const PATIENCE = 60_000;

let folder, file, ide, extension;
const subscriptions = [];

/** Waits until something is so. */
async function until(what, is) {
  const end = Date.now() + PATIENCE;
  while (!is()) {
    assert.ok(Date.now() < end, `${what}; the log:\n${ide.state.log.join("\n")}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const found = (document) => ide.state.found.get(document.uri.toString()) ?? [];
const rules = (document) => found(document).map((it) => it.code?.value ?? it.code);
const shown = (document) => until("the finding is shown", () => rules(document).join() === "lost_cancel");

before(() => {
  folder = mkdtempSync(join(tmpdir(), "ctxlint-vscode-"));
  file = join(folder, "src", "lib.rs");
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "Cargo.toml"), '[package]\nname = "it"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\ncontext = { package = "ctxlint-context", version = "0.1" }\n');
  writeFileSync(file, LOST);
  ide = editor(folder, { "ctxlint.path": server });
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? ide.vscode : load(name, ...rest));
  extension = createRequire(import.meta.url)("../dist/extension.js");
});

after(async () => {
  await extension.deactivate();
  subscriptions.forEach((it) => it.dispose());
  rmSync(folder, { recursive: true });
});

test("findings, pages and fixes of the real server arrive", { skip }, async () => {
  await extension.activate({ subscriptions });
  const document = ide.open(file, LOST);
  await shown(document);
  const [finding] = found(document);
  assert.equal(finding.source, "ctxlint");
  assert.deepEqual([finding.range.start.line, finding.range.start.character], [3, 14]);

  const token = new ide.vscode.CancellationTokenSource().token;
  const [hover] = [...ide.state.providers.hover];
  const page = await hover.provideHover(document, finding.range.start, token);
  assert.match(JSON.stringify(page), /Why is this bad/);
  const [actions] = [...ide.state.providers.actions];
  const offered = await actions.provideCodeActions(document, finding.range, { diagnostics: [finding] }, token);
  assert.ok(offered.some((it) => /keep a guard/.test(it.title)), JSON.stringify(offered.map((it) => it.title)));

  ide.edit(document, LOST.replace("(ctx, _)", "(ctx, cancel)").replace("    ctx.is", "    cancel.cancel();\n    ctx.is"));
  await until("the finding goes as it is mended", () => found(document).length === 0);
  ide.edit(document, LOST);
  await shown(document);
});

test("the server can be restarted", { skip }, async () => {
  const [document] = ide.vscode.workspace.textDocuments;
  const restarting = ide.vscode.commands.executeCommand("ctxlint.restart");
  await until("the old server's findings go", () => found(document).length === 0);
  await restarting;
  await shown(document);
  assert.deepEqual(ide.state.errors, []);
});

test("a program that is not there is told, with a way to the setting", { skip }, async () => {
  const [document] = ide.vscode.workspace.textDocuments;
  ide.state.chosen = "Open settings";
  const nowhere = join(folder, "no such program");
  ide.set("ctxlint.path", nowhere);
  await until("it is told", () => ide.state.errors.some((text) => text.includes(`"${nowhere}"`)));
  assert.match(ide.state.errors.join(), /Is it installed \(cargo install ctxlint\)\?/);
  await until("the setting is shown", () => ide.state.ran.some(([name, what]) => name === "workbench.action.openSettings" && what === "ctxlint.path"));
  assert.deepEqual(found(document), []);
  ide.set("ctxlint.path", server);
  await shown(document);
});

test("settings reach the server, and it can be switched off", { skip }, async () => {
  const [document] = ide.vscode.workspace.textDocuments;
  ide.set("ctxlint.arguments", ["-A", "lost_cancel"]);
  await until("the rule is off", () => found(document).length === 0);
  ide.set("ctxlint.arguments", []);
  await shown(document);
  ide.set("ctxlint.enable", false);
  await until("nothing is shown", () => found(document).length === 0);
});
