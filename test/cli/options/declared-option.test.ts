import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { sweepCommand } from "../../../src/cli/commands/sweep.ts";
import { DeclaredOption, SettableOption, type OptionFacts } from "../../../src/cli/options/declared-option.ts";
import { optionPaths } from "../../../src/cli/options/paths.ts";
import { requireOneSource } from "../../../src/cli/options/data-options.ts";
import { trainOptions } from "../../../src/cli/options/train-options.ts";
import { DATA_OPTIONS } from "../../../src/cli/sweep/data-transfer.ts";

const namesWith = (matches: (facts: OptionFacts) => boolean) =>
  [
    ...new Set(
      trainOptions()
        .filter(({ facts }) => matches(facts))
        .map((option) => option.attributeName()),
    ),
  ].sort();

describe("the options of train declare for cross-validations and sweeps", () => {
  test("which options have no meaning for a cross-validation, and which may end a run early", () => {
    expect(namesWith(({ suitsFolds }) => !suitsFolds)).toEqual([
      "checkpoint",
      "log",
      "out",
      "report",
      "resume",
      "testCsv",
      "testImages",
      "testLabels",
    ]);
    expect(namesWith(({ stopsEarly }) => stopsEarly)).toEqual([
      "gradientTolerance",
      "lossTolerance",
      "maxSeconds",
      "patience",
    ]);
  });

  test("which options name data that a sweep sends to its workers", () => {
    const files = namesWith(({ file, sweep }) => file === "input" && sweep !== "none");
    // --data names a folder in which files are looked for.
    expect([...DATA_OPTIONS].sort()).toEqual(["data", ...files].sort());
  });
});

describe("the options of train declare", () => {
  test("which options a resumed run may change; checkpoints of earlier versions depend on it", () => {
    expect(namesWith(({ isIdentity }) => !isIdentity)).toEqual([
      "checkpoint",
      "csv",
      "data",
      "device",
      "every",
      "foldPredictions",
      "folds",
      "images",
      "keep",
      "labels",
      "log",
      "logFormat",
      "maxSeconds",
      "onCheckpointError",
      "out",
      "recompute",
      "report",
      "resume",
      "sampleEvery",
      "splitSeed",
      "takeOver",
      "testCsv",
      "testImages",
      "testLabels",
      "text",
      "threshold",
      "tune",
    ]);
  });

  test("which options a sweep does not have, and which its runs share", () => {
    expect(namesWith(({ sweep }) => sweep === "none")).toEqual([
      "checkpoint",
      "every",
      "foldPredictions",
      "folds",
      "keep",
      "log",
      "logFormat",
      "onCheckpointError",
      "out",
      "report",
      "resume",
      "sampleEvery",
      "takeOver",
      "testCsv",
      "testImages",
      "testLabels",
      "threshold",
    ]);
    expect(namesWith(({ sweep }) => sweep === "shared")).toEqual([
      "color",
      "csv",
      "data",
      "device",
      "images",
      "init",
      "label",
      "labels",
      "loss",
      "preset",
      "size",
      "splitSeed",
      "task",
      "text",
      "textLines",
      "tokenizer",
      "tune",
      "validation",
      "vocabulary",
    ]);
    const names = sweepCommand(new Command("sweep")).options.map((option) => option.attributeName());
    expect(names).not.toContain("log");
    expect(names.filter((name) => name === "out")).toHaveLength(1);
  });

  test("which options select the examples", () => {
    expect(namesWith(({ selectsData }) => selectsData)).toEqual([
      "categorical",
      "color",
      "context",
      "csv",
      "data",
      "dates",
      "decimal",
      "delimiter",
      "drop",
      "header",
      "images",
      "label",
      "labels",
      "maxCategories",
      "missing",
      "refuseText",
      "size",
      "splitSeed",
      "standardize",
      "task",
      "testCsv",
      "testImages",
      "testLabels",
      "text",
      "textLines",
      "tokenizer",
      "validation",
      "vocabulary",
    ]);
  });

  test("which options have no meaning for text", () => {
    expect(namesWith(({ suitsText }) => !suitsText)).toEqual([
      "activation",
      "augment",
      "categorical",
      "classWeights",
      "color",
      "dates",
      "decimal",
      "delimiter",
      "drop",
      "foldPredictions",
      "folds",
      "header",
      "hidden",
      "init",
      "label",
      "maxCategories",
      "missing",
      "refuseText",
      "size",
      "standardize",
      "task",
      "testCsv",
      "testImages",
      "testLabels",
      "threshold",
    ]);
  });

  test("which options name files, so that their paths can be compared", () => {
    const { inputs, outputs } = optionPaths(trainOptions(), { csv: "in.csv", out: "model" });
    expect(inputs.map(({ option }) => option)).toEqual([
      "--images",
      "--labels",
      "--csv",
      "--text",
      "--test-images",
      "--test-labels",
      "--test-csv",
      "--init",
    ]);
    expect(outputs.map(({ option }) => option)).toEqual([
      "--fold-predictions",
      "--checkpoint",
      "--out",
      "--log",
      "--report",
    ]);
    expect(inputs).toContainEqual({ option: "--csv", path: "in.csv" });
    expect(outputs).toContainEqual({ option: "--log", path: undefined });
  });

  test("which other options they need", () => {
    expect(() => requireOneSource({ csv: "a", label: "y" })).not.toThrow();
    expect(() => requireOneSource({ label: "y" })).toThrow("--label: this option requires --csv. Add --csv.");
    expect(() => requireOneSource({ testImages: "b" })).toThrow("--test-images: this option requires --images.");
    expect(() => requireOneSource({ foldPredictions: "f" })).toThrow(
      "--fold-predictions: this option requires --folds.",
    );
    expect(() => requireOneSource({ context: 8 })).toThrow("--context: this option requires --text. Add --text.");
    expect(() => requireOneSource({ text: "a", vocabulary: 300 })).toThrow(
      "--vocabulary: this option requires --tokenizer.",
    );
    // --print-config writes false for a switch that is off.
    expect(() => requireOneSource({ textLines: false })).not.toThrow();
    expect(() => requireOneSource({ images: "a", testLabels: "b" })).toThrow(
      "--test-labels: this option requires --test-images.",
    );
  });
});

test("an option and its value are written in command-line syntax", () => {
  const quote = (text: string) => `<${text}>`;
  const option = new SettableOption("--widths <list>", "", {});
  expect(option.written([1, 2], quote)).toBe("--widths <1,2>");
  expect(option.written(0, quote)).toBe("--widths <0>");
  expect(option.written(undefined, quote)).toBeUndefined();
  expect(new DeclaredOption("--there", "").written(true, quote)).toBe("--there");
  expect(new DeclaredOption("--there", "").written(false, quote)).toBeUndefined();
  expect(new DeclaredOption("--no-there", "").written(false, quote)).toBe("--no-there");
  expect(new DeclaredOption("--no-there", "").written(true, quote)).toBeUndefined();
});
