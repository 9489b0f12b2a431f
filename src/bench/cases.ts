/*
 * The benchmarks of single kernels: small graphs, with values for their inputs and the results to compare.
 */
import type { NumericArray, Session } from "../backends/backend.ts";
import { defineGraph, topologicalOrder, type Graph } from "../graph/graph.ts";
import { input, parameter, stepScalar } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { adam } from "../nn/optimizers.ts";
import { conv2d } from "../ops/convolution/index.ts";
import { takeBatch } from "../ops/gather/index.ts";
import { gradients, gradientsFrom } from "../ops/gradients.ts";
import { pack } from "../ops/layout/index.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { matmul, type MatmulOptions } from "../ops/matmul/index.ts";
import { sum } from "../ops/reduce/index.ts";
import { Random } from "../random.ts";
import type { Tolerance } from "./check.ts";
import { CLASSES, FEATURES, noiseImages, normalization, uniformValues } from "./data.ts";

/** A result to compare: an output by its name, or a leaf that the graph updates, with its tolerance. */
export interface Result {
  readonly of: string | Tensor;
  readonly tolerance: Tolerance;
}

/** A graph with everything needed to run it once. */
export interface Problem {
  readonly graph: Graph;
  readonly values: readonly (readonly [leaf: Tensor, values: NumericArray])[];
  readonly results: readonly Result[];
}

/** The benchmark of a kernel. */
export interface KernelCase {
  readonly name: string;
  readonly shapes: string;
  /** The FLOPs and bytes of the operation, independent of the kernel: every operand and result is counted once. */
  readonly flops: number;
  readonly bytes: number;
  /** The name of a smaller case, by which the time of this one is predicted if it may be too long. */
  readonly predictedBy?: string;
  /** Creates the graph and its values. */
  build(): Problem;
  /** A smaller problem whose results are some rows of those of `build`, if the CPU would take too long for all of them. */
  sample?(problem: Problem): { problem: Problem; rows: readonly number[] };
}

/** Writes a problem's values to a session that has compiled its graph. */
export function writeValues(session: Session, { values }: Problem): void {
  for (const [leaf, numbers] of values) session.write(leaf, numbers);
}

interface Product extends MatmulOptions {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Compare only this many rows. */
  readonly sampledRows?: number;
  readonly predictedBy?: string;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function product({ rows, inner, columns, sampledRows, predictedBy, ...options }: Product): KernelCase {
  const leftShape = options.transposeLeft ? [inner, rows] : [rows, inner];
  const rightShape = options.transposeRight ? [columns, inner] : [inner, columns];
  const transposed = `${options.transposeLeft ? ", left transposed" : ""}${options.transposeRight ? ", right transposed" : ""}`;
  const graphOf = (left: Tensor, right: Tensor, leftValues: NumericArray, rightValues: NumericArray): Problem => ({
    graph: defineGraph({ product: matmul(left, right, options) }),
    values: [
      [left, leftValues],
      [right, rightValues],
    ],
    results: [{ of: "product", tolerance: { joined: inner } }],
  });
  return {
    name: `matmul ${rows}x${inner}x${columns}${transposed}`,
    shapes: `${shapeText(leftShape)} ${shapeText(rightShape)} → ${shapeText([rows, columns])}`,
    predictedBy,
    flops: 2 * rows * inner * columns,
    bytes: 4 * (rows * inner + inner * columns + rows * columns),
    build: () =>
      graphOf(
        input("left", leftShape),
        input("right", rightShape),
        uniformValues(rows * inner, 1),
        uniformValues(inner * columns, 2),
      ),
    ...(sampledRows !== undefined && {
      sample({ values: [left, right] }: Problem) {
        const random = new Random(3);
        const chosen = [0, rows - 1, ...Array.from({ length: sampledRows - 2 }, () => random.below(rows))];
        const picked = new Float32Array(chosen.length * inner);
        chosen.forEach((row, position) =>
          picked.set(left![1].subarray(row * inner, (row + 1) * inner), position * inner),
        );
        return { problem: graphOf(input("left", [chosen.length, inner]), right![0], picked, right![1]), rows: chosen };
      },
    }),
  };
}

/** Small integers, whose sums are exact in any order. */
function smallIntegers(count: number): Float32Array {
  const random = new Random(4);
  return Float32Array.from({ length: count }, () => random.below(9) - 4);
}

function reduction(name: string, shape: readonly number[], axes?: number): KernelCase {
  const count = shape.reduce((all, size) => all * size, 1);
  const build = (): Problem => {
    const terms = input("terms", shape);
    return {
      graph: defineGraph({ sums: sum(terms, axes === undefined ? {} : { axes }) }),
      values: [[terms, smallIntegers(count)]],
      results: [{ of: "sums", tolerance: {} }],
    };
  };
  const results = axes === undefined ? [] : shape.filter((_, axis) => axis !== axes);
  const bytes = 4 * (count + results.reduce((all, size) => all * size, 1));
  return { name, shapes: `${shapeText(shape)} → ${shapeText(results)}`, flops: count, bytes, build };
}

/** The loss of a batch and its gradient. Each function of an element counts as one FLOP. */
function crossEntropy(batch: number): KernelCase {
  const build = (): Problem => {
    const logits = input("logits", [batch, CLASSES]);
    const labels = input("labels", [batch], "uint32");
    const loss = softmaxCrossEntropy(logits, labels);
    const random = new Random(5);
    return {
      graph: defineGraph({ loss, gradient: gradients(loss, [logits])[0] }),
      values: [
        [logits, uniformValues(batch * CLASSES, 6)],
        [labels, Uint32Array.from({ length: batch }, () => random.below(CLASSES))],
      ],
      // The logits are within ±1; exp may be off by 3 + 2·2 ULP, which is twice as many units of half a ULP.
      results: ["loss", "gradient"].map((of) => ({ of, tolerance: { joined: batch, units: 64 } })),
    };
  };
  const elements = batch * CLASSES;
  const shapes = `[${batch}, ${CLASSES}] [${batch}] → [] [${batch}, ${CLASSES}]`;
  return {
    name: `cross-entropy ${batch}x${CLASSES}`,
    shapes,
    flops: 6 * elements,
    bytes: 4 * (2 * elements + batch + 1),
    build,
  };
}

interface Convolution {
  readonly examples: number;
  /** The height and width of the images. */
  readonly size: number;
  readonly channels: number;
  readonly outputs: number;
}

/** A 3 × 3 convolution with padding, or its gradient with respect to the weights or the images. */
function convolution(
  of: "forward" | "weights" | "images",
  { examples, size, channels, outputs }: Convolution,
): KernelCase {
  const imageShape = [examples, size, size, channels];
  const weightShape = [3, 3, channels, outputs];
  const upstreamShape = [examples, size, size, outputs];
  const build = (): Problem => {
    const images = input("images", imageShape);
    const weights = input("weights", weightShape);
    const upstream = input("upstream", upstreamShape);
    const result = conv2d(images, weights, { padding: "same" });
    // As in a training step, the upstream gradient is in memory.
    const backward = () => gradientsFrom(new Map([[result, upstream]]), [of === "images" ? images : weights])[0]!;
    const target = of === "forward" ? result : backward();
    const leaves = [images, weights, upstream].filter((leaf) => topologicalOrder([target]).includes(leaf));
    return {
      graph: defineGraph({ result: target }),
      values: leaves.map((leaf, index) => [leaf, uniformValues(leaf.size, index + 10)]),
      results: [
        {
          of: "result",
          tolerance: { joined: of === "weights" ? examples * size * size : 9 * Math.max(channels, outputs) },
        },
      ],
    };
  };
  const elements = (shape: readonly number[]) => shape.reduce((all, one) => all * one, 1);
  const written = of === "forward" ? "" : `, gradient of ${of}`;
  return {
    name: `conv2d 3x3 ${channels}-${outputs} ${size}x${size}${written}`,
    shapes: `${shapeText(imageShape)} ${shapeText(weightShape)} → ${shapeText(upstreamShape)}`,
    flops: 2 * elements(upstreamShape) * 9 * channels,
    bytes: 4 * (elements(imageShape) + elements(weightShape) + elements(upstreamShape)),
    build,
  };
}

const convolutions = [
  { examples: 64, size: 28, channels: 16, outputs: 16 },
  { examples: 64, size: 14, channels: 32, outputs: 32 },
].flatMap((sizes) => (["forward", "weights", "images"] as const).map((of) => convolution(of, sizes)));

/** Adam's update of `count` parameters. */
function optimizer(count: number): KernelCase {
  const build = (): Problem => {
    const weights = parameter("weights", [count], uniformValues(count, 7));
    const gradient = input("gradient", pack([weights]).shape);
    const updates = adam().update([weights], gradient, { learningRate: stepScalar("rate", () => 1e-3) });
    const moments = updates.slice(1).map(({ target }) => target);
    return {
      graph: defineGraph({}, updates),
      // The zeros at the end are the padding of the pack. No other gradient is near 0, where Adam's direction jumps.
      values: [
        [gradient, uniformValues(gradient.size, 8).map((value, at) => (at < count ? value + Math.sign(value) : 0))],
      ],
      results: [weights, ...moments].map((of) => ({ of, tolerance: { units: 32 } })),
    };
  };
  const shapes = `[${count}] × 4 → [${count}] × 3`;
  return { name: `adam ${count}`, shapes, flops: 14 * count, bytes: 4 * 7 * count, build };
}

/** Gathers a batch of byte rows by a permutation, and converts them to floats. */
function batchTaking(count: number): KernelCase {
  const build = (): Problem => {
    const { features, count: examples } = noiseImages();
    const data = input("features", [examples, FEATURES], "uint8");
    const order = input("order", [examples], "uint32");
    const start = stepScalar("start", (step) => (step * count) % (examples - count), "uint32");
    return {
      graph: defineGraph({ batch: takeBatch(data, { order, start, count, ...normalization }) }),
      values: [
        [data, features],
        [order, new Random(9).permutation(examples)],
      ],
      results: [{ of: "batch", tolerance: {} }],
    };
  };
  const elements = count * FEATURES;
  const shapes = `u8[60000, ${FEATURES}] → [${count}, ${FEATURES}]`;
  return {
    name: `take batch ${count}x${FEATURES}`,
    shapes,
    flops: 2 * elements,
    bytes: elements + 4 * count + 4 * elements,
    build,
  };
}

/** The kernels of a training step, and larger matrix products. */
export const kernelCases: readonly KernelCase[] = [
  product({ rows: 64, inner: FEATURES, columns: 128 }),
  product({ rows: FEATURES, inner: 64, columns: 128, transposeLeft: true }),
  product({ rows: 64, inner: 128, columns: CLASSES }),
  product({ rows: 64, inner: CLASSES, columns: 128, transposeRight: true }),
  product({ rows: 128, inner: 64, columns: CLASSES, transposeLeft: true }),
  product({ rows: 512, inner: 512, columns: 512 }),
  product({ rows: 1024, inner: 1024, columns: 1024, sampledRows: 32 }),
  product({ rows: 4096, inner: 4096, columns: 4096, sampledRows: 4, predictedBy: "matmul 1024x1024x1024" }),
  ...convolutions,
  reduction("column sums 512x128", [512, 128], 0),
  reduction("sum 1000000", [1_000_000]),
  crossEntropy(64),
  crossEntropy(512),
  optimizer(100_000),
  optimizer(1_000_000),
  batchTaking(64),
  batchTaking(512),
];
