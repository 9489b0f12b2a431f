/*
 * The API reference, generated as by `npm run docs`, in another folder.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npm, root, writeFiles } from "./tarball.ts";

const run = promisify(execFile);
const folder = join(root, "docs", "api");

let out: string;
/** TypeDoc's warnings about the project and about a sample. */
let warnings: readonly string[];
beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), "wgrad-reference-"));
  npm(folder, "ci", "--prefer-offline", "--no-audit", "--no-fund");
  writeSample();
  const sample = typedoc("--emit", "none", "--options", join(out, "sample", "typedoc.json"));
  warnings = await Promise.all([typedoc("--out", join(out, "reference")), sample]);
});
afterAll(() => rmSync(out, { recursive: true }));

/** A project with one name that has a docstring, and one that has none. */
function writeSample(): void {
  writeFiles(out, {
    "sample/names.ts": "/** With one. */\nexport const documented = 1;\nexport const undocumented = 2;\n",
    "sample/tsconfig.json": JSON.stringify({ compilerOptions: { types: [] }, include: ["names.ts"] }),
    "sample/typedoc.json": JSON.stringify({
      extends: [join(folder, "typedoc.json")],
      entryPoints: ["names.ts"],
      tsconfig: "tsconfig.json",
      readme: "none",
      projectDocuments: [],
      intentionallyNotDocumented: [],
      intentionallyNotExported: [],
    }),
  });
}

/** @returns TypeDoc's warnings */
async function typedoc(...options: string[]): Promise<string> {
  const program = join(folder, "node_modules", "typedoc", "bin", "typedoc");
  try {
    await run(process.execPath, [program, ...options], { cwd: folder });
    return "";
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

test("every exported name has a docstring and a topic, and every page is in the reference", () => {
  expect(warnings[0]).toBe("");
  const reference = join(out, "reference");
  for (const page of ["modules/wgrad.html", "modules/wgrad_node.html", "functions/wgrad.createTrainer.html"]) {
    expect(existsSync(join(reference, page)), page).toBe(true);
  }
  expect(readFileSync(join(reference, "functions/wgrad.createTrainer.html"), "utf8")).toMatch(
    /compiles the step\. A data set/,
  );

  const landing = readFileSync(join(reference, "index.html"), "utf8");
  const topics = [
    "Graph",
    "Ops and gradients",
    "Layers and models",
    "Optimizers and schedules",
    "Training",
    "Data",
    "Text",
    "Files",
    "Backends",
  ];
  const exported = readFileSync(join(reference, "modules/wgrad.html"), "utf8");
  for (const topic of topics) {
    expect(landing, topic).toContain(`<td>${topic}</td>`);
    expect(exported, topic).toContain(`>${topic}<`);
  }
  for (const page of pagesIn("docs", "docs/guide")) {
    const [, title] = /^# (.*)$/m.exec(readFileSync(join(root, page), "utf8"))!;
    expect(landing, page).toContain(`documents/${title!.replaceAll(" ", "_")}.html`);
  }
});

/** The pages in folders, without index pages. */
function pagesIn(...folders: string[]): string[] {
  return folders.flatMap((path) => {
    const names = readdirSync(join(root, path)).filter((name) => name.endsWith(".md") && name !== "README.md");
    return names.map((name) => `${path}/${name}`);
  });
}

test("a name without a docstring is reported", () => {
  const found = warnings[1];
  expect(found).toMatch(/undocumented.* does not have any documentation/);
  expect(found).not.toMatch(/\bdocumented .* does not have/);
});
