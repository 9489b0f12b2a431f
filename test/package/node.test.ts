/*
 * The package in a Node program: installed from the tarball into an empty project.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtInDigits } from "../../src/index.ts";
import { writeIdx } from "../data/idx-files.ts";
import { writeMnist } from "../cli/built-cli.ts";
import { readmeExample } from "./readme.ts";
import { complaintsOfTypes, createProject, npm, pack, stagePackage, writeFiles, type Staged } from "./tarball.ts";

const run = promisify(execFile);

let staged: Staged;
let project: Staged;

beforeAll(async () => {
  staged = await stagePackage();
  project = createProject({}, pack(staged), "@types/node@20");
  writeFiles(project.folder, {
    "train.ts": readmeExample("createNodeBackend"),
    // The text has no types, so it is also JavaScript.
    "train.mjs": readmeExample("createNodeBackend"),
    "graph.mjs": readmeExample("createCpuBackend"),
    "graph.ts": readmeExample("createCpuBackend"),
  });
  const { train, test: held } = builtInDigits({ train: 1000, test: 200 });
  writeMnist(join(project.folder, "mnist"), {
    trainImages: writeIdx([1000, 28, 28], train.features as Uint8Array),
    trainLabels: writeIdx([1000], Uint8Array.from(train.labels)),
    testImages: writeIdx([200, 28, 28], held.features as Uint8Array),
    testLabels: writeIdx([200], Uint8Array.from(held.labels)),
  });
});

afterAll(() => {
  project?.remove();
  staged?.remove();
});

const node = (...args: string[]) =>
  run(process.execPath, args, {
    cwd: project.folder,
    env: { ...process.env, MNIST_DIR: join(project.folder, "mnist") },
  });

test("the README's example for Node has at most fifteen lines", () => {
  expect(readmeExample("createNodeBackend").trimEnd().split("\n").length).toBeLessThanOrEqual(15);
});

test("the example trains on files in MNIST's format, with WebAssembly if the adapter is software", async () => {
  const { stdout, stderr } = await node("train.mjs");
  const lines = stdout.trimEnd().split("\n");
  const losses = lines.filter((line) => /^\d/.test(line)).map((line) => line.split(" ").map(Number));
  // ⌊1000 / 64⌋ steps per epoch, three epochs, one event per step.
  expect(losses.map(([step]) => step)).toEqual(Array.from({ length: 45 }, (_, index) => index + 1));
  expect(stdout).toMatch(/count: 200/);
  // For ten seeds of the model, the accuracy was 0.735 to 0.79 on lavapipe; chance is 0.1.
  expect(Number(/accuracy: ([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(0.6);
  expect(stderr).toMatch(/^No GPU \(.* is a software adapter\): computing on the CPU \(WebAssembly, \d threads?\)\./m);
});

test("the README's graph gives the gradients in its comment", async () => {
  const { stdout } = await node("graph.mjs");
  expect(stdout.replaceAll(/\s+/g, " ")).toMatch(
    /z: Float64Array\(1\) \[ 20 \].*dx: .*\[ 4 \].*dy: .*\[ 4 \].*dw: .*\[ 5 \]/,
  );
});

test("the types pass in a strict project, without skipLibCheck", () => {
  expect(complaintsOfTypes(project.folder, "--module", "nodenext", "--types", "node", "train.ts", "graph.ts")).toBe("");
});

test("the types refuse wrong use", () => {
  writeFiles(project.folder, { "wrong.ts": 'import { dense } from "wgrad";\ndense("128");\n' });
  expect(complaintsOfTypes(project.folder, "--module", "nodenext", "wrong.ts")).toMatch(
    /wrong\.ts\(2,7\): error TS2345/,
  );
});

test("the command is installed", async () => {
  const { stdout } = await run("npx", ["--no-install", "wgrad", "--version"], { cwd: project.folder });
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the package.json can be imported", async () => {
  const script =
    'import { createRequire } from "node:module"; console.log(createRequire(import.meta.url)("wgrad/package.json").name);';
  const { stdout } = await node("--input-type=module", "--eval", script);
  expect(stdout.trim()).toBe("wgrad");
});

describe("installed without optional packages", () => {
  let small: Staged;

  beforeAll(() => {
    small = createProject(
      { "graph.mjs": readmeExample("createCpuBackend"), "graph.ts": readmeExample("createCpuBackend") },
      "--omit=optional",
      pack(staged),
    );
    cpSync(join(project.folder, "mnist"), join(small.folder, "mnist"), { recursive: true });
  });
  afterAll(() => small?.remove());

  const wgrad = (...args: string[]) => run("npx", ["--no-install", "wgrad", ...args], { cwd: small.folder });
  const training = ["train", "--data", "mnist", "--hidden", "8", "--max-steps", "3"];

  test("the library runs on the CPU without webgpu", async () => {
    expect(existsSync(join(small.folder, "node_modules", "webgpu"))).toBe(false);
    const { stdout } = await run(process.execPath, ["graph.mjs"], { cwd: small.folder });
    expect(stdout).toContain("Float64Array");
    expect(complaintsOfTypes(small.folder, "--module", "nodenext", "graph.ts")).toBe("");
  });

  test("the command trains on the CPU", async () => {
    const { stderr } = await wgrad(...training, "--device", "cpu");
    expect(stderr).not.toMatch(/webgpu/);
  });

  test("by default the command says why it uses the CPU, and how to install WebGPU", async () => {
    const { stderr } = await wgrad(...training);
    expect(stderr).toMatch(
      /No GPU .*webgpu.* is not installed\): computing on the CPU.* Run `npm install --include=optional`/s,
    );
  });

  test("the device webgpu is refused with the command that installs it, which works", async () => {
    await expect(wgrad(...training, "--device", "webgpu")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: WebGPU: the optional package webgpu.* is not installed.*`npm install --include=optional`/,
      ) as string,
    });
    npm(small.folder, "install", "--include=optional", "--prefer-offline", "--no-audit", "--no-fund");
    const { stdout } = await wgrad("devices");
    expect(stdout).toMatch(/adapter .*\n +kind /);
  });
});
