// Deletes the declaration files that no entry of the package reaches; tsc writes one for every source file.
// `node scripts/prune-types.mjs [folder of the package]`

import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
const { exports: entries } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** @type {Set<string>} */
const reached = new Set();
for (const { types } of Object.values(entries)) if (types) reach(join(root, types));
prune(join(root, "dist", "types"));

/** Marks a declaration file and everything that it imports from the package. */
function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, path] of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]+)"/g)) {
    const imported = join(dirname(file), path.replace(/\.tsx?$/, ".d.ts"));
    if (existsSync(imported)) reach(imported);
    else throw new Error(`${file} imports ${path}, which does not exist`);
  }
}

/** Deletes files that were not reached, and folders that are then empty. */
function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) prune(path);
    else if (!reached.has(path)) rmSync(path);
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
