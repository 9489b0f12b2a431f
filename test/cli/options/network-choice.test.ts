import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { sweepCommand } from "../../../src/cli/commands/sweep.ts";
import { trainCommand } from "../../../src/cli/commands/train.ts";
import { settleNetwork } from "../../../src/cli/options/network-choice.ts";
import { parseChoices } from "../../../src/cli/sweep/sweep-plan.ts";
import { settableOptions } from "../../../src/cli/options/config.ts";

const LAYERS = "conv 4 3x3, flatten, dense 10";

async function settled(args: readonly string[], varied?: readonly string[]): Promise<Record<string, unknown>> {
  const command = trainCommand(new Command("train").exitOverride()).action(() => {});
  await command.parseAsync(args, { from: "user" });
  settleNetwork(command, varied);
  return command.opts();
}

describe("a preset", () => {
  test("has its own defaults", async () => {
    const expected = { batch: 128, lr: 0.01, schedule: "oneCycle", rise: 0.2 };
    expect(await settled(["--preset", "cnn"])).toMatchObject(expected);
    expect(await settled(["--preset", "resnet"])).toMatchObject(expected);
    const plain = await settled(["--preset", "mlp", "--hidden", "32"]);
    expect(plain).toMatchObject({ hidden: [32], lr: 0.002, schedule: "cosine" });
    expect(plain).not.toHaveProperty("batch");
  });

  test("leaves options that are given", async () => {
    expect(await settled(["--preset", "cnn", "--lr", "0.002", "--schedule", "cosine", "--batch", "64"])).toMatchObject({
      lr: 0.002,
      schedule: "cosine",
      batch: 64,
    });
  });
});

describe("one network only", () => {
  test.each<[string[], string]>([
    [["--layers", LAYERS, "--preset", "cnn"], "--layers: this option describes the network, and so does --preset."],
    [["--layers", LAYERS, "--preset", "mlp"], "--layers: this option describes the network, and so does --preset."],
    [["--layers", LAYERS, "--hidden", "128"], "--layers: this option describes the network, and so does --hidden."],
    [["--layers", LAYERS, "--dropout", "0.5"], "--layers: this option describes the network, and so does --dropout."],
    [
      ["--preset", "cnn", "--activation", "tanh"],
      "--preset: this option describes the network, and so does --activation.",
    ],
  ])("%o is refused", async (args, message) => {
    await expect(settled(args)).rejects.toThrow(`${message} Use only one of them.`);
  });

  test("also counts the options that a sweep varies", async () => {
    await expect(settled(["--preset", "cnn"], ["hidden"])).rejects.toThrow("and so does --hidden");
    await expect(settled(["--hidden", "8"], ["layers"])).rejects.toThrow("--layers: ");
    await expect(settled(["--layers", LAYERS], ["lr"])).resolves.toMatchObject({ layers: LAYERS });
  });
});

test("a sweep over layers separates them by semicolons only", () => {
  const options = settableOptions(sweepCommand(new Command("sweep")));
  expect(parseChoices("layers=conv 4 3,flatten,dense 10", options).values).toEqual([LAYERS]);
  expect(parseChoices(`layers=${LAYERS};flatten, dense 10`, options).values).toEqual([LAYERS, "flatten, dense 10"]);
});

describe("a network for text", () => {
  const text = ["--text", "t.txt"];

  test("is gpt-micro by default, with the defaults of nanoGPT", async () => {
    const defaults = { lr: 0.001, batch: 12, clipNorm: 1, schedule: "cosine" };
    expect(await settled(text)).toMatchObject({ ...defaults, preset: "gpt-micro" });
    const given = ["--preset", "gpt-nano", "--lr", "0.01", "--dropout", "0.1"];
    expect(await settled([...text, ...given])).toMatchObject({
      ...defaults,
      preset: "gpt-nano",
      lr: 0.01,
      dropout: 0.1,
    });
    const own = await settled([...text, "--layers", "tied(gru 8 sequences=true) 30 8"]);
    expect(own).toMatchObject(defaults);
    expect(own).not.toHaveProperty("preset");
  });

  test.each<[string[], string]>([
    [["--hidden", "8"], "--hidden: this option has no meaning for text. Omit it, or omit --text."],
    [["--label", "y"], "--label: this option has no meaning for text."],
    [["--no-standardize"], "--no-standardize: this option has no meaning for text."],
    [["--folds", "3"], "--folds: this option has no meaning for text."],
    [["--augment", "shift"], "--augment: this option has no meaning for text."],
    [["--preset", "cnn"], "--preset: cnn is not a network for text. Choose one of gpt-nano, gpt-micro, gpt-mini."],
    [["--loss", "meanSquaredError"], "--loss: meanSquaredError is not a loss for text."],
    [
      ["--layers", "dense 4", "--dropout", "0.1"],
      "--layers: this option describes the network, and so does --dropout.",
    ],
    [
      ["--layers", "dense 4", "--preset", "gpt-nano"],
      "--layers: this option describes the network, and so does --preset.",
    ],
  ])("does not take %o", async (args, message) => {
    await expect(settled([...text, ...args])).rejects.toThrow(message);
  });

  test("is not for other data", async () => {
    await expect(settled(["--preset", "gpt-nano"])).rejects.toThrow(
      "--preset: gpt-nano is a network for text. Use `wgrad train --text FILE`.",
    );
    await expect(settled(text, ["hidden"])).rejects.toThrow("--hidden: this option has no meaning for text");
  });
});
