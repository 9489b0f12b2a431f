/*
 * Runs the guide's pages: each is one program, which is run with the packed library and must print the output on the page.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { transformWithOxc } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complaintsOfTypes, root, stagePackage, writeFiles, type Staged } from "./tarball.ts";

const run = promisify(execFile);
const folder = join(root, "docs", "guide");

interface Part {
  readonly code: string;
  /** The output of this part, if the page has it. */
  readonly output: string | undefined;
}

function partsOf(page: string): Part[] {
  const text = readFileSync(join(folder, page), "utf8");
  const blocks = Array.from(text.matchAll(/^```(ts|text output)\n(.*?)^```$/gms), ([, kind, body]) => ({
    kind,
    body: body!,
  }));
  return blocks.flatMap(({ kind, body }, index) => {
    if (kind !== "ts") return [];
    const next = blocks[index + 1];
    return [{ code: body, output: next?.kind === "ts" ? undefined : next?.body }];
  });
}

const END_OF_PART = "--- end of part ---";

const pages = Object.fromEntries(
  readdirSync(folder)
    .map((page) => [page, partsOf(page)] as const)
    .filter(([, parts]) => parts.length > 0),
);

let staged: Staged;

beforeAll(async () => {
  // Below the checkout, the package finds Dawn, and it can import itself by its own name.
  staged = await stagePackage(join(root, "node_modules", ".cache"));
  for (const [page, parts] of Object.entries(pages)) {
    const name = page.replace(".md", "");
    writeFiles(staged.folder, { [`${name}.ts`]: parts.map(({ code }) => code).join("\n") });
    const marked = parts.map(({ code }) => `${code}\nconsole.log(${JSON.stringify(END_OF_PART)});\n`).join("");
    const { code } = await transformWithOxc(marked, `${name}.ts`, { target: "es2023" });
    writeFiles(staged.folder, { [`${name}.mjs`]: code });
  }
});
afterAll(() => staged?.remove());

test("the code of the pages passes strict TypeScript", () => {
  const files = Object.keys(pages).map((page) => page.replace(".md", ".ts"));
  expect(files.length).toBeGreaterThan(9);
  expect(complaintsOfTypes(staged.folder, "--module", "nodenext", "--types", "node", ...files)).toBe("");
});

describe.each(Object.entries(pages))("%s", (page, parts) => {
  test("prints the output on the page", async () => {
    const { stdout, stderr } = await run(process.execPath, [page.replace(".md", ".mjs")], { cwd: staged.folder });
    const printed = stdout.split(`${END_OF_PART}\n`).slice(0, -1);
    expect(printed.map((text, index) => (parts[index]!.output === undefined ? undefined : text))).toEqual(
      parts.map(({ output }) => output),
    );
    // A software adapter is left for WebAssembly. No adapter at all would be a fault of the machine.
    expect(stderr).not.toMatch(/No GPU(?!.*is a software adapter)/);
  });
});

test("the plan on the page is the one that `wgrad plan` prints, except the grids", async () => {
  const text = readFileSync(join(folder, "how-a-step-runs.md"), "utf8");
  const [, shown] = /^```text plan\n(.*?)^```$/ms.exec(text)!;
  const { MNIST_DIR: _mnist, ...env } = process.env;
  const command = [join("dist", "cli.js"), "plan", "--device", "webgpu"];
  const { stdout } = await run(process.execPath, command, { cwd: staged.folder, env });
  const plain = (plan: string) =>
    plan
      .replace(/^adapter .*\n/m, "")
      .replaceAll(/\d+×\d+×\d+/g, "")
      .replaceAll(/[ \n]+/g, " ")
      .trim();
  expect(plain(shown!)).toBe(plain(stdout));
});

test("every page is in the index, and every link leads to a file", () => {
  const index = readFileSync(join(folder, "README.md"), "utf8");
  for (const page of Object.keys(pages)) expect(index).toContain(`](${page})`);
  for (const page of readdirSync(folder)) {
    // Python's `layers["tower"](left)` is no link.
    const text = readFileSync(join(folder, page), "utf8").replaceAll(/^```.*?^```$/gms, "");
    for (const [, target] of text.matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)) {
      expect(() => readFileSync(join(folder, target!)), `${page}: ${target}`).not.toThrow();
    }
  }
});
