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

describe("a folder of checkpoints", () => {
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

  test("keeps the last few and the best, and finds the newest", async () => {
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
  /** As a new process, which knows nothing of the files yet. */
  const reopen = () => void (checkpoints = new CheckpointFolder(path, 2));

  test("passes over what cannot be read, says so, and neither removes nor replaces it", async () => {
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
        /step-000000050\.safetensors: the header should end at byte .* It is passed over and left as it is\./,
      ),
    ]);
    for (const step of [30, 40]) {
      const { isBest, failures } = await save(step, true);
      expect(isBest).toBe(false);
      expect(failures.map(String)).toEqual([
        expect.stringMatching(/best\.safetensors: cannot be written: what is there is kept, because it cannot be read/),
      ]);
    }
    await expect(save(50)).rejects.toThrow(
      /step-000000050\.safetensors: cannot be written: what is there is kept, because it cannot be read/,
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

  test("is refused, with each file and its reason, where none can be read", async () => {
    for (const step of [25, 50]) await save(step, true);
    truncateSync(stepPath(25), 300);
    writeFileSync(stepPath(50), "another format");
    mkdirSync(stepPath(75));
    const before = names();
    reopen();
    const refusal = checkpoints.newest(noReport);
    await expect(refusal).rejects.toThrow(DataError);
    await expect(refusal).rejects.toThrow(
      /none to go on from: .*step-000000075\.safetensors: it is a folder.*; .*step-000000050\.safetensors: this is not a safetensors file.*; .*step-000000025\.safetensors: the header should end/,
    );
    expect(names()).toEqual(before);
    for (const step of [25, 50, 75]) rmSync(stepPath(step), { recursive: true });
    await expect(checkpoints.newest(noReport)).rejects.toThrow(/only best\.safetensors is there/);
  });

  test("goes on with the files of an earlier process, which count among those that are kept", async () => {
    for (const step of [25, 50, 75]) await save(step);
    reopen();
    await save(100);
    expect(names()).toEqual(["step-000000075.safetensors", "step-000000100.safetensors"]);
  });

  test("an old checkpoint that cannot be removed, and a best that cannot be replaced, are told of beside the new one", async () => {
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

  test("a write that fails names the path, and leaves the last good checkpoint whole", async () => {
    const { path: good } = await save(25);
    const before = readFileSync(good);
    mkdirSync(join(path, "step-000000050.safetensors"));
    await expect(save(50)).rejects.toThrow(DataError);
    await expect(save(50)).rejects.toThrow(/step-000000050\.safetensors: cannot be written/);
    expect(readFileSync(good)).toEqual(before);
    expect(readdirSync(path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  /** Root reads and writes anywhere. */
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

  test("that its user may not write to is refused in plain words, and left whole", async () => {
    const { path: good } = await save(25);
    const before = readFileSync(good);
    chmodSync(path, 0o555);
    await asAnotherUser(() =>
      expect(save(50)).rejects.toThrow(/step-000000050\.safetensors: cannot be written: permission denied/),
    );
    chmodSync(path, 0o755);
    expect(readFileSync(good)).toEqual(before);
  });

  test("whose files its user may not read is refused, though the folder may be written to", async () => {
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

  test("that vanished is made again; a file in its place is refused and left alone", async () => {
    await save(25);
    rmSync(path, { recursive: true });
    await save(50);
    expect(readdirSync(path)).toEqual(["step-000000050.safetensors"]);
    rmSync(path, { recursive: true });
    writeFileSync(path, "mine");
    await expect(save(75)).rejects.toThrow(/checkpoints: the folder cannot be made: a file is in the way/);
    await expect(checkpoints.newest(noReport)).rejects.toThrow(/a part of the path is a file/);
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("loses what a killed process left unfinished, and nothing else", async () => {
    await save(25);
    const [unfinished, mine] = [".step-000000050.safetensors.0123456789ab.tmp", ".notes.tmp"];
    for (const name of [unfinished, mine]) writeFileSync(join(path, name), "half");
    await checkpoints.removeUnfinished();
    expect(existsSync(join(path, unfinished))).toBe(false);
    expect(existsSync(join(path, mine))).toBe(true);
    expect((await checkpoints.newest(noReport))!.trained.step).toBe(25);
  });
});
