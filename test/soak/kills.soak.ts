import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { Random } from "../../src/random.ts";
import { buildCli, runCli, smallPictures, temporaryFolder, writeMnist } from "../node/built-cli.ts";

let cli: Awaited<ReturnType<typeof buildCli>>;
let folder: ReturnType<typeof temporaryFolder>;
const inFolder = (name: string) => join(folder.path, name);

beforeAll(async () => {
  cli = await buildCli();
  folder = temporaryFolder();
  writeMnist(inFolder("data"), smallPictures());
});

afterAll(() => {
  cli.remove();
  folder.remove();
});

/** A network large enough that writing its checkpoint takes a while, so that some kills fall into the writing. */
const training = ["train", "--data", "data", "--device", "webgpu", "--hidden", "512,512", "--batch", "20", "--epochs", "100", "--validation", "0.2", "--patience", "1000"];

function outcome(log: string, model: string) {
  const lines = readFileSync(inFolder(log), "utf8").trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === "progress");
  const numbers = events.map(({ step, epoch, loss, accuracy, learningRate, validationLoss }) => [step, epoch, loss, accuracy, learningRate, validationLoss]);
  return { numbers, tensors: readSafetensors(readFileSync(inFolder(model)), model).tensors };
}

test("a run killed at twenty random moments resumes each time, and ends with the log and bits of one that was not", async () => {
  const whole = await runCli(cli.path, [...training, "--log", "whole.jsonl", "--out", "whole.safetensors"], { cwd: folder.path });
  expect(whole).toMatchObject({ code: 0 });
  const expected = outcome("whole.jsonl", "whole.safetensors");
  const seed = Number(process.env["WGRAD_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`WGRAD_SEED=${seed}`);
  const random = new Random(seed);
  const args = [...training, "--checkpoint", "kept", "--every", "10", "--log", "run.jsonl", "--out", "model.safetensors", "--resume"];
  let [kills, whileWriting, runs] = [0, 0, 0];
  while (kills < 20) {
    runs++;
    const finished = await runCli(cli.path, args, {
      cwd: folder.path,
      started(child) {
        // Counted from the first step: before it there is nothing to lose.
        child.stdout!.once("data", () => {
          const timer = setTimeout(() => child.kill("SIGKILL"), 40 + random.uniform() * 500);
          child.once("close", () => clearTimeout(timer));
        });
      },
    });
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
  const last = await runCli(cli.path, args, { cwd: folder.path });
  expect(last).toMatchObject({ code: 0 });
  expect(outcome("run.jsonl", "model.safetensors")).toEqual(expected);
  console.log(`${kills} kills in ${runs} runs, ${whileWriting} of them while a checkpoint was being written; the end was identical`);
  expect(whileWriting).toBeGreaterThan(0);
}, 1_800_000);
