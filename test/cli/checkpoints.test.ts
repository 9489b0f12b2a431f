import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import {
  actingWhen,
  commandLine,
  HAS_CHECKPOINT,
  runCli,
  signaled,
  smallPictures,
  writeMnist,
  type RunOptions,
} from "./built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (args: readonly string[], options: Omit<RunOptions, "cwd"> = {}) => cli.run(args, options);

const training = [
  "train",
  "--data",
  "data",
  "--device",
  "cpu",
  "--hidden",
  "8",
  "--batch",
  "20",
  "--lr",
  "0.02",
  "--epochs",
  "200",
];
/** The same command with another value for one of its options. */
const trainingWith = (option: string, value: string) =>
  training.map((text, index) => (training[index - 1] === option ? value : text));
const keeping = ["--checkpoint", "kept", "--every", "25", "--log", "run.jsonl", "--out", "model.safetensors"];

afterEach(() => {
  for (const name of readdirSync(cli.folder)) if (name !== "data") rmSync(inFolder(name), { recursive: true });
});

/** The parts of a run's log and model that do not depend on time. */
function outcome(log = "run.jsonl", model = "model.safetensors") {
  const lines = readFileSync(inFolder(log), "utf8").trimEnd().split("\n");
  const events = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === "progress");
  const numbers = events.map(({ step, epoch, loss, accuracy, learningRate, validationLoss }) => ({
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
    validationLoss,
  }));
  return { log: numbers, tensors: readSafetensors(readFileSync(inFolder(model)), model).tensors };
}

/** Runs a command that gets a signal once its folder contains a checkpoint. */
const endedBy = (signal: NodeJS.Signals, args: readonly string[]) =>
  wgrad(args, { env: actingWhen(HAS_CHECKPOINT, signaled(signal)) });

/** Trains while files are limited to one block of 512 bytes, which acts like a full disk and may end within a line. */
const onFullDisk = (args: readonly string[]) => {
  const limited = ["-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", process.execPath, cli.path, ...training];
  return runCli("/bin/sh", [...limited, ...args], { cwd: cli.folder, program: true });
};

describe("wgrad train --checkpoint", () => {
  test.each([
    ["SIGHUP", 129],
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "saves on %s and exits with %i; a resumed run has the log and the bits of an uninterrupted run",
    async (signal, code) => {
      const options = ["--validation", "0.2", "--patience", "100"];
      await wgrad([...training, ...options, "--log", "whole.jsonl", "--out", "whole.safetensors"]);
      const ended = await endedBy(signal, [...training, ...options, ...keeping]);
      expect(ended.code).toBe(code);
      expect(ended.stdout).toMatch(/interrupted at step [\d,]+ of 1,600/);
      const [, last] = /The same command with --resume continues from (\S+)\./.exec(ended.stdout)!;
      const reached = Number(/interrupted at step ([\d,]+)/.exec(ended.stdout)![1]!.replace(",", ""));
      expect(last).toBe(`kept/step-${String(reached).padStart(9, "0")}.safetensors`);
      const resumed = await wgrad([...training, ...options, ...keeping, "--resume"]);
      expect(resumed).toMatchObject({ code: 0, stderr: "" });
      expect(resumed.stdout).toContain(`resumed   at step ${reached.toLocaleString("en-US")}, from ${last}`);
      expect(outcome()).toEqual(outcome("whole.jsonl", "whole.safetensors"));
      expect(readdirSync(inFolder("kept")).filter((name) => name.startsWith("step-"))).toHaveLength(3);
      expect(existsSync(inFolder("kept/best.safetensors"))).toBe(true);
    },
  );

  test("a checkpoint can be evaluated and exported like a model", async () => {
    await wgrad([...training, "--max-steps", "60", ...keeping]);
    const { code, stdout } = await wgrad([
      "evaluate",
      "kept/step-000000060.safetensors",
      "--data",
      "data",
      "--device",
      "cpu",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/test accuracy/);
    const exported = await wgrad([
      "export",
      "kept/step-000000060.safetensors",
      "--safetensors",
      "exported.safetensors",
    ]);
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    // Only the parameters, numbered as in PyTorch's Sequential, without optimizer states and best parameters.
    const { tensors } = readSafetensors(readFileSync(inFolder("exported.safetensors")), "exported");
    expect([...tensors.keys()].sort()).toEqual([
      "layers.0.bias",
      "layers.0.weight",
      "layers.2.bias",
      "layers.2.weight",
    ]);
  });

  test("starts from the beginning, with a message, if there is no checkpoint", async () => {
    const { code, stderr } = await wgrad([...training, "--max-steps", "30", ...keeping, "--resume"]);
    expect(stderr).toContain("There is no checkpoint in kept: the run starts from the beginning.");
    expect(code).toBe(0);
  });

  test("refuses a folder with checkpoints, other options, other data, and --resume without a folder", async () => {
    await wgrad([...training, "--max-steps", "30", ...keeping]);
    const again = await wgrad([...training, "--max-steps", "30", ...keeping]);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/kept: the folder already contains checkpoints, up to step 30\. Add --resume/);
    const other = await wgrad([
      ...trainingWith("--lr", "0.01"),
      "--max-steps",
      "30",
      "--seed",
      "5",
      ...keeping,
      "--resume",
    ]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(
      /belongs to a different run: it has --seed 1, this run has --seed 5; it has --lr 0\.02, this run has --lr 0\.01\./,
    );
    const without = await wgrad([
      ...training,
      "--max-steps",
      "30",
      "--no-standardize",
      "--clip-norm",
      "1",
      ...keeping,
      "--resume",
    ]);
    expect(without.stderr).toMatch(/it has no --no-standardize, this run has --no-standardize/);
    expect(without.stderr).toMatch(/it has no --clip-norm, this run has --clip-norm 1/);
    const data = { ...smallPictures() };
    data.trainLabels = data.trainLabels.map((byte, index) =>
      index === data.trainLabels.length - 1 ? (byte + 1) % 10 : byte,
    );
    writeMnist(inFolder("changed"), data);
    const changed = await wgrad([...trainingWith("--data", "changed"), "--max-steps", "30", ...keeping, "--resume"]);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toMatch(/belongs to a different run: the training data differ\./);
    const nowhere = await wgrad([...training, "--resume"]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toMatch(/--resume: there is no checkpoint folder to resume from\. Add --checkpoint/);
    const wrong = await wgrad([...training, "--checkpoint", "kept", "--every", "0"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/--every: "0" is not an interval/);
  });

  test("a checkpoint that cannot be written is reported once, and training continues or stops as requested", async () => {
    writeFileSync(inFolder("kept"), "mine");
    const none = await wgrad([...training, "--max-steps", "100", ...keeping]);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/a part of the path is a file/);
    rmSync(inFolder("kept"));
    const saving = ["--max-steps", "100", "--checkpoint", "kept", "--every", "25"];
    const on = await onFullDisk(saving);
    expect(on.stderr.match(/The checkpoint at step \d+ was not written/g)).toHaveLength(1);
    expect(on.stderr).toMatch(/The checkpoint at step 25 was not written; training continues: .*cannot be written/);
    expect(on.stdout).toMatch(/test accuracy/);
    expect(on.code).toBe(0);
    const stopped = await onFullDisk([...saving, "--on-checkpoint-error", "stop"]);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(/cannot be written/);
    expect(readdirSync(inFolder("kept"))).toEqual([]);
  });
});

describe("a checkpoint folder", () => {
  const run = (...more: readonly string[]) => [...training, ...keeping, ...more];
  const lock = () => JSON.parse(readFileSync(inFolder("kept/run.lock"), "utf8")) as Record<string, string | number>;
  const leaveLock = (holder: object) => writeFileSync(inFolder("kept/run.lock"), JSON.stringify(holder));

  test("is locked by a run: a second run is refused with the process that holds the lock", async () => {
    let [pid, second]: [number | undefined, ReturnType<typeof wgrad> | undefined] = [undefined, undefined];
    const first = await wgrad([...trainingWith("--epochs", "100000"), ...keeping], {
      started(child) {
        pid = child.pid;
        child.stdout!.once("data", () => {
          second = wgrad(run("--resume", "--take-over"));
          void second.then(() => child.kill("SIGTERM"));
        });
      },
    });
    expect(first.code).toBe(143);
    const { code, stderr } = await second!;
    expect(stderr).toMatch(
      new RegExp(
        `kept: process ${pid} on host ".+", started at \\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z, is training in this folder\\. Wait until it ends`,
      ),
    );
    expect(code).toBe(2);
    expect(existsSync(inFolder("kept/run.lock"))).toBe(false);
  });

  test("is taken over from a killed process, and with --take-over from a process on another host", async () => {
    await endedBy("SIGKILL", run());
    const killed = lock();
    expect(await wgrad(run("--resume"))).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(inFolder("kept/run.lock"))).toBe(false);
    leaveLock({ ...killed, host: "elsewhere" });
    const refused = await wgrad(run("--resume"));
    expect(refused.stderr).toMatch(/on host "elsewhere".*take over the lock with --take-over/);
    expect(refused.code).toBe(2);
    expect(lock()["host"]).toBe("elsewhere");
    expect((await wgrad(run("--resume", "--take-over"))).code).toBe(0);
  });

  test("taken over by another process is no longer written to, and training continues", async () => {
    const takeOver = `
      const lock = JSON.parse(fs.readFileSync("kept/run.lock", "utf8"));
      fs.writeFileSync("kept/run.lock", JSON.stringify({ ...lock, host: "elsewhere" }))
    `;
    const { code, stderr } = await wgrad(run(), { env: actingWhen(HAS_CHECKPOINT, takeOver) });
    expect(code).toBe(0);
    expect(
      stderr.match(
        /The checkpoint at step \d+ was not written; training continues: kept: process \d+ on host "elsewhere"/g,
      ),
    ).toHaveLength(1);
    expect(lock()["host"]).toBe("elsewhere");
    expect(existsSync(inFolder("model.safetensors"))).toBe(true);
  });

  test("with unreadable checkpoints is refused, and the files stay unchanged", async () => {
    await wgrad(run("--max-steps", "50"));
    const names = readdirSync(inFolder("kept")).sort();
    for (const name of names) writeFileSync(inFolder(join("kept", name)), "of another format");
    for (const options of [[], ["--resume"]]) {
      const { code, stderr } = await wgrad(run(...options));
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /kept: none of the checkpoints can be resumed: .*step-000000050\.safetensors: this is not a safetensors file.*step-000000025/,
      );
    }
    expect(readdirSync(inFolder("kept")).sort()).toEqual(names);
    for (const name of names) expect(readFileSync(inFolder(join("kept", name)), "utf8")).toBe("of another format");
  });

  test("with a folder in place of a checkpoint gives one message, and training continues", async () => {
    const obstruct = 'fs.mkdirSync("kept/step-000002000.safetensors")';
    const { code, stderr } = await wgrad(run(), { env: actingWhen(HAS_CHECKPOINT, obstruct) });
    expect(code).toBe(0);
    expect(stderr.match(/training continues/g)).toHaveLength(1);
    expect(stderr).toMatch(
      /The checkpoint at step 2000 was not written; training continues: kept\/step-000002000\.safetensors: cannot be written: .*it is a folder/,
    );
    expect(readdirSync(inFolder("kept"))).toContain("step-000001975.safetensors");
  });
});

describe("a full disk", () => {
  // Every write to this device fails as on a full disk.
  const full = "/dev/full";

  test("under the log and standard output is reported once, and the model and checkpoints are written", async () => {
    const args = [
      ...training,
      "--max-steps",
      "100",
      "--checkpoint",
      "kept",
      "--every",
      "25",
      "--log",
      full,
      "--out",
      "model.safetensors",
    ];
    const { code, stderr } = await runCli(
      "/bin/sh",
      ["-c", `exec "$@" > ${full}`, "sh", process.execPath, cli.path, ...args],
      { cwd: cli.folder, program: true },
    );
    expect(stderr.split("\n").sort()).toEqual([
      "",
      "/dev/full: the log cannot be written; the run continues: the disk is full (ENOSPC).",
      "standard output cannot be written; the command continues: the disk is full (ENOSPC).",
    ]);
    expect(code).toBe(0);
    expect(existsSync(inFolder("model.safetensors"))).toBe(true);
    expect(readdirSync(inFolder("kept"))).toContain("step-000000100.safetensors");
  });

  test("leaves only complete lines in the log", async () => {
    const { code, stderr } = await onFullDisk(["--max-steps", "100", "--log", "run.jsonl"]);
    expect(stderr).toMatch(/^run\.jsonl: the log cannot be written; the run continues: .*\n$/);
    expect(code).toBe(0);
    const text = readFileSync(inFolder("run.jsonl"), "utf8");
    expect(text).toMatch(/\n$/);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string });
    expect(lines.length).toBeGreaterThan(0);
  });

  test("fails a command whose result is its output", async () => {
    await wgrad([...training, "--max-steps", "10", "--out", "model.safetensors"]);
    const args = ["evaluate", "model.safetensors", "--data", "data", "--device", "cpu"];
    const { code, stderr } = await runCli(
      "/bin/sh",
      ["-c", `exec "$@" > ${full}`, "sh", process.execPath, cli.path, ...args],
      { cwd: cli.folder, program: true },
    );
    expect(stderr).toBe("standard output cannot be written; the command continues: the disk is full (ENOSPC).\n");
    expect(code).toBe(1);
  });
});

test("the report is written even if the model cannot be", async () => {
  mkdirSync(inFolder("gone"));
  const { code, stderr } = await wgrad([...training, "--out", "gone/model.safetensors", "--report", "run.html"], {
    env: actingWhen("process.stdout.bytesWritten > 0", 'fs.rmdirSync("gone")'),
  });
  expect(stderr).toMatch(/error: gone\/model\.safetensors: cannot be written: no such file or folder/);
  expect(code).toBe(1);
  expect(existsSync(inFolder("run.html"))).toBe(true);
});

test("training continues if the reader of standard output closes it", async () => {
  const { code, stderr } = await wgrad([...training, "--out", "model.safetensors"], {
    started: (child) => child.stdout!.once("data", () => child.stdout!.destroy()),
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(existsSync(inFolder("model.safetensors"))).toBe(true);
});
