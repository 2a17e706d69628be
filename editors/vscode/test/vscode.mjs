// As much of VS Code's API as the client of the extension asks for: documents, settings, diagnostics, providers.
// What is not here stands in as something that can be called, made and inherited from, and does nothing.

import { pathToFileURL, fileURLToPath } from "node:url";

class Disposable {
  constructor(dispose = () => {}) {
    this.dispose = dispose;
  }
  static from(...all) {
    return new Disposable(() => all.forEach((it) => it.dispose()));
  }
}

class EventEmitter {
  #listeners = new Set();
  event = (listener, self, disposables) => {
    const bound = self ? listener.bind(self) : listener;
    this.#listeners.add(bound);
    const disposable = new Disposable(() => this.#listeners.delete(bound));
    disposables?.push(disposable);
    return disposable;
  };
  fire(event) {
    return [...this.#listeners].map((listener) => listener(event));
  }
  dispose() {
    this.#listeners.clear();
  }
}

class CancellationTokenSource {
  #emitter = new EventEmitter();
  token = { isCancellationRequested: false, onCancellationRequested: this.#emitter.event };
  cancel() {
    this.token.isCancellationRequested = true;
    this.#emitter.fire();
  }
  dispose() {}
}

class Uri {
  constructor(text) {
    this.text = text;
    const url = new URL(text);
    [this.scheme, this.authority, this.path] = [url.protocol.slice(0, -1), url.host, decodeURIComponent(url.pathname)];
    [this.query, this.fragment] = [url.search.slice(1), url.hash.slice(1)];
  }
  static parse = (text) => new Uri(text);
  static file = (path) => new Uri(pathToFileURL(path).href);
  get fsPath() {
    return fileURLToPath(this.text);
  }
  toString() {
    return this.text;
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(...given) {
    const [start, end] = given.length === 4 ? [new Position(given[0], given[1]), new Position(given[2], given[3])] : given;
    Object.assign(this, { start, end });
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class CodeActionKind {
  constructor(value) {
    this.value = value;
  }
  append(part) {
    return new CodeActionKind(this.value ? `${this.value}.${part}` : part);
  }
}
for (const [name, value] of Object.entries({
  Empty: "",
  QuickFix: "quickfix",
  Refactor: "refactor",
  RefactorExtract: "refactor.extract",
  RefactorInline: "refactor.inline",
  RefactorRewrite: "refactor.rewrite",
  Source: "source",
  SourceOrganizeImports: "source.organizeImports",
  SourceFixAll: "source.fixAll",
})) {
  CodeActionKind[name] = new CodeActionKind(value);
}

class CodeAction {
  constructor(title, kind) {
    Object.assign(this, { title, kind });
  }
}

class WorkspaceEdit {
  edits = [];
  set(uri, edits) {
    this.edits.push({ uri, edits });
  }
}

class Document {
  languageId = "rust";
  version = 1;
  isDirty = false;
  isClosed = false;
  constructor(uri, text) {
    Object.assign(this, { uri, text, fileName: uri.fsPath });
  }
  getText() {
    return this.text;
  }
}

/** An editor with a folder open. `settings` are those of the extension, by their full names. */
export function editor(folder, settings) {
  const emitters = {};
  const on = (name) => (emitters[name] ??= new EventEmitter()).event;
  const state = { settings, errors: [], chosen: undefined, commands: new Map(), ran: [], log: [], providers: {}, found: new Map() };
  const documents = [];

  const collection = () => ({
    set: (uri, diagnostics) => state.found.set(uri.toString(), diagnostics ?? []),
    delete: (uri) => state.found.delete(uri.toString()),
    get: (uri) => state.found.get(uri.toString()),
    has: (uri) => state.found.has(uri.toString()),
    clear: () => state.found.clear(),
    forEach: () => {},
    dispose: () => state.found.clear(),
  });
  const channel = (name) => {
    const write = (...words) => state.log.push(words.join(" "));
    return {
      name, logLevel: 3, onDidChangeLogLevel: on("logLevel"), show: () => {}, dispose: () => {}, clear: () => {},
      append: write, appendLine: write, trace: write, debug: write, info: write, warn: write, error: write,
    };
  };
  const provider = (name) => (_, provider) => {
    (state.providers[name] ??= new Set()).add(provider);
    return new Disposable(() => state.providers[name].delete(provider));
  };
  const configuration = (section) => ({
    get: (name, fallback) => state.settings[`${section}.${name}`] ?? fallback,
    has: (name) => `${section}.${name}` in state.settings,
    inspect: () => undefined,
  });

  const given = {
    version: "1.91.0",
    Disposable, EventEmitter, CancellationTokenSource, Uri, Position, Range, Diagnostic, CodeActionKind, CodeAction, WorkspaceEdit,
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    LogLevel: { Off: 0, Trace: 1, Debug: 2, Info: 3, Warning: 4, Error: 5 },
    env: { appName: "a test", language: "en" },
    commands: {
      registerCommand: (name, job) => {
        state.commands.set(name, job);
        return new Disposable(() => state.commands.delete(name));
      },
      executeCommand: async (name, ...rest) => {
        state.ran.push([name, ...rest]);
        return state.commands.get(name)?.(...rest);
      },
    },
    window: {
      createOutputChannel: channel,
      showErrorMessage: async (text) => {
        state.errors.push(text);
        return state.chosen;
      },
      visibleTextEditors: [],
      tabGroups: { all: [], onDidChangeTabs: on("tabs") },
      onDidChangeActiveTextEditor: on("active"),
      onDidChangeVisibleTextEditors: on("visible"),
    },
    workspace: {
      textDocuments: documents,
      notebookDocuments: [],
      workspaceFolders: [{ uri: Uri.file(folder), name: "folder", index: 0 }],
      getConfiguration: (section) => configuration(section),
      createFileSystemWatcher: () => ({
        onDidCreate: on("created"), onDidChange: on("changed"), onDidDelete: on("deleted"), dispose: () => {},
      }),
      ...Object.fromEntries(
        ["ChangeConfiguration", "OpenTextDocument", "ChangeTextDocument", "CloseTextDocument", "SaveTextDocument",
          "ChangeWorkspaceFolders", "OpenNotebookDocument", "ChangeNotebookDocument", "CloseNotebookDocument",
          "SaveNotebookDocument"].map((name) => [`onDid${name}`, on(name)]),
      ),
      onWillSaveTextDocument: on("willSave"),
    },
    languages: {
      createDiagnosticCollection: collection,
      match: (selector, document) => {
        const fits = (it) => (it.scheme ?? document.uri.scheme) === document.uri.scheme && (it.language ?? "rust") === document.languageId && !it.pattern;
        return [selector].flat().some(fits) ? 10 : 0;
      },
      registerHoverProvider: provider("hover"),
      registerCodeActionsProvider: provider("actions"),
    },
  };

  return {
    vscode: standingIn(given),
    state,
    open: (path, text) => {
      const document = new Document(Uri.file(path), text);
      documents.push(document);
      emitters.OpenTextDocument?.fire(document);
      return document;
    },
    edit: (document, text) => {
      [document.text, document.version, document.isDirty] = [text, document.version + 1, true];
      const far = new Range(0, 0, 2 ** 31 - 1, 0);
      const contentChanges = [{ range: far, rangeOffset: 0, rangeLength: 0, text }];
      emitters.ChangeTextDocument.fire({ document, contentChanges, reason: undefined });
    },
    set: (name, value) => {
      state.settings[name] = value;
      emitters.ChangeConfiguration.fire({ affectsConfiguration: (section) => name === section || name.startsWith(`${section}.`) });
    },
  };
}

/** What is not given is a class that does nothing, and whatever is asked of that one is another. */
function standingIn(given) {
  return new Proxy(given, {
    get: (target, name) => {
      if (name in target) {
        const value = target[name];
        return value?.constructor === Object ? standingIn(value) : value;
      }
      return typeof name === "string" && name !== "then" ? (target[name] = class extends Disposable {}) : undefined;
    },
  });
}
