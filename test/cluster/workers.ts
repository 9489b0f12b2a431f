import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, expect } from "vitest";
import { HEADER, leaves } from "../cli/data/tables.ts";
import type { CommandLine } from "../cli/built-cli.ts";
import type { NatsServer, Place } from "./nats-server.ts";

/** Writes the table that these sweeps train on. */
export const writeLeaves = (cli: CommandLine): void => cli.write("leaves.csv", [HEADER, ...leaves(90, 1)]);

/** The arguments of a sweep on that table. */
export const sweepOf = (steps: number, ...more: readonly string[]): string[] => [
  ..."sweep --csv leaves.csv --label kind --drop id --device cpu --hidden 8 --max-steps".split(" "),
  String(steps),
  ...more,
];

/** A command that runs in the background. */
export interface Background {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly output: () => string;
  /** Resolves once it has printed a text that matches. */
  printed(pattern: RegExp): Promise<void>;
  /** Its exit code; null if it was killed. */
  readonly ended: Promise<number | null>;
}

/** Starts commands, and kills those that still run after each test. */
export function backgroundCommands(cli: CommandLine): {
  start(args: readonly string[], env?: Readonly<Record<string, string>>, place?: Place): Background;
  startWorker(server: NatsServer, name: string, ...more: readonly string[]): Background;
} {
  const running = new Set<ChildProcess>();
  afterEach(async () => {
    const children = [...running];
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("close", resolve).kill("SIGKILL"))));
  });
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}, place?: Place): Background => {
    const [command, ...rest] = [...(place?.prefix ?? []), process.execPath, cli.path, ...args];
    const child = spawn(command!, rest, { cwd: cli.folder, env: { ...process.env, ...env } });
    running.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
    void ended.then(() => running.delete(child));
    const printed = async (pattern: RegExp) => {
      await expect.poll(() => text, { interval: 20 }).toMatch(pattern);
    };
    return { child, output: () => text, printed, ended };
  };
  const startWorker = (server: NatsServer, name: string, ...more: readonly string[]) =>
    start(["worker", "--nats", server.address, "--name", name, "--every", "50", "--cache", "cache", ...more]);
  return { start, startWorker };
}

/** The rows of a sweep's results without the times. */
export function rowsIn(cli: CommandLine, folder: string): string[] {
  const lines = readFileSync(cli.inFolder(`${folder}/results.csv`), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => line.slice(0, line.lastIndexOf(",")));
}

/** Expects the rows and the best model of another sweep. */
export function expectSameSweep(cli: CommandLine, folder: string, other: string): void {
  expect(rowsIn(cli, folder)).toEqual(rowsIn(cli, other));
  const model = (name: string) => readFileSync(cli.inFolder(`${name}/best.safetensors`));
  expect(model(folder).equals(model(other))).toBe(true);
}
