/*
 * How layers look in PyTorch. The code below, and that of every network in test/nn/layer-cases.ts, was run in PyTorch
 * 1.13 with other values than the first ones: its results differ from those of wgrad's CPU backend by at most 1e-6.
 */
import { expect, test } from "vitest";
import { initialValues, type TrainedModel } from "../../src/formats/model.ts";
import { pytorchCode, savePytorch } from "../../src/formats/pytorch.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { stridesOf } from "../../src/graph/tensor.ts";
import { layers, sequential, type Layer } from "../../src/nn/index.ts";
import { networks } from "../nn/layer-cases.ts";

function trainedOf(network: readonly Layer[], inputShape: readonly number[]): TrainedModel {
  return {
    model: sequential(network, { inputShape }),
    loss: "meanSquaredError",
    normalization: { scale: 1, offset: 0 },
    classes: [],
    outputs: ["output"],
    step: 0,
    training: {},
  };
}

function linesOf(name: string): string[] {
  const { layers: network, inputShape } = networks[name]!;
  return pytorchCode(trainedOf(network, inputShape), "f").split("\n");
}

test("gray images get one channel, and features leave in wgrad's order", () => {
  const lines = linesOf("a convolutional network on gray images");
  expect(lines).toContain(
    'network = nn.ModuleDict({"layers": nn.Sequential(nn.Unflatten(1, (1, 13)), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Tanh(), nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.GELU(), nn.AvgPool2d(2), Permute(0, 2, 3, 1), nn.Flatten(), nn.Linear(6, 3))}).eval()',
  );
  expect(lines.at(-1)).toBe(
    'predict = lambda x: network["layers"]((x.float().flatten(1) * scale + offset).unflatten(1, (13, 11)))',
  );
  expect(lines.filter((line) => line === "class Permute(nn.Module):")).toHaveLength(1);
});

test("uneven padding is a module of its own, and so is what a transposed convolution cuts off", () => {
  expect(linesOf("strides with padding same, which is uneven").join("\n")).toContain(
    'nn.Sequential(Permute(0, 3, 1, 2), nn.ConstantPad2d((0, 1, 0, 0), 0), nn.Conv2d(2, 3, 2, stride=2), nn.ELU(), nn.ConstantPad2d((0, 1, 0, 1), float("-inf")), nn.MaxPool2d(2, stride=1), nn.ConstantPad2d((1, 1, 0, 1), 0), nn.Conv2d(3, 3, (2, 3), stride=(1, 2), groups=3), Permute(0, 2, 3, 1))',
  );
  expect(linesOf("transposed convolutions").join("\n")).toContain(
    "nn.ConvTranspose2d(4, 4, 3, stride=2, groups=2), nn.ConstantPad2d((0, -1, 0, -1), 0), nn.SiLU(), nn.ConvTranspose2d(4, 2, 2, stride=3, output_padding=1), nn.ConvTranspose2d(2, 1, (3, 5), padding=1, bias=False, dilation=(2, 1))",
  );
  expect(linesOf("pooling with much padding").join("\n")).toContain(
    'nn.ConstantPad2d((2, 2, 2, 2), float("-inf")), nn.MaxPool2d(3, stride=2), nn.ConstantPad2d((2, 2, 2, 2), 0), nn.AvgPool2d(3)',
  );
});

test("the permutations of images stand around residual connections", () => {
  expect(linesOf("residual connections, with and without a projection").join("\n")).toContain(
    "nn.Sequential(Permute(0, 3, 1, 2), Residual(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Dropout2d(0.3), nn.Conv2d(4, 4, 3, padding=1)), nn.Sequential(nn.Conv2d(3, 4, 1, bias=False))), nn.ReLU(), Residual(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1)",
  );
  expect(linesOf("a residual connection from images to features").join("\n")).toContain(
    "Residual(nn.Sequential(Permute(0, 3, 1, 2), nn.Conv2d(2, 3, 2), Permute(0, 2, 3, 1), nn.Flatten(), nn.Linear(18, 5)), nn.Sequential(nn.Flatten(), nn.Linear(24, 5)))",
  );
});

test("dense layers have as many inputs as the last axis, whose order is wgrad's", () => {
  expect(linesOf("dense layers on each position").join("\n")).toContain(
    "nn.Sequential(nn.Linear(3, 6), nn.GELU(), Residual(nn.Sequential(nn.LayerNorm(6, eps=0.00001), nn.Linear(6, 6, bias=False), nn.Tanh()), nn.Sequential(nn.Linear(6, 6))), nn.Linear(6, 2))",
  );
  expect(linesOf("dense layers on the channels of images").join("\n")).toContain(
    "nn.Sequential(Permute(0, 3, 1, 2), nn.Conv2d(2, 3, 2), Permute(0, 2, 3, 1), nn.Linear(3, 4), nn.ReLU(), Permute(0, 3, 1, 2), nn.Conv2d(4, 2, 1), Permute(0, 2, 3, 1), nn.Linear(2, 3), nn.Flatten(), nn.Linear(36, 2))",
  );
});

test("weights are in PyTorch's layout, and parameters are named by their modules", () => {
  const network = [
    layers.residual([layers.conv2d(4, [2, 3], { groups: 2, padding: "same" }), layers.groupNorm(2)], {
      projection: [layers.conv2d(4, 1, { bias: false })],
    }),
    layers.convTranspose2d(2, [3, 2]),
    layers.depthwiseConv2d(2, { multiplier: 2 }),
    layers.reshape([20, 4]),
    layers.conv1d(5, 3),
  ];
  const trained = trainedOf(network, [4, 4, 2]);
  const own = initialValues(trained.model);
  const { tensors } = readSafetensors(savePytorch(trained), "f");
  // The names in wgrad and in PyTorch, the shape in PyTorch, and for each of its axes wgrad's axis. The padding of the
  // first inner layer is a module before it.
  const pairs: [string, string, readonly number[], readonly number[]][] = [
    ["layers.0.0.weight", "layers.1.layers.1.weight", [4, 1, 2, 3], [3, 2, 0, 1]],
    ["layers.0.0.bias", "layers.1.layers.1.bias", [4], [0]],
    ["layers.0.1.weight", "layers.1.layers.2.weight", [4], [0]],
    ["layers.0.1.bias", "layers.1.layers.2.bias", [4], [0]],
    ["layers.0.projection.0.weight", "layers.1.projection.0.weight", [4, 2, 1, 1], [3, 2, 0, 1]],
    ["layers.1.weight", "layers.2.weight", [4, 2, 3, 2], [3, 2, 0, 1]],
    ["layers.1.bias", "layers.2.bias", [2], [0]],
    ["layers.2.weight", "layers.3.weight", [4, 1, 2, 2], [3, 2, 0, 1]],
    ["layers.2.bias", "layers.3.bias", [4], [0]],
    ["layers.4.weight", "layers.8.weight", [5, 4, 3], [2, 1, 0]],
    ["layers.4.bias", "layers.8.bias", [5], [0]],
  ];
  expect([...tensors.keys()].toSorted()).toEqual(pairs.map(([, name]) => name).toSorted());
  expect(Object.keys(own).toSorted()).toEqual(pairs.map(([name]) => name).toSorted());
  for (const [name, theirName, shape, axes] of pairs) {
    const theirs = tensors.get(theirName)!;
    expect(theirs.shape, theirName).toEqual(shape);
    const strides = stridesOf(own[name]!.shape);
    const theirStrides = stridesOf(shape);
    theirs.values.forEach((value, index) => {
      const place = theirStrides.map((stride, axis) => Math.floor(index / stride) % shape[axis]!);
      const at = place.reduce((sum, position, axis) => sum + position * strides[axes[axis]!]!, 0);
      expect(value, `${theirName} ${place}`).toBe(own[name]!.values[at]);
    });
  }
});
