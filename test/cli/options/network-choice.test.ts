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
