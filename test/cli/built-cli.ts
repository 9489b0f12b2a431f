import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { Random } from "../../src/random.ts";
import { mnistFileNames, type MnistFile } from "../../src/data/mnist-files.ts";
import { builtLibrary } from "../builds.ts";
import { writeIdx } from "../data/idx-files.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the child process once it runs. */
  readonly started?: (child: ReturnType<typeof spawn>) => void;
  /** Whether the path is an executable program rather than a script for Node. */
  readonly program?: boolean;
}

/** Runs the command line to its end, without MNIST_DIR and DEBUG in the environment. */
export function runCli(path: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { MNIST_DIR: _mnist, DEBUG: _debug, ...inherited } = process.env;
  const env = { ...inherited, ...options.env };
  const [program, values] = options.program ? [path, args] : [process.execPath, [path, ...args]];
  const child = spawn(program, values, { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  options.started?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
}

/**
 * The environment of a command that acts on itself as soon as a condition holds. Another process may get a core only after the command
 * has ended.
 * @param condition an expression in JavaScript, in which `fs` is Node's module
 * @param action statements in JavaScript
 */
export function actingWhen(condition: string, action: string): Readonly<Record<string, string>> {
  const code = `
    import * as fs from "node:fs";
    const timer = setInterval(() => {
      if (!(${condition})) return;
      clearInterval(timer);
      ${action};
    }, 1);
    timer.unref();
  `;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

/** The condition that the folder "kept" has a checkpoint. */
export const HAS_CHECKPOINT =
  'fs.existsSync("kept") && fs.readdirSync("kept").some((name) => name.startsWith("step-"))';

/** The action of a signal from outside. */
export const signaled = (signal: NodeJS.Signals): string => `process.kill(process.pid, "${signal}")`;

/** Creates a temporary folder, and a function that removes it with its contents. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "wgrad-cli-"));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** The command line under test, and the folder that it runs in. */
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
  /** Runs a command in the folder with this text on its standard input. Arguments are separated by spaces. */
  runReading(args: string, input: string | Uint8Array): Finished;
  /** The events in a file of --log. */
  eventsIn(name: string): Record<string, unknown>[];
}

/**
 * The built command line, as it is published, for the tests of a file. Call it at the top level of the file.
 * @param mnist whether the folder contains small pictures in MNIST's format, in "data"
 */
export function commandLine({ mnist = false } = {}): CommandLine {
  let path: string;
  let folder: ReturnType<typeof temporaryFolder>;
  const inFolder = (name: string) => join(folder.path, name);
  beforeAll(async () => {
    path = join(await builtLibrary(), "cli.js");
    folder = temporaryFolder();
    if (mnist) writeMnist(inFolder("data"), smallPictures());
  });
  afterAll(() => folder.remove());
  return {
    get path() {
      return path;
    },
    get folder() {
      return folder.path;
    },
    inFolder,
    write: (name, lines) => writeFileSync(inFolder(name), `${lines.join("\n")}\n`),
    run: (args, options) => runCli(path, args, { cwd: folder.path, ...options }),
    runReading(args, input) {
      const command = [path, ...args.split(" ")];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, {
        cwd: folder.path,
        input,
        encoding: "utf8",
      });
      return { code: status, stdout, stderr };
    },
    eventsIn(name) {
      const lines = readFileSync(inFolder(name), "utf8").trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

/** Options that train quickly on the pictures in "data". */
export const quick = ["--data", "data", "--device", "cpu", "--hidden", "8", "--batch", "20", "--lr", "0.02"] as const;

/** The quick options, with these options added or replacing them; an option must not be given twice. */
export const quickWith = (...args: readonly string[]): string[] => [
  ...quick.filter((text, index) => !args.includes(index % 2 === 0 ? text : quick[index - 1]!)),
  ...args,
];

/** The result of a command on the test set, without the times. */
export const resultOf = ({ stdout }: Finished): string | undefined =>
  /test accuracy .* %  loss [\d.]+/.exec(stdout)?.[0];

/** Fails unless a command ended with this exit code and these messages, without a stack trace. */
export function expectRefusal({ code, stderr }: Finished, expectedCode: number, ...messages: RegExp[]): void {
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at .*\.(js|ts|mjs)/m);
  expect(code).toBe(expectedCode);
}

/** Small pictures of ten classes that a linear model separates: noise, and one bright pixel whose position is the class. */
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

/** Writes MNIST's four files to a folder; contents in gzip get names that end in .gz. */
export function writeMnist(folder: string, files: Readonly<Record<MnistFile, Uint8Array>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) {
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    writeFileSync(join(folder, `${mnistFileNames[file as MnistFile]}${packed ? ".gz" : ""}`), bytes);
  }
}
