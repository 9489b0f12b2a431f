import { describe, expect, test } from "vitest";
import { gridRuns, parseChoices, parseRange, randomRuns, runName } from "../../../src/cli/sweep/sweep-plan.ts";
import { trainOptions } from "../../../src/cli/options/train-options.ts";

const options = new Map(trainOptions().map((option) => [option.attributeName(), option]));

test("a grid gives all combinations", () => {
  const grid = [
    parseChoices("lr=0.1,1e-2", options),
    parseChoices("hidden=8;16,8", options),
    parseChoices("--clip-norm=1", options),
  ];
  expect(gridRuns(grid)).toEqual([
    { lr: 0.1, hidden: [8], clipNorm: 1 },
    { lr: 0.1, hidden: [16, 8], clipNorm: 1 },
    { lr: 0.01, hidden: [8], clipNorm: 1 },
    { lr: 0.01, hidden: [16, 8], clipNorm: 1 },
  ]);
  expect(parseChoices("standardize=true,false", options).values).toEqual([true, false]);
  expect(parseChoices("hidden=64,128", options).values).toEqual([[64], [128]]);
  expect(parseChoices("augment=none;shift,flip", options).values).toEqual(["none", "shift=2,flip=0.5"]);
  expect(parseChoices("class-weights=none;balanced;1,2", options).values).toEqual(["none", "balanced", [1, 2]]);
});

describe("random runs", () => {
  const ranges = [
    parseRange("lr=1e-4..1e-2:log", options),
    parseRange("batch=16..19", options),
    parseRange("dropout=0..0.5", options),
  ];
  const runs = randomRuns(2000, 3, ranges, [parseChoices("optimizer=adam,sgd", options)]);

  test("are distributed over their ranges, and whole for integer options", () => {
    const rates = runs.map(({ lr }) => lr as number);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1e-2);
    // For 2000 draws, the fraction below the middle has a standard deviation of 0.011.
    expect(rates.filter((rate) => rate < 1e-3).length / 2000).toBeCloseTo(0.5, 1);
    expect(runs.filter(({ dropout }) => (dropout as number) < 0.25).length / 2000).toBeCloseTo(0.5, 1);
    const batches = runs.map(({ batch }) => batch as number);
    for (const batch of [16, 17, 18, 19])
      expect(batches.filter((found) => found === batch).length / 2000).toBeCloseTo(0.25, 1);
    expect(new Set(batches)).toEqual(new Set([16, 17, 18, 19]));
    expect(new Set(runs.map(({ optimizer }) => optimizer))).toEqual(new Set(["adam", "sgd"]));
  });

  test("depend on the seed, and start with the same runs for every count", () => {
    expect(randomRuns(5, 3, ranges, [parseChoices("optimizer=adam,sgd", options)])).toEqual(runs.slice(0, 5));
    expect(randomRuns(5, 4, ranges, [])).not.toEqual(randomRuns(5, 3, ranges, []));
  });
});

test("a run's name does not depend on the order of its options", () => {
  expect(runName({ lr: 1, batch: 2 })).toBe(runName({ batch: 2, lr: 1 }));
  expect(runName({ lr: 1, batch: 2 })).not.toBe(runName({ lr: 2, batch: 1 }));
});

test.each<[(text: string, known: typeof options) => unknown, string, RegExp]>([
  [parseChoices, "lr", /--grid: "lr" is invalid.*lr=0\.001,0\.002/],
  [parseChoices, "lr=", /is invalid/],
  [parseChoices, "augment=;shift", /--grid: "augment=;shift" is invalid/],
  [parseChoices, "epoch=1", /there is no option "epoch" to sweep over\. Did you mean epochs\?/],
  [parseChoices, "lr=0.1,-1", /--lr: "-1" is out of range/],
  [parseChoices, "standardize=maybe", /Give true or false/],
  [parseRange, "lr=1", /--range: "lr=1" is invalid/],
  [parseRange, "lr=1..0.1", /1 … 0\.1 is not a range\. Give the smaller/],
  [parseRange, "dropout=0..0.5:log", /is not a logarithmic range\. Start above 0/],
  [
    parseRange,
    "optimizer=adam..sgd",
    /optimizer is one of "sgd", .*so it has no range\. List its values with --grid optimizer=adam,sgd/,
  ],
  [parseRange, "hidden=4..64", /hidden is a list of whole numbers .*List its values with --grid 'hidden=4;64'/],
  [parseRange, "batch=full..64", /the ends of the range of batch must be numbers, not "full"/],
])("%o refuses %s", (parse, text, message) => {
  expect(() => parse(text, options)).toThrow(message);
});
