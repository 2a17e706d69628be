// Starts `ctxlint lsp` and lets VS Code talk to it. All that is shown comes from the server.

import { commands, window, workspace, type ExtensionContext, type LogOutputChannel } from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";

let client: LanguageClient | undefined;
// Starting and stopping take a while; one begins when the other is done.
let last: Promise<void> = Promise.resolve();

export function activate(context: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel("ctxlint", { log: true });
  context.subscriptions.push(
    output,
    commands.registerCommand("ctxlint.restart", () => restart(output)),
    commands.registerCommand("ctxlint.showOutput", () => output.show()),
    workspace.onDidChangeConfiguration((change) => {
      const matters = ["enable", "path", "config", "arguments"];
      if (matters.some((name) => change.affectsConfiguration(`ctxlint.${name}`))) {
        void restart(output);
      }
    }),
  );
  return restart(output);
}

export async function deactivate(): Promise<void> {
  await last;
  await stop();
}

function restart(output: LogOutputChannel): Promise<void> {
  last = last.then(stop).then(() => start(output));
  return last;
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  try {
    await running?.dispose();
  } catch {
    // It is gone already.
  }
}

async function start(output: LogOutputChannel): Promise<void> {
  const settings = workspace.getConfiguration("ctxlint");
  if (!settings.get<boolean>("enable", true)) {
    return;
  }
  const command = settings.get<string>("path", "ctxlint");
  const config = settings.get<string>("config", "");
  const args = ["lsp", ...(config ? ["--config", config] : []), ...settings.get<string[]>("arguments", [])];
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath;
  const server: ServerOptions = { command, args, ...(folder ? { options: { cwd: folder } } : {}) };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "rust" },
      { scheme: "file", pattern: "**/ctxlint.toml" },
    ],
    outputChannel: output,
  };
  client = new LanguageClient("ctxlint", "ctxlint", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    output.error(`${command}: ${error}`);
    const openSettings = "Open settings";
    const text = `ctxlint cannot be started as "${command}". Is it installed (cargo install ctxlint)?`;
    // Not awaited: whoever asked to start must not wait for a click.
    void window.showErrorMessage(text, openSettings).then((chosen) => {
      if (chosen === openSettings) {
        void commands.executeCommand("workbench.action.openSettings", "ctxlint.path");
      }
    });
  }
}
