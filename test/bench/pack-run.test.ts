/*
 * The archive's files, in a folder of their own, run as on another machine.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builtLibrary } from "../builds.ts";

interface Contents {
  contentsOf(from: { project: string; node: string; mnist: string; system: string }): { name: string }[];
  stage(entry: { name: string }, top: string): string;
}

const { contentsOf, stage } = (await import("../../bench/pack/contents.mjs" as string)) as Contents;
const root = fileURLToPath(new URL("../..", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-pack-run-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file in the format IDX: bytes with these sizes. */
function writeIdx(name: string, ...sizes: number[]): void {
  const header = Uint8Array.of(0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255]));
  const count = sizes.reduce((total, size) => total * size, 1);
  const values = Uint8Array.from({ length: count }, (_, at) => (sizes.length === 1 ? at % 10 : (at * 7) % 256));
  writeFileSync(join(folder, "digits", name), Buffer.concat([header, values]));
}

/** The built project and a small MNIST. */
async function prepare(): Promise<string> {
  const project = join(folder, "project");
  for (const name of ["project", "digits"]) mkdirSync(join(folder, name));
  for (const name of ["node_modules", "bench", "scripts", "package.json", "LICENSE"])
    symlinkSync(join(root, name), join(project, name));
  symlinkSync(await builtLibrary(), join(project, "dist"));
  for (const [part, count] of [["train", 1024] as const, ["t10k", 100] as const]) {
    writeIdx(`${part}-images-idx3-ubyte`, count, 28, 28);
    writeIdx(`${part}-labels-idx1-ubyte`, count);
  }
  return project;
}

test("the archive trains on this machine's adapter and summarizes its results", async () => {
  const project = await prepare();
  const archive = join(folder, "wgrad-bench");
  const from = { project, node: process.execPath, mnist: join(folder, "digits"), system: "/" };
  for (const entry of contentsOf(from)) stage(entry, archive);
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env;
  const out = join(folder, "out");
  const options = ["--parts", "mnist,pytorch", "--seeds", "1", "--max-steps", "2"];
  const { status, stdout, stderr } = spawnSync(join(archive, "run.sh"), options, {
    encoding: "utf8",
    cwd: folder,
    env: { ...environment, OUT: out },
  });
  expect(stdout, stderr).toContain("mnist: done");
  // This machine may have PyTorch, but has no CUDA.
  expect(stdout).toMatch(/pytorch: (skipped|done)/);
  expect(stdout).toContain("Tilings: defaults");
  expect(status).toBe(0);
  const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as {
    machine: { adapter: object };
    recipes: { name: string; steps: number; modes: Record<string, { seconds: number }> }[];
  };
  expect(summary.recipes.map(({ name, steps }) => [name, steps])).toEqual([
    ["batch 64", 2],
    ["batch 512", 2],
  ]);
  expect(summary.recipes[0]!.modes["wgrad"]!.seconds).toBeGreaterThan(0);
  expect(summary.machine.adapter).toBeDefined();
});
