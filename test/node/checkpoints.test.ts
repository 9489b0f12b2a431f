import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { CheckpointFolder } from "../../src/node/checkpoints.ts";
import { smallModel } from "../train/examples.ts";
import { temporaryFolder } from "./built-cli.ts";

const model = smallModel();
const values = (fill: number) =>
  Object.fromEntries(
    model.parameters.map(({ attributes, shape, size }) => [
      (attributes as { name: string }).name,
      { shape, values: new Float32Array(size).fill(fill) },
    ]),
  );
const trainedAt = (step: number) =>
  ({ model, loss: "softmaxCrossEntropy", normalization: { scale: 1, offset: 0 }, classes: ["a", "b", "c"], step, training: {} }) as const;
const stateAt = (step: number) => ({ parameters: values(step), optimizer: {}, unreported: { steps: 0, loss: 0, correct: 0 }, run: { step } });

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
    expect(readdirSync(path).sort()).toEqual(["best.safetensors", "step-000000100.safetensors", "step-1000000025.safetensors"]);
    expect((await checkpoints.newest(noReport))!.state.run).toEqual({ step: 1_000_000_025 });
    const best = readFileSync(join(path, "best.safetensors"));
    expect(best.includes(JSON.stringify({ step: 50 }).replaceAll('"', '\\"'))).toBe(true);
    await save(1_000_000_050, true);
    expect(readFileSync(join(path, "best.safetensors"))).not.toEqual(best);
  });

  test("passes over what is not whole, says so, and removes it when the run has gone on", async () => {
    for (const step of [25, 50]) await save(step);
    truncateSync(join(path, "step-000000050.safetensors"), 700);
    const lines: string[] = [];
    const found = await checkpoints.newest((line) => lines.push(line));
    expect(found!.state.run).toEqual({ step: 25 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/step-000000050\.safetensors is passed over: /);
    await save(40);
    expect(readdirSync(path).sort()).toEqual(["step-000000025.safetensors", "step-000000040.safetensors"]);
  });

  test("a write that fails names the path, and leaves the last good checkpoint whole", async () => {
    const good = await save(25);
    const before = readFileSync(good);
    mkdirSync(join(path, "step-000000050.safetensors"));
    await expect(save(50)).rejects.toThrow(DataError);
    await expect(save(50)).rejects.toThrow(/step-000000050\.safetensors: cannot be written/);
    expect(readFileSync(good)).toEqual(before);
    expect(readdirSync(path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
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
