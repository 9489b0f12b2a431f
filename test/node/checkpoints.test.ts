import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { CheckpointFolder } from "../../src/node/checkpoints.ts";
import { smallModel } from "../train/examples.ts";
import { temporaryFolder } from "../cli/built-cli.ts";

const model = smallModel();
const values = (fill: number) =>
  Object.fromEntries(
    model.parameters.map(({ attributes, shape, size }) => [
      (attributes as { name: string }).name,
      { shape, values: new Float32Array(size).fill(fill) },
    ]),
  );
const trainedAt = (step: number) =>
  ({
    model,
    loss: "softmaxCrossEntropy",
    normalization: { scale: 1, offset: 0 },
    classes: ["a", "b", "c"],
    step,
    training: {},
  }) as const;
const stateAt = (step: number) => ({
  parameters: values(step),
  optimizer: {},
  unreported: { steps: 0, loss: 0, correct: 0, gradientNorm: 0 },
  run: { step },
});

describe("a checkpoint folder", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let path: string;
  let checkpoints: CheckpointFolder;
  const save = (step: number, isBest = false) => checkpoints.save(trainedAt(step), stateAt(step), isBest);
  const noReport = (line: string) => expect.fail(line);
  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder.path, "new", "checkpoints");
    checkpoints = new CheckpointFolder(path, 2);
  });
  afterEach(() => folder.remove());

  test("keeps the most recent checkpoints and the best, and finds the newest", async () => {
    expect(await checkpoints.newest(noReport)).toBeUndefined();
    for (const step of [25, 50, 75, 100, 1_000_000_025]) await save(step, step === 50);
    expect(readdirSync(path).sort()).toEqual([
      "best.safetensors",
      "step-000000100.safetensors",
      "step-1000000025.safetensors",
    ]);
    expect((await checkpoints.newest(noReport))!.state.run).toEqual({ step: 1_000_000_025 });
    const best = readFileSync(join(path, "best.safetensors"));
    expect(best.includes(JSON.stringify({ step: 50 }).replaceAll('"', '\\"'))).toBe(true);
    await save(1_000_000_050, true);
    expect(readFileSync(join(path, "best.safetensors"))).not.toEqual(best);
  });

  const names = () => readdirSync(path).sort();
  const stepPath = (step: number) => join(path, `step-${String(step).padStart(9, "0")}.safetensors`);
  /** Opens the folder like a new process, which knows none of the files yet. */
  const reopen = () => void (checkpoints = new CheckpointFolder(path, 2));

  test("skips unreadable checkpoints with a message, and neither removes nor replaces them", async () => {
    for (const step of [25, 50]) await save(step, true);
    const damaged = readFileSync(stepPath(50)).subarray(0, 700);
    for (const file of [stepPath(50), join(path, "best.safetensors")]) {
      rmSync(file);
      writeFileSync(file, damaged);
    }
    reopen();
    const lines: string[] = [];
    const found = await checkpoints.newest((line) => lines.push(line));
    expect(found!.state.run).toEqual({ step: 25 });
    expect(lines).toEqual([
      expect.stringMatching(
        /step-000000050\.safetensors: the header should end at byte .* This checkpoint is skipped and kept\./,
      ),
    ]);
    for (const step of [30, 40]) {
      const { isBest, failures } = await save(step, true);
      expect(isBest).toBe(false);
      expect(failures.map(String)).toEqual([
        expect.stringMatching(
          /best\.safetensors: cannot be written: the existing file is kept, because it cannot be read/,
        ),
      ]);
    }
    await expect(save(50)).rejects.toThrow(
      /step-000000050\.safetensors: cannot be written: the existing file is kept, because it cannot be read/,
    );
    await save(60);
    expect(names()).toEqual([
      "best.safetensors",
      "step-000000040.safetensors",
      "step-000000050.safetensors",
      "step-000000060.safetensors",
    ]);
    for (const name of ["best.safetensors", "step-000000050.safetensors"])
      expect(readFileSync(join(path, name))).toEqual(damaged);
  });

  test("is refused, with each file and its reason, if no checkpoint can be read", async () => {
    for (const step of [25, 50]) await save(step, true);
    truncateSync(stepPath(25), 300);
    writeFileSync(stepPath(50), "another format");
    mkdirSync(stepPath(75));
    const before = names();
    reopen();
    const refusal = checkpoints.newest(noReport);
    await expect(refusal).rejects.toThrow(DataError);
    await expect(refusal).rejects.toThrow(
      /none of the checkpoints can be resumed: .*step-000000075\.safetensors: it is a folder.*; .*step-000000050\.safetensors: this is not a safetensors file.*; .*step-000000025\.safetensors: the header should end/,
    );
    expect(names()).toEqual(before);
    for (const step of [25, 50, 75]) rmSync(stepPath(step), { recursive: true });
    await expect(checkpoints.newest(noReport)).rejects.toThrow(/the folder only contains best\.safetensors/);
  });

  test("counts the checkpoints of an earlier process among those that are kept", async () => {
    for (const step of [25, 50, 75]) await save(step);
    reopen();
    await save(100);
    expect(names()).toEqual(["step-000000075.safetensors", "step-000000100.safetensors"]);
  });

  test("reports an old checkpoint that cannot be removed and a best that cannot be replaced, with the new one", async () => {
    for (const step of [25, 50]) await save(step, step === 25);
    for (const file of [stepPath(25), join(path, "best.safetensors")]) {
      rmSync(file);
      mkdirSync(file);
    }
    const { path: written, isBest, failures } = await save(75, true);
    expect(written).toBe(stepPath(75));
    expect(isBest).toBe(false);
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(/best\.safetensors: cannot be written: it is a folder/),
      expect.stringMatching(/step-000000025\.safetensors: the old checkpoint cannot be removed: it is a folder/),
    ]);
    expect(names()).toEqual([
      "best.safetensors",
      "step-000000025.safetensors",
      "step-000000050.safetensors",
      "step-000000075.safetensors",
    ]);
  });

  test("a failed write names the path, and leaves the last good checkpoint unchanged", async () => {
    const { path: good } = await save(25);
    const before = readFileSync(good);
    mkdirSync(join(path, "step-000000050.safetensors"));
    await expect(save(50)).rejects.toThrow(DataError);
    await expect(save(50)).rejects.toThrow(/step-000000050\.safetensors: cannot be written/);
    expect(readFileSync(good)).toEqual(before);
    expect(readdirSync(path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  /** Runs a function as an unprivileged user, because root may read and write everything. */
  async function asAnotherUser<Result>(act: () => Promise<Result>): Promise<Result> {
    chmodSync(folder.path, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid!(65_534);
    try {
      return await act();
    } finally {
      if (isRoot) process.seteuid!(0);
    }
  }

  test("that is not writable is refused in plain words, and left unchanged", async () => {
    const { path: good } = await save(25);
    const before = readFileSync(good);
    chmodSync(path, 0o555);
    await asAnotherUser(() =>
      expect(save(50)).rejects.toThrow(/step-000000050\.safetensors: cannot be written: permission denied/),
    );
    chmodSync(path, 0o755);
    expect(readFileSync(good)).toEqual(before);
  });

  test("with unreadable files is refused, even if the folder is writable", async () => {
    for (const step of [25, 50]) chmodSync((await save(step)).path, 0o000);
    chmodSync(path, 0o777);
    reopen();
    await asAnotherUser(async () => {
      await expect(checkpoints.newest(noReport)).rejects.toThrow(
        /step-000000050\.safetensors: permission denied \(EACCES\); .*step-000000025\.safetensors: permission denied/,
      );
      await save(75);
      await save(100);
      await save(125);
    });
    expect(names()).toEqual([25, 50, 100, 125].map((step) => `step-${String(step).padStart(9, "0")}.safetensors`));
  });

  test("that was removed is created again; a file in its place is refused and left unchanged", async () => {
    await save(25);
    rmSync(path, { recursive: true });
    await save(50);
    expect(readdirSync(path)).toEqual(["step-000000050.safetensors"]);
    rmSync(path, { recursive: true });
    writeFileSync(path, "mine");
    await expect(save(75)).rejects.toThrow(/checkpoints: the folder cannot be created: a file already has this name/);
    await expect(checkpoints.newest(noReport)).rejects.toThrow(/a part of the path is a file/);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("loses only the unfinished files of a killed process", async () => {
    await save(25);
    const [unfinished, mine] = [".step-000000050.safetensors.0123456789ab.tmp", ".notes.tmp"];
    for (const name of [unfinished, mine]) writeFileSync(join(path, name), "half");
    await checkpoints.removeUnfinished();
    expect(existsSync(join(path, unfinished))).toBe(false);
    expect(existsSync(join(path, mine))).toBe(true);
    expect((await checkpoints.newest(noReport))!.trained.step).toBe(25);
  });
});
