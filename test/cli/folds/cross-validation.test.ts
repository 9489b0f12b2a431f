import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { commandLine, expectRefusal, quickWith, type Finished } from "../built-cli.ts";
import { HEADER, homes, leaves } from "../data/tables.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

/** Two overlapping classes, of which the second is rare. */
function overlapping(count: number): string[] {
  return [
    "x,kind",
    ...Array.from({ length: count }, (_, index) => `${(index * 37) % 100},${isRare(index) ? "yes" : "no"}`),
  ];
}

const isRare = (index: number) => ((index * 37) % 100) + ((index * 53) % 60) > 110;

beforeAll(() => {
  cli.write("leaves.csv", [HEADER, ...leaves(60, 1)]);
  cli.write("homes.csv", ["area,rooms,price", ...homes(40, 2)]);
  cli.write("two.csv", overlapping(100));
});

describe("a cross-validation", () => {
  const table = "train --csv leaves.csv --drop id --label kind --folds 4 --epochs 30 --batch 10 --device cpu";

  test("of a table tests each row once, prints means, and writes the predictions", async () => {
    const { stdout, code } = await wgrad(`${table} --fold-predictions folds.csv`);
    expect(code).toBe(0);
    const accuracies = [...stdout.matchAll(/^fold \d\/4 {2}test accuracy ([\d.]+) % {2}loss/gm)].map(([, text]) =>
      Number(text),
    );
    expect(accuracies).toHaveLength(4);
    const mean = accuracies.reduce((sum, value) => sum + value, 0) / 4;
    const deviation = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
    const [, shownMean, shownDeviation] = /^accuracy {2}([\d.]+) % ± ([\d.]+) %/m.exec(stdout)!;
    expect(Number(shownMean)).toBeCloseTo(mean, 0);
    expect(Number(shownDeviation)).toBeCloseTo(deviation, 0);
    expect(mean).toBeGreaterThan(90);

    const rows = readFileSync(inFolder("folds.csv"), "utf8").trimEnd().split("\n");
    expect(rows[0]).toBe("example,fold,label,prediction,elm,fir,oak");
    const cells = rows.slice(1).map((row) => row.split(","));
    expect(cells.map(([example]) => Number(example))).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(cells.map(([, , label]) => label)).toEqual(leaves(60, 1).map((row) => row.split(",").at(-1)));
    const correct = cells.filter(([, , label, prediction]) => label === prediction).length;
    expect((100 * correct) / 60).toBeCloseTo(mean, 0);
    const sizes = [1, 2, 3, 4].map((fold) => cells.filter((row) => row[1] === String(fold)).length);
    expect(sizes).toEqual([15, 15, 15, 15]);
  });

  test("of a regression is in the units of the label", async () => {
    const { stdout } = await wgrad(
      "train --csv homes.csv --label price --folds 4 --epochs 60 --batch 10 --device cpu --fold-predictions homes.out.csv",
    );
    expect(stdout).toMatch(/^R² {8}0\.9\d\d ± /m);
    expect(stdout).toMatch(/^RMSE {6}[\d,]+ ± [\d,.]+ \(mean ± standard deviation of 4 folds\)$/m);
    const [header, ...rows] = readFileSync(inFolder("homes.out.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe("example,fold,price,predicted price");
    const prices = homes(40, 2).map((row) => Number(row.split(",").at(-1)));
    rows.forEach((row, index) => expect(Number(row.split(",")[2])).toBeCloseTo(prices[index]!, -1));
  });

  test("of images takes the training images only", async () => {
    const { stdout } = await cli.run(["train", ...quickWith("--folds", "2", "--epochs", "3")]);
    expect(stdout).toMatch(/2 folds;\n? +the first has 100 for training, 100 for testing/);
    expect(stdout).toMatch(/^ROC AUC {3}[\d.]+ ± [\d.]+ /m);
  });

  test("keeps no model", async () => {
    expectRefusal(await wgrad(`${table} --out m.safetensors`), 2, /--out: .*trains one model per fold/);
    expectRefusal(await wgrad(`${table} --test-csv two.csv`), 2, /--test-csv: .*each fold is the test data/);
  });
});

describe("a threshold", () => {
  const count = (stdout: string) => stdout.split("\n").filter((line) => line === "yes").length;

  test("of training is stored, used by evaluate and predict, and replaced by their option", async () => {
    const trained = await wgrad(
      "train --csv two.csv --label kind --hidden none --epochs 40 --device cpu --threshold 0.2 --out two.safetensors",
    );
    const evaluated = await wgrad("evaluate two.safetensors --csv two.csv --device cpu");
    expect(evaluated.stdout).toMatch(/^threshold yes from probability 0\.2 on$/m);
    const accuracy = (text: string) => /(?:training|test) accuracy ([\d.]+ %)/.exec(text)?.[1];
    expect(accuracy(evaluated.stdout)).toBe(accuracy(trained.stdout));
    expect(evaluated.stdout).toMatch(/^best F1 {3}[\d.]+ % of yes, at --threshold 0\.\d+$/m);
    expect(evaluated.stdout).toMatch(/^best J {4}0\.\d{3} \(Youden's\), at --threshold 0\.\d+$/m);
    const json = await wgrad("evaluate two.safetensors --csv two.csv --device cpu --json --threshold 0.7");
    const { threshold, rocAuc, bestThresholds } = JSON.parse(json.stdout) as Record<string, unknown>;
    expect(threshold).toBe(0.7);
    expect(rocAuc).toBeGreaterThan(0.8);
    expect(bestThresholds).toHaveProperty("youden.threshold");
    const predicted = async (more: string) =>
      count((await wgrad(`predict two.safetensors two.csv --device cpu${more}`)).stdout);
    const [low, stored, high] = [
      await predicted(" --threshold 0.01"),
      await predicted(""),
      await predicted(" --threshold 0.7"),
    ];
    expect(low).toBe(100);
    expect(stored).toBeLessThan(low);
    expect(stored).toBeGreaterThan(high);
  });

  test("is refused for more classes and for a regression, before training", async () => {
    const options = "--threshold 0.4 --device cpu";
    expectRefusal(
      await wgrad(`train --csv leaves.csv --label kind ${options}`),
      2,
      /--threshold: the model has 3 classes/,
    );
    expectRefusal(
      await wgrad(`train --csv homes.csv --label price ${options}`),
      2,
      /--threshold: a regression has no classes/,
    );
    expectRefusal(await wgrad("train --threshold 1.5"), 2, /--threshold: "1\.5" is out of range/);
  });
});
