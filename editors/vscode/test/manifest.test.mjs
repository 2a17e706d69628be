// What the code reads is declared, what is declared is read, and the version is that of the server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const manifest = JSON.parse(read("../package.json"));
const code = read("../src/extension.ts");

test("settings are those of the manifest", () => {
  const properties = manifest.contributes.configuration.properties;
  const used = [...code.matchAll(/settings\.get<[^>]+>\("([^"]+)"/g)].map((match) => `ctxlint.${match[1]}`);
  // The last one is read by the client's library.
  assert.deepEqual([...used, "ctxlint.trace.server"].sort(), Object.keys(properties).sort());
});

test("commands are those of the manifest", () => {
  const registered = [...code.matchAll(/registerCommand\("([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual(registered.sort(), manifest.contributes.commands.map((it) => it.command).sort());
});

test("the version is that of the server", () => {
  const version = /\[workspace\.package\]\nversion = "([^"]+)"/.exec(read("../../../Cargo.toml"));
  assert.equal(manifest.version, version?.[1]);
});

test("the lock file is of this manifest and names no registry", () => {
  const lock = JSON.parse(read("../package-lock.json"));
  assert.deepEqual(lock.packages[""].devDependencies, manifest.devDependencies);
  const packages = Object.values(lock.packages);
  assert.ok(packages.length > 5);
  assert.deepEqual(packages.filter((it) => it.resolved !== undefined), []);
});
