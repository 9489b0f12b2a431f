import type { Tensor } from "../../../src/graph/tensor.ts";
import * as ops from "../../../src/ops/convolution/index.ts";
import { distinct, GAP, uniform, type Draw } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const images = floats(2, 5, 6, 4);

const convolution = (weights: number[], options: ops.ConvolutionOptions, torch: string): Comparison =>
  comparison(
    "conv2d",
    { x: images, w: floats(...weights), bias: floats(weights[3]!) },
    ({ x, w, bias }) => ops.conv2d(x, w, { ...options, bias }),
    torch,
  );

const convolutions = [
  convolution([3, 2, 4, 3], {}, "nhwc(F.conv2d(nchw(x), kernel(w), bias))"),
  convolution([3, 3, 4, 3], { padding: "same" }, "nhwc(F.conv2d(nchw(x), kernel(w), bias, padding='same'))"),
  convolution(
    [3, 3, 4, 3],
    { padding: "same", stride: 2 },
    "nhwc(F.conv2d(F.pad(nchw(x), (0, 1, 1, 1)), kernel(w), bias, stride=2))",
  ),
  convolution(
    [2, 3, 4, 2],
    { padding: [2, 1], stride: [1, 3], dilation: [3, 1] },
    "nhwc(F.conv2d(nchw(x), kernel(w), bias, stride=(1, 3), padding=(2, 1), dilation=(3, 1)))",
  ),
  convolution([3, 3, 2, 6], { groups: 2, padding: 1 }, "nhwc(F.conv2d(nchw(x), kernel(w), bias, padding=1, groups=2))"),
  convolution([3, 3, 1, 4], { groups: 4 }, "nhwc(F.conv2d(nchw(x), kernel(w), bias, groups=4))"),
  convolution([3, 3, 1, 8], { groups: 4, stride: 2 }, "nhwc(F.conv2d(nchw(x), kernel(w), bias, stride=2, groups=4))"),
];

const signals = [
  comparison(
    "conv1d",
    { x: floats(2, 9, 4), w: floats(3, 2, 6), bias: floats(6) },
    ({ x, w, bias }) => ops.conv1d(x, w, { padding: [3, 0], stride: 2, groups: 2, bias }),
    "F.conv1d(F.pad(x.mT, (3, 0)), w.permute(2, 1, 0), bias, stride=2, groups=2).mT",
  ),
  comparison(
    "conv1d",
    { x: floats(2, 9, 3), w: floats(4, 3, 2) },
    ({ x, w }) => ops.conv1d(x, w, { padding: "same", dilation: 2 }),
    "F.conv1d(x.mT, w.permute(2, 1, 0), padding='same', dilation=2).mT",
  ),
];

const transposed = [
  comparison(
    "convTranspose2d",
    { x: floats(2, 3, 4, 3), w: floats(3, 2, 5, 3) },
    ({ x, w }) => ops.convTranspose2d(x, w, { stride: 2 }),
    "nhwc(F.conv_transpose2d(nchw(x), kernel(w), stride=2))",
  ),
  comparison(
    "convTranspose2d",
    { x: floats(2, 3, 4, 6), w: floats(3, 3, 2, 6) },
    ({ x, w }) => ops.convTranspose2d(x, w, { stride: [2, 3], padding: 1, dilation: [1, 2], groups: 3, size: [6, 12] }),
    "nhwc(F.conv_transpose2d(nchw(x), kernel(w), stride=(2, 3), padding=1, output_padding=(1, 0), groups=3, dilation=(1, 2)))",
  ),
  comparison(
    "convTranspose2d",
    { x: floats(2, 3, 4, 3), w: floats(3, 3, 2, 3) },
    ({ x, w }) => ops.convTranspose2d(x, w, { stride: 2, padding: "same" }),
    "nhwc(F.conv_transpose2d(nchw(x), kernel(w), stride=2)[:, :, :6, :8])",
  ),
];

const apart = { shape: [2, 5, 6, 3], draw: distinct };

const pooling = (op: string, f: (x: Tensor) => Tensor, torch: string): Comparison =>
  comparison(op, { x: apart }, ({ x }) => f(x), torch);

const poolings = [
  pooling("maxPool2d", (x) => ops.maxPool2d(x, 2), "nhwc(F.max_pool2d(nchw(x), 2))"),
  pooling(
    "maxPool2d",
    (x) => ops.maxPool2d(x, [3, 2], { stride: [2, 1], padding: [1, 1], dilation: [1, 3] }),
    "nhwc(F.max_pool2d(nchw(x), (3, 2), (2, 1), 1, (1, 3)))",
  ),
  pooling("averagePool2d", (x) => ops.averagePool2d(x, 2), "nhwc(F.avg_pool2d(nchw(x), 2))"),
  pooling(
    "averagePool2d",
    (x) => ops.averagePool2d(x, 3, { stride: [1, 2], padding: 1 }),
    "nhwc(F.avg_pool2d(nchw(x), 3, (1, 2), 1))",
  ),
  pooling("globalMaxPool2d", ops.globalMaxPool2d, "F.adaptive_max_pool2d(nchw(x), 1)[:, :, 0, 0]"),
  pooling("globalAveragePool2d", ops.globalAveragePool2d, "F.adaptive_avg_pool2d(nchw(x), 1)[:, :, 0, 0]"),
];

/** Within an image of 5 × 6, away from whole numbers, where the derivative jumps, and around it. */
const positions: Draw = (random, size) =>
  Array.from({ length: size }, () => random.below(8) - 1.5 + random.uniform(-0.5 + GAP, 0.5 - GAP));

const sizes = [
  comparison(
    "upsampleNearest2d",
    { x: floats(2, 2, 3, 2) },
    ({ x }) => ops.upsampleNearest2d(x, [2, 3]),
    "nhwc(F.interpolate(nchw(x), scale_factor=(2, 3)))",
  ),
  ...[
    [8, 10],
    [3, 4],
    [5, 13],
  ].map(([rows, columns]) =>
    comparison(
      "resizeBilinear2d",
      { x: floats(2, 5, 6, 2) },
      ({ x }) => ops.resizeBilinear2d(x, [rows!, columns!]),
      `nhwc(F.interpolate(nchw(x), (${rows}, ${columns}), mode='bilinear', align_corners=False))`,
    ),
  ),
  comparison(
    "sampleBilinear2d",
    { x: floats(2, 5, 6, 3), positions: { shape: [2, 3, 4, 2], draw: positions } },
    ({ x, positions: at }) => ops.sampleBilinear2d(x, at),
    "nhwc(F.grid_sample(nchw(x), grid(positions, 5, 6), align_corners=True))",
  ),
  comparison(
    "sampleBilinear2d",
    { x: { shape: [1, 5, 6, 2], draw: uniform(-1, 1) }, positions: { shape: [1, 2, 5, 2], draw: positions } },
    ({ x, positions: at }) => ops.sampleBilinear2d(x, at, { fill: 0.75 }),
    "nhwc(F.grid_sample(nchw(x - 0.75), grid(positions, 5, 6), align_corners=True)) + 0.75",
  ),
];

export const comparisons: readonly Comparison[] = [...convolutions, ...signals, ...transposed, ...poolings, ...sizes];
