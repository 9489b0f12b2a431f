import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { planCommand } from "../../../src/cli/commands/plan.ts";
import type { NetworkFlags } from "../../../src/cli/options/network-options.ts";
import { networkText } from "../../../src/cli/text/network-text.ts";
import { blankMnist, buildNetwork, describeNetwork } from "../../../src/cli/training/network.ts";
import { makeClassificationDataset, makeRegressionDataset } from "../../../src/data/dataset.ts";
import { layersFromText, sequential } from "../../../src/nn/index.ts";

async function flagsOf(...args: string[]): Promise<NetworkFlags> {
  const command = planCommand(new Command("plan").exitOverride()).action(() => {});
  await command.parseAsync(args, { from: "user" });
  return command.opts<NetworkFlags>();
}

const digits = blankMnist();
const build = async (...args: string[]) => buildNetwork(await flagsOf(...args), digits, { isTable: false });

const sizeOf = (model: { parameters: readonly { size: number }[] }) =>
  model.parameters.reduce((sum, { size }) => sum + size, 0);

describe("presets", () => {
  test("cnn is the network of the issue: 45,274 parameters for MNIST", async () => {
    const model = await build("--preset", "cnn");
    expect(sizeOf(model)).toBe(45_274);
    expect(model.shapes.at(-2)).toEqual([1024]);
    expect(describeNetwork(await flagsOf("--preset", "cnn"), model)).toBe(
      "28×28, conv 16-16-32-32-64, dense 10, 45,274 parameters",
    );
  });

  test("resnet ends with one number per channel, at any size of the images", async () => {
    const model = await build("--preset", "resnet");
    expect(model.shapes.slice(-3)).toEqual([[7, 7, 64], [64], [10]]);
    expect(networkText(model)).toBe(
      `28×28, conv 16-16-16-32-32-64-64, dense 10, ${sizeOf(model).toLocaleString("en-US")} parameters`,
    );
    const color = makeClassificationDataset({
      name: "color",
      features: new Uint8Array(32 * 32 * 3),
      shape: [32, 32, 3],
      labels: Uint32Array.of(0),
      classes: ["a", "b", "c"],
    });
    expect(buildNetwork(await flagsOf("--preset", "resnet"), color, { isTable: false }).outputShape).toEqual([3]);
  });

  test("of images are refused for a table", async () => {
    const table = makeRegressionDataset({
      name: "table",
      features: Float32Array.of(1, 2, 3),
      shape: [3],
      targets: Float32Array.of(1),
      outputs: ["y"],
    });
    const flags = await flagsOf("--preset", "cnn");
    expect(() => buildNetwork(flags, table, { isTable: true })).toThrow(
      "--preset cnn, conv2d: its input has the shape [3] per example, which is not an image.",
    );
  });
});

describe("--layers", () => {
  test.each<[string, string]>([
    [
      "flatten, dense 64",
      "--layers: the last layer has an output of shape [64], but the data have 10 classes. Let the layers end with dense 10.",
    ],
    [
      "conv 10 3x3",
      "--layers: the last layer has an output of shape [26, 26, 10], but the data have 10 classes. Let the layers end with flatten, dense 10.",
    ],
    [
      "dense 10",
      "--layers: the last layer has an output of shape [28, 10], but the data have 10 classes. Let the layers end with flatten, dense 10.",
    ],
  ])("%s is refused", async (layers, message) => {
    await expect(build("--layers", layers)).rejects.toThrow(message);
  });

  test("with a single output are left to the loss if there are two classes", async () => {
    const two = { ...digits, classes: ["no", "yes"] };
    const flags = await flagsOf("--layers", "flatten, dense 1");
    expect(buildNetwork(flags, two, { isTable: false }).outputShape).toEqual([1]);
  });

  test("have a new last layer if the model of --init has other outputs", async () => {
    const flags = await flagsOf("--layers", "conv 2 3x3, flatten, dense 3 bias=false");
    const model = buildNetwork(flags, digits, { isTable: false, replacesHead: true });
    expect(model.config.layers.at(-1)).toEqual({ type: "dense", units: 10, activation: "identity", bias: false });
  });
});

describe("networkText", () => {
  const text = (layers: string, inputShape = [28, 28, 3]) =>
    networkText(sequential(layersFromText(layers), { inputShape }));

  test("is short for long networks, and names layers by their words", () => {
    const many = Array.from({ length: 12 }, (_, index) => `conv ${index + 1} 1x1`).join(", ");
    expect(text(`${many}, flatten, dense 2`)).toMatch(/^28×28×3, conv 1-2-3-4-5-6-…-12, dense 2, [\d,]+ parameters$/);
    expect(text("depthwise 3x3 multiplier=2, conv 4 1x1, flatten, dense 8, dense 2")).toMatch(
      /^28×28×3, depthwise ×2, conv 4, dense 8-2, /,
    );
    expect(text("maxpool 2, flatten")).toBe("28×28×3, 2 layers, 0 parameters");
    expect(text("dense 4 relu, dense 2", [3])).toBe("3-4-2, 26 parameters");
    expect(text("dense 4 relu, flatten, dense 2", [5, 3])).toBe("5×3, dense 4-2, 58 parameters");
  });

  test("leaves out a projection", () => {
    expect(text("residual(conv 4 1x1, conv 4 1x1) projection=(conv 4 1x1), globalavgpool, dense 2")).toMatch(
      /^28×28×3, conv 4-4, dense 2, /,
    );
  });
});
