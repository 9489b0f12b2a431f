import { Command } from "commander";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trainCommand } from "../../../src/cli/commands/train.ts";
import { loadFolds, type FoldSource } from "../../../src/cli/data/data-source.ts";
import type { TrainFlags } from "../../../src/cli/options/train-options.ts";
import { isRegression } from "../../../src/data/dataset.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "wgrad-folds-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** The folds of a table with one column and a target; every third cell is missing. */
async function foldsWith(options: string): Promise<FoldSource[]> {
  const path = join(folder, "table.csv");
  const rows = Array.from({ length: 60 }, (_, index) => `${index % 3 === 0 ? "" : index ** 2},${index}.5`);
  writeFileSync(path, ["x,price", ...rows].join("\n"));
  const command = trainCommand(new Command("train").exitOverride()).action(() => {});
  const args = `--csv ${path} --label price --task regression --missing mean ${options}`;
  await command.parseAsync(args.split(" "), { from: "user" });
  const found: FoldSource[] = [];
  for await (const fold of loadFolds(command.opts<TrainFlags>(), 3)) found.push(fold);
  return found;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("what is filled in and standardized by is measured on the training rows of each fold only", async () => {
  const folds = await foldsWith("--validation 0");
  expect(folds).toHaveLength(3);
  for (const { indices, source } of folds) {
    const { train, validation, test: held, table } = source;
    expect(validation).toBeUndefined();
    const others = Array.from({ length: 60 }, (_, index) => index).filter((index) => !indices.includes(index));
    const mean = meanOf(others.filter((index) => index % 3 !== 0).map((index) => index ** 2));
    const missing = Array.from(indices.keys()).filter((row) => indices[row]! % 3 === 0);
    expect(missing.length).toBeGreaterThan(0);
    for (const row of missing) expect(held!.features[row]).toBeCloseTo(mean, 2);
    const label = table!.label;
    const center = meanOf(others.map((index) => index + 0.5));
    expect(label).toMatchObject({ kind: "number", mean: expect.closeTo(center, 4) as number });
    if (!isRegression(held!) || !isRegression(train) || label.kind !== "number") throw new Error("not a regression");
    expect(held.targets[0]).toBeCloseTo((indices[0]! + 0.5 - center) / label.deviation, 4);
    expect(meanOf([...train.targets])).toBeCloseTo(0, 4);
  }
});

test("validation rows come from the other folds", async () => {
  for (const { indices, source } of await foldsWith("--validation 0.25")) {
    expect([source.train.count, source.validation!.count, source.test!.count]).toEqual([30, 10, 20]);
    expect(indices).toHaveLength(20);
  }
});
