import { Ajv } from "ajv";
import { Command } from "commander";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OptionError } from "../../../src/errors.ts";
import { applyConfigFile, configurationOf, configurationSchema } from "../../../src/cli/options/config.ts";
import { SettableOption } from "../../../src/cli/options/declared-option.ts";
import { trainCommand } from "../../../src/cli/commands/train.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "wgrad-config-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A train command that was given these arguments, with an empty action. */
async function commandOf(args: readonly string[] = []): Promise<Command> {
  const command = trainCommand(new Command("train").exitOverride().configureOutput({ writeErr: () => {} })).action(
    () => {},
  );
  await command.parseAsync(args, { from: "user" });
  return command;
}

async function configured(contents: unknown, args: readonly string[] = []): Promise<Record<string, unknown>> {
  const path = join(folder, "run.json");
  writeFileSync(path, typeof contents === "string" ? contents : JSON.stringify(contents));
  const command = await commandOf(args);
  await applyConfigFile(command, path);
  return configurationOf(command);
}

/** A value for each option, different from its default. */
const everyOption: Readonly<Record<string, unknown>> = {
  data: "d", images: "i", labels: "l", csv: "c.csv", testImages: "ti", testLabels: "tl", size: "32x24", color: "gray", folds: 5, foldPredictions: "f.csv", threshold: 0.3, testCsv: "t.csv", validation: 0.25, splitSeed: 3,
  label: "species", task: "regression", drop: ["a", "b,c"], categorical: ["z"], refuseText: true, maxCategories: 7, missing: "mean", decimal: "comma", dates: "features",
  text: "t", textLines: true, context: 32, tokenizer: "bpe", vocabulary: 300, sampleEvery: 0, beta2: 0.95, finalRate: 0.1,
  header: false, delimiter: ";", hidden: [64, 32], activation: "tanh", dropout: 0.5, layers: "conv 4 3x3 relu, flatten, dense 3", preset: "cnn", rise: 0.2, loss: "meanSquaredError", optimizer: "adamW", momentumForm: "pytorch",
  weightDecay: 0.1, clipNorm: 2, precision: "float16", recompute: 2, activationStorage: "float16", batch: "full", seed: 9, standardize: false, lr: 0.1, schedule: "constant", warmup: 3, epochs: 8, init: "m",
  maxSteps: 4, maxSeconds: 1.5, patience: 2, minImprovement: 0.01, lossTolerance: 1e-4, gradientTolerance: 1e-3, checkEvery: 5,
  onNan: "halve", checkpoint: "kept", every: "25", keep: 5, resume: true, takeOver: true, onCheckpointError: "stop", report: "r.html",
  device: "cpu", tune: false, out: "o", log: "g", logFormat: "csv", augment: "shift=2,rotate=5", classWeights: [1, 0.5],
}; // prettier-ignore

test("the published schema is generated from the options of train", async () => {
  await expect(`${JSON.stringify(configurationSchema(await commandOf()), undefined, 2)}\n`).toMatchFileSnapshot(
    "../../../wgrad.schema.json",
  );
});

describe("a configuration file", () => {
  test("accepts every option and $schema, and keeps all values", async () => {
    const command = await commandOf();
    const names = command.options
      .filter((option) => option instanceof SettableOption)
      .map((option) => option.attributeName());
    expect(new Set(Object.keys(everyOption))).toEqual(new Set(names));
    expect(await configured({ $schema: "x", ...everyOption })).toEqual(everyOption);
    const schema = JSON.parse(readFileSync("wgrad.schema.json", "utf8")) as object;
    const validate = new Ajv().compile(schema);
    expect(validate(everyOption)).toBe(true);
    expect(validate(configurationOf(command))).toBe(true);
  });

  test("overrides defaults, and is overridden by the command line", async () => {
    const found = await configured({ lr: 0.5, epochs: 7, hidden: [] }, ["--lr", "0.1", "--batch", "32"]);
    expect(found).toMatchObject({ lr: 0.1, epochs: 7, hidden: [], batch: 32, schedule: "cosine" });
    expect(await configured({ standardize: true, header: true }, ["--no-standardize", "--no-header"])).toMatchObject({
      standardize: false,
      header: false,
    });
  });

  test.each<[string, unknown, RegExp]>([
    ["invalid JSON", "{", /run\.json: this is not JSON/],
    ["an array", [1], /run\.json: this is not a JSON object/],
    ["a duplicate key", '{"lr": 1, "lr": 2}', /this has the key "lr" twice/],
    ["an unknown option", { epoch: 3 }, /run\.json: there is no option "epoch"\. Did you mean epochs\?$/],
    ["config itself", { config: "x" }, /there is no option "config"/],
  ])("is refused with %s", async (_, contents, message) => {
    await expect(configured(contents)).rejects.toThrow(message);
  });

  test.each<[string, unknown]>([
    ["lr", "fast"],
    ["lr", -1],
    ["lr", "0.1"],
    ["epochs", 1.5],
    ["epochs", 0],
    ["hidden", "64"],
    ["hidden", [0]],
    ["hidden", [1.5]],
    ["layers", 3],
    ["layers", ["dense 3"]],
    ["layers", ""],
    ["preset", "vgg"],
    ["classWeights", "even"],
    ["classWeights", [-1]],
    ["augment", ["shift"]],
    ["batch", "all"],
    ["batch", 0],
    ["optimizer", "adma"],
    ["standardize", "no"],
    ["seed", 2 ** 32],
    ["validation", 1],
    ["dropout", -0.1],
    ["drop", "id"],
    ["drop", [1]],
    ["weightDecay", -1],
    ["device", "gpu"],
    ["lr", null],
    ["header", 1],
    ["csv", ""],
    ["delimiter", ""],
    ["every", "0"],
    ["every", 25],
    ["keep", 0],
    ["size", "32"],
    ["size", "0x4"],
    ["size", 32],
    ["color", "cmyk"],
    ["folds", 1],
    ["threshold", 0],
    ["threshold", 1],
    ["onNan", "hope"],
  ])("%s: %o is refused by both the schema and the command", async (name, value) => {
    // prettier-ignore
    const schema = JSON.parse(readFileSync("wgrad.schema.json", "utf8")) as object;
    expect(new Ajv().validate(schema, { [name]: value })).toBe(false);
    await expect(configured({ [name]: value })).rejects.toThrow(new RegExp(`run\\.json, ${name}: `));
  });

  test.each<[string, unknown, string]>([
    ["lr", "fast", 'lr cannot be "fast". Give a number above 0.'],
    ["epochs", 1.5, "epochs cannot be 1.5. Give a whole number of at least 1."],
    ["hidden", "64", 'hidden cannot be "64". Give a list of whole numbers of at least 1, such as [128, 64].'],
    ["batch", "all", 'batch cannot be "all". Give a whole number of at least 1 or "full".'],
    ["standardize", "no", 'standardize cannot be "no". Give true or false.'],
    ["drop", "id", 'drop cannot be "id". Give a list of strings, such as ["id", "name"].'],
    [
      "layers",
      3,
      'layers cannot be 3. Give a non-empty string or a list of layers, such as [{"type": "dense", "units": 10}].',
    ],
    ["missing", 3, 'missing cannot be 3. Give one of "refuse", "mean", "zero".'],
    ["size", 32, 'size cannot be 32. Give a string such as "32x24".'],
    ["threshold", "x", 'threshold cannot be "x". Give a number in (0, 1).'],
    ["every", 25, 'every cannot be 25. Give a string such as "25" or "5s".'],
  ])("%s: %o is refused with the valid values", async (name, value, sentence) => {
    await expect(configured({ [name]: value })).rejects.toThrow(
      new OptionError({
        where: `${join(folder, "run.json")}, ${name}`,
        what: sentence.split(". ")[0]!,
        fix: sentence.split(". ")[1]!.slice(0, -1),
      }),
    );
  });

  test("has layers as a text or as a list of configs, and keeps them as the same text", async () => {
    const text = "conv 4 3x3 relu, residual(conv 4 1x1), flatten, dense 3";
    const configs = [
      { type: "conv2d", outputs: 4, window: 3, activation: "relu" },
      { type: "residual", layers: [{ type: "conv2d", outputs: 4, window: [1, 1], stride: 1 }] },
      { type: "flatten" },
      { type: "dense", units: 3, activation: "identity" },
    ];
    expect(await configured({ layers: configs })).toMatchObject({ layers: text });
    expect(await configured({ layers: "CONV 4 3 relu,residual(conv 4 1),flatten,dense 3" })).toMatchObject({
      layers: text,
    });
  });

  test.each<[unknown, string]>([
    ["dense 3, dens 4", 'layers, position 10: there is no layer "dens". Did you mean dense?'],
    [[{ type: "dense", units: 0 }], "layers, layer 0, dense units: 0 is out of range."],
    [[{ type: "dense", unit: 1 }], 'layers, layer 0, dense: there is no option "unit". Did you mean units?'],
    [[], "layers, position 1: the text ends instead of a layer."],
  ])("layers: %o is refused with the place", async (value, message) => {
    await expect(configured({ layers: value })).rejects.toThrow(`run.json, ${message}`);
  });
});
