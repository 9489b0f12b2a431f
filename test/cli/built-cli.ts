import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll } from "vitest";
import { Random } from "../../src/random.ts";
import { mnistFileNames, type MnistFile } from "../../src/data/mnist.ts";
import { writeIdx } from "../data/idx-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The command line as users have it, built anew where it finds the packages that it imports. */
export async function buildCli(): Promise<{ path: string; remove(): void }> {
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(join(cache, "wgrad-test-"));
  await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "error", build: { outDir } });
  return { path: join(outDir, "cli.js"), remove: () => rmSync(outDir, { recursive: true }) };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the child once it runs. */
  readonly started?: (child: ReturnType<typeof spawn>) => void;
  /** The path is that of a program, which is not to be run by Node. */
  readonly program?: boolean;
}

/** Runs the command line to its end, with no MNIST and no debugging named in the environment. */
export function runCli(path: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { MNIST_DIR: _mnist, DEBUG: _debug, ...inherited } = process.env;
  const env = { ...inherited, ...options.env };
  const [program, values] = options.program ? [path, args] : [process.execPath, [path, ...args]];
  const child = spawn(program, values, { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  options.started?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...said }));
  });
}

/** A new folder that is removed with all in it. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "wgrad-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** The command line that the tests of a file run, and the folder that they run it in. */
export interface CommandLine {
  /** The path of the built program. */
  readonly path: string;
  /** The folder, which is removed after the tests. */
  readonly folder: string;
  /** The path of a file in the folder. */
  inFolder(name: string): string;
  /** Writes lines of text to a file in the folder. */
  write(name: string, lines: readonly string[]): void;
  /** Runs a command in the folder. */
  run(args: readonly string[], options?: Omit<RunOptions, "cwd">): Promise<Finished>;
}

/**
 * Builds the command line before the tests of a file, which calls this at its top.
 * @param mnist whether the folder has small pictures as MNIST's files in "data"
 */
export function commandLine({ mnist = false } = {}): CommandLine {
  let cli: Awaited<ReturnType<typeof buildCli>>;
  let folder: ReturnType<typeof temporaryFolder>;
  const inFolder = (name: string) => join(folder.path, name);
  beforeAll(async () => {
    cli = await buildCli();
    folder = temporaryFolder();
    if (mnist) writeMnist(inFolder("data"), smallPictures());
  });
  afterAll(() => {
    cli.remove();
    folder.remove();
  });
  return {
    get path() {
      return cli.path;
    },
    get folder() {
      return folder.path;
    },
    inFolder,
    write: (name, lines) => writeFileSync(inFolder(name), `${lines.join("\n")}\n`),
    run: (args, options) => runCli(cli.path, args, { cwd: folder.path, ...options }),
  };
}

/** Small pictures of ten classes that a linear model tells apart: noise, and one bright pixel that names the class. */
export function smallPictures(): Record<MnistFile, Uint8Array> {
  const [rows, columns] = [4, 5];
  const split = (count: number, seed: number): [images: Uint8Array, labels: Uint8Array] => {
    const random = new Random(seed);
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 10);
    const pixels = Uint8Array.from({ length: count * rows * columns }, () => random.below(128));
    labels.forEach((label, index) => (pixels[index * rows * columns + label] = 255));
    return [writeIdx([count, rows, columns], pixels), writeIdx([count], labels)];
  };
  const [trainImages, trainLabels] = split(200, 1);
  const [testImages, testLabels] = split(50, 2);
  return { trainImages, trainLabels, testImages, testLabels };
}

/** Puts four files into a folder, plain or, where they begin as gzip does, under packed names. */
export function writeMnist(folder: string, files: Readonly<Record<MnistFile, Uint8Array>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) {
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    writeFileSync(join(folder, `${mnistFileNames[file as MnistFile]}${packed ? ".gz" : ""}`), bytes);
  }
}
