import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtPages } from "../builds.ts";
import { commandLine, type Finished } from "../cli/built-cli.ts";

const cli = commandLine();

const wgrad = (...args: string[]): Promise<Finished> => cli.run(args);
const { inFolder } = cli;

const number = expect.any(Number) as number;
const text = expect.any(String) as string;
const spread = { median: number, lowerQuartile: number, upperQuartile: number, samples: number };
const rates = {
  flops: number,
  bytes: number,
  flopsPerSecond: number,
  bytesPerSecond: number,
  shareOfCeiling: number,
  boundBy: expect.stringMatching(/^(arithmetic|memory)$/) as string,
};
const kernel = {
  name: text,
  kernel: text,
  shapes: text,
  dispatches: number,
  clock: expect.stringMatching(/^(timestamps|wall clock)$/) as string,
  seconds: spread,
  ...rates,
};

test("wgrad bench prints a table, writes the documented JSON and compares it with an earlier one", async () => {
  const first = await wgrad("bench", "--quick", "--filter", "64x10", "--json", "old.json");
  expect(first).toMatchObject({ code: 0 });
  for (const line of first.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  expect(first.stdout).toMatch(/^cross-entropy 64x10 .* (arithmetic|memory)$/m);
  const report = JSON.parse(readFileSync(inFolder("old.json"), "utf8")) as { kernels: { name: string }[] };
  expect(report).toEqual({
    format: 1,
    environment: {
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      version: text,
      adapter: { name: text, software: expect.any(Boolean) },
      driver: text,
      runtime: expect.stringMatching(/^Node v\d+.*, Dawn \(webgpu /),
      system: text,
      tuned: expect.any(Boolean),
    },
    scope: { quick: true, growth: false, filter: "64x10" },
    clock: kernel.clock,
    ceilings: { flopsPerSecond: number, bytesPerSecond: number, copiedBytes: number },
    kernels: expect.any(Array),
    steps: [],
    growth: [],
    leftOut: [],
    wrong: [],
  });
  expect(report.kernels.map(({ name }) => name)).toEqual([
    "matmul 64x10x128, right transposed",
    "matmul 128x64x10, left transposed",
    "cross-entropy 64x10",
  ]);
  for (const row of report.kernels) expect(row).toEqual(kernel);
  const second = await wgrad("bench", "--quick", "--filter", "cross-entropy 64", "--compare", "old.json");
  expect(second.code).toBe(0);
  expect(second.stdout).toMatch(/compared with old\.json of \d{4}-\d\d-\d\d, wgrad [\d.]+\n/);
  expect(second.stdout).toMatch(/^\d slower, \d faster, \d within the spread/m);
});

test("the JSON has steps with their kernels, and growth with its axis", async () => {
  const { code } = await wgrad("bench", "--quick", "--growth", "--filter", "batch 64", "--json", "batch.json");
  expect(code).toBe(0);
  const { steps, growth } = JSON.parse(readFileSync(inFolder("batch.json"), "utf8")) as {
    steps: { kernels: object[]; encoding: object | null }[];
    growth: object[];
  };
  const step = {
    name: text,
    network: "784-128-10",
    batch: 64,
    dispatches: number,
    seconds: spread,
    imagesPerSecond: number,
    compileSeconds: number,
    gpuBytes: number,
    ...rates,
  };
  expect(growth).toEqual([{ ...step, axis: "batch", value: 64 }]);
  expect(steps).toEqual([
    { ...step, kernels: expect.any(Array), encoding: steps[0]!.encoding, trainingImagesPerSecond: number },
  ]);
  // Other work on the machine may make the measurement impossible.
  expect([null, { secondsPerStep: number, secondsPerDispatch: number, secondsPerSubmit: number }]).toContainEqual(
    steps[0]!.encoding,
  );
  for (const row of steps[0]!.kernels) expect(row).toEqual(kernel);
});

test("wgrad bench --device wasm measures WebAssembly and names the ops that run their reference loop", async () => {
  const { code, stdout } = await wgrad(
    "bench",
    "--device",
    "wasm",
    "--quick",
    "--filter",
    "64x10",
    "--json",
    "wasm.json",
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^adapter +WebAssembly, \d+ threads?$/m);
  expect(stdout).toMatch(/^reference +ops that run plain loops instead of WebAssembly: /m);
  const { environment, kernels } = JSON.parse(readFileSync(inFolder("wasm.json"), "utf8")) as {
    environment: { reference: string[] };
    kernels: object[];
  };
  expect(environment.reference).not.toContain("matmul");
  expect(kernels).toHaveLength(3);
  for (const row of kernels) expect(row).toEqual(kernel);
});

test.each([
  [["--filter", "lstm"], 2, /^error: --filter: no benchmark has "lstm" in its name/m],
  [["--compare", "absent.json"], 1, /^error: absent\.json: cannot be read: no such file/m],
  [["--compare", "broken.json"], 1, /^error: broken\.json: this is not a report of wgrad's benchmark/m],
  [
    ["--json", "absent/new.json"],
    1,
    /^error: absent\/new\.json: the report cannot be written: folder absent: no such file/m,
  ],
] as const)("wgrad bench %j is refused before anything is measured", async (args, code, message) => {
  writeFileSync(inFolder("broken.json"), "{}");
  const refused = await wgrad("bench", ...args);
  expect(refused.stderr).toMatch(message);
  expect(refused).toMatchObject({ code, stdout: "" });
});

test("the page can be served from any folder", async () => {
  const folder = await builtPages();
  const page = readFileSync(join(folder, "bench.html"), "utf8");
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map(([, link]) => link!)
    .filter((link) => !link.startsWith("data:"));
  expect(links.some((link) => link.endsWith(".js"))).toBe(true);
  for (const link of links) expect(existsSync(join(folder, link))).toBe(true);
});
