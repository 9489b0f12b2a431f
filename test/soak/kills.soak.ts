import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/random.ts";
import { commandLine } from "../cli/built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;

/** 320 steps of a network that is large enough for writing a checkpoint to take a while. */
const training = [
  "train",
  "--data",
  "data",
  "--device",
  "webgpu",
  "--hidden",
  "512,512",
  "--batch",
  "20",
  "--epochs",
  "40",
  "--validation",
  "0.2",
  "--patience",
  "1000",
];

function outcome(log: string, model: string) {
  const lines = readFileSync(inFolder(log), "utf8").trimEnd().split("\n");
  const events = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === "progress");
  const numbers = events.map(({ step, epoch, loss, accuracy, learningRate, validationLoss }) => [
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
    validationLoss,
  ]);
  return { numbers, tensors: readSafetensors(readFileSync(inFolder(model)), model).tensors };
}

/** Kills at a random moment after the first output. */
function killAfterAWhile(child: ChildProcess, random: Random): void {
  child.stdout!.once("data", () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), random.uniform() * 1500);
    child.once("close", () => clearTimeout(timer));
  });
}

/** Kills while one of the first checkpoints still has its temporary name. */
function killWhileWriting(child: ChildProcess, random: Random): void {
  let left = random.below(4);
  let isDue = false;
  const watcher = watch(inFolder("kept"), (_, name) => {
    if (isDue || !name?.endsWith(".tmp") || !existsSync(join(inFolder("kept"), name)) || left-- > 0) return;
    isDue = true;
    setTimeout(() => child.kill("SIGKILL"), random.uniform() * 4);
  });
  child.once("close", () => watcher.close());
}

test("a run killed at twenty random moments resumes each time, and ends with the log and bits of an uninterrupted run", async () => {
  const whole = await cli.run([...training, "--log", "whole.jsonl", "--out", "whole.safetensors"]);
  expect(whole).toMatchObject({ code: 0 });
  const expected = outcome("whole.jsonl", "whole.safetensors");
  const seed = Number(process.env["WGRAD_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`WGRAD_SEED=${seed}`);
  const random = new Random(seed);
  const args = [
    ...training,
    "--checkpoint",
    "kept",
    "--every",
    "10",
    "--log",
    "run.jsonl",
    "--out",
    "model.safetensors",
    "--resume",
  ];
  let [kills, whileWriting, runs] = [0, 0, 0];
  while (kills < 20) {
    runs++;
    mkdirSync(inFolder("kept"), { recursive: true });
    const kill = runs % 2 === 0 ? killAfterAWhile : killWhileWriting;
    const finished = await cli.run(args, { started: (child) => kill(child, random) });
    const left = readdirSync(inFolder("kept"));
    if (finished.code === null) {
      kills++;
      if (left.some((name) => name.endsWith(".tmp"))) whileWriting++;
      continue;
    }
    expect(finished).toMatchObject({ code: 0 });
    expect(outcome("run.jsonl", "model.safetensors")).toEqual(expected);
    for (const name of ["kept", "run.jsonl", "model.safetensors"]) rmSync(inFolder(name), { recursive: true });
  }
  const last = await cli.run(args);
  expect(last).toMatchObject({ code: 0 });
  expect(outcome("run.jsonl", "model.safetensors")).toEqual(expected);
  console.log(
    `${kills} kills in ${runs} runs, ${whileWriting} of them while a checkpoint was being written; the end was identical`,
  );
  expect(whileWriting).toBeGreaterThan(0);
}, 1_800_000);
