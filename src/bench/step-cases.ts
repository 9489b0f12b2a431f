/*
 * The networks and data of benchmarked training steps.
 */
import type { ClassificationDataset, UniformNormalization } from "../data/dataset.ts";
import type { TextDataset } from "../data/text/dataset.ts";
import type { FunctionalModel } from "../nn/functional.ts";
import { gpt } from "../nn/models/gpt.ts";
import type { Model } from "../nn/sequential.ts";
import {
  CLASSES,
  exactNetwork,
  FEATURES,
  networkName,
  noiseImages,
  noiseText,
  normalization,
  VOCABULARY,
} from "./data.ts";

/** A training step to measure. */
export interface StepCase {
  /** The name for `--filter` and `--compare`. */
  readonly name: string;
  /** The network, such as "784-128-10". */
  readonly network: string;
  readonly batch: number;
  /** The FLOPs of the products of a step, from which its time is predicted. */
  readonly flops: number;
  /** The number of layers, from which the time of compiling is predicted. */
  readonly layers: number;
  /** The number of terms in one element of a gradient. */
  readonly terms: number;
  /** The number of operations between a gradient and the loss, whose rounding errors add up. */
  readonly depth: number;
  /** Tokens per example of a text. */
  readonly context?: number;
  /** Makes the network and the data. */
  create(): StepWork;
}

/** What a step trains. */
export interface StepWork {
  readonly model: Model | FunctionalModel;
  readonly dataset: ClassificationDataset | TextDataset;
  readonly normalization?: UniformNormalization;
}

/** A step of a network of dense layers with relu on images of 784 pixels. */
export function denseStep(name: string, { hidden, batch }: { hidden: readonly number[]; batch: number }): StepCase {
  const widths = [FEATURES, ...hidden, CLASSES];
  const products = widths.slice(1).map((width, layer) => widths[layer]! * width);
  const weights = products.reduce((sum, size) => sum + size, 0);
  const layers = hidden.length + 1;
  return {
    name,
    network: networkName(hidden),
    batch,
    // The forward pass, and twice as many backward except for the gradient of the input, and Adam.
    flops: 2 * batch * (3 * weights - products[0]!) + 14 * weights,
    layers,
    terms: batch,
    depth: layers,
    create: () => ({ model: exactNetwork(hidden), dataset: noiseImages(), normalization }),
  };
}

/** The sizes of the GPT that do not vary. */
const GPT = { layers: 2, heads: 4 } as const;

/** Operations of a block one after another: two norms, attention, and four products with GELU and residual connections. */
const DEPTH_OF_BLOCK = 12;

/** A step of a GPT of two blocks with four heads on a text of 65 tokens. */
export function gptStep(name: string, sizes: { context: number; width: number; batch: number }): StepCase {
  const { context, width, batch } = sizes;
  const weights = GPT.layers * 12 * width ** 2 + VOCABULARY * width;
  const scores = GPT.layers * 2 * context * width;
  return {
    name,
    network: `gpt ${GPT.layers} × ${width}`,
    batch,
    flops: 6 * batch * context * (weights + scores) + 14 * weights,
    layers: GPT.layers,
    terms: batch * context,
    depth: DEPTH_OF_BLOCK * GPT.layers,
    context,
    create: () => ({
      model: gpt({ vocabulary: VOCABULARY, context, width, ...GPT }),
      dataset: noiseText(context),
    }),
  };
}
