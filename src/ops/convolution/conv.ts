import { GraphError } from "../../errors.ts";
import { requireType, sameShape, sizeOf, Tensor, type GivenOp } from "../../graph/tensor.ts";
import { flip } from "../indexing/index.ts";
import { reshape, transpose } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import type { Precision } from "../../precisions.ts";
import { add } from "../elementwise/index.ts";
import { sumOfParts } from "../parts/index.ts";
import { partsOfRows, sumOverRows, USEFUL_PARTS } from "../parts/rows.ts";
import { depthwise } from "./depthwise.ts";
import { patches } from "./patches.ts";
import { byPhases } from "./phases.ts";
import { backwardWindows, pairOf, sidesOf, windowsOf, type Pair, type WindowOptions, type Windows } from "./windows.ts";

export interface ConvolutionOptions extends WindowOptions {
  /**
   * The number of groups that the channels and outputs are divided into. Each group of outputs sees only its own group
   * of channels. 1 by default. As many groups as channels make a depthwise convolution.
   */
  readonly groups?: number;
  /** The bias to add, float32 [outputs]; none by default. */
  readonly bias?: Tensor;
  /**
   * The precision of the operands of the matrix products, as in `matmul`; "float32" by default. A depthwise convolution
   * with one output per channel has no product, and is always float32.
   */
  readonly precision?: Precision;
}

interface ConvolutionAttributes {
  readonly windows: Windows;
  readonly groups: number;
  readonly precision: Precision;
}

/**
 * A view of the product that computes the convolution. Its inputs also include the images, weights and bias, so that
 * their gradients are computed as convolutions and no matrix of patches is stored.
 */
const conv2dOp: GivenOp = {
  name: "conv2d",
  kind: "view",
  hasChannels: true,
  gradient(node, upstream) {
    const [values, images, weights, bias] = node.inputs as [Tensor, Tensor, Tensor, Tensor?];
    const attributes = node.attributes as ConvolutionAttributes;
    // The ops of a depthwise convolution have gradients that are as fast.
    if (isDepthwise(images, weights, attributes.groups)) return [reshape(upstream, values.shape)];
    const size = images.shape.slice(1, 3) as unknown as Pair;
    return [
      undefined,
      imageGradient(upstream, weights, { ...attributes, size }),
      weightGradient(images, upstream, weights, attributes),
      ...(bias ? [sumOverRows(reshape(upstream, [-1, bias.size]), partsOf(images, weights, attributes))] : []),
    ];
  },
};

/**
 * Two-dimensional convolution as in deep learning: the kernel is not flipped. It is computed as a matrix product that
 * reads the images through windows. Neither the convolution nor its gradients store the matrix of windows.
 * @param images float32 [examples, height, width, channels]
 * @param weights float32 [window height, window width, channels / groups, outputs]
 * @returns [examples, window rows, window columns, outputs]
 * @throws GraphError if types, axes, channels or groups do not fit, or if no window fits in the images
 */
export function conv2d(images: Tensor, weights: Tensor, options: ConvolutionOptions = {}): Tensor {
  const { groups = 1 } = options;
  requireImages("conv2d", images);
  requireType("conv2d weights", weights, "float32");
  if (weights.shape.length !== 4 || !haveGroups(images, weights, groups)) {
    throw new GraphError({
      where: "conv2d",
      what: `images ${images} and weights ${weights}${inGroups(groups)}`,
      fix: "Give weights [height, width, channels / groups, outputs], and groups that divide channels and outputs",
    });
  }
  return convolution("conv2d", images, weights, options);
}

/** Whether the last axes of images or signals, [channels], and weights, [channels / groups, outputs], fit each other. */
function haveGroups(images: Tensor, weights: Tensor, groups: number): boolean {
  const [channels, outputs] = weights.shape.slice(-2) as [number, number];
  return isCount(groups) && channels * groups === images.shape.at(-1) && outputs % groups === 0;
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

const inGroups = (groups: number): string => (groups === 1 ? "" : ` in ${groups} groups`);

/** A convolution whose images and weights fit. */
function convolution(where: string, images: Tensor, weights: Tensor, options: ConvolutionOptions): Tensor {
  const { groups = 1, precision = "float32", bias } = options;
  const [height, width, , outputs] = weights.shape as [number, number, number, number];
  if (bias !== undefined) requireType(`${where} bias`, bias, "float32");
  if (bias && !sameShape(bias.shape, [outputs])) {
    throw new GraphError({ where, what: `bias ${bias} for ${outputs} outputs`, fix: `Give float32 [${outputs}]` });
  }
  const windows = windowsOf(where, images.shape, [height, width], options);
  return convolved(images, weights, { windows, groups, precision }, bias);
}

function convolved(images: Tensor, weights: Tensor, attributes: ConvolutionAttributes, bias?: Tensor): Tensor {
  const product = productOf(images, weights, attributes);
  return convolutionBy(bias ? add(product, bias) : product, [images, weights, ...(bias ? [bias] : [])], attributes);
}

/** @param values the values of the convolution, as from `productOf` */
function convolutionBy(values: Tensor, inputs: readonly Tensor[], attributes: ConvolutionAttributes): Tensor {
  const [images, weights] = inputs as [Tensor, Tensor];
  const shape = [images.shape[0]!, ...attributes.windows.count, weights.shape[3]!];
  return new Tensor<ConvolutionAttributes>(conv2dOp, [values, ...inputs], attributes, { shape, dtype: "float32" });
}

/** @returns [examples · windows, outputs], or with axes for the rows and columns of windows */
function productOf(images: Tensor, weights: Tensor, attributes: ConvolutionAttributes): Tensor {
  const { windows, groups, precision } = attributes;
  const outputs = weights.shape[3]!;
  if (groups === 1) return matmul(patches(images, windows), reshape(weights, [-1, outputs]), { precision });
  if (isDepthwise(images, weights, groups)) return depthwise(images, weights, windows);
  return grouped(images, weights, attributes);
}

/** Whether each output sees one of several channels, and each channel has one output. */
const isDepthwise = (images: Tensor, weights: Tensor, groups: number): boolean =>
  groups > 1 && groups === images.shape[3] && sameShape(weights.shape.slice(2), [1, groups]);

/** Computes one matrix product per group. */
function grouped(images: Tensor, weights: Tensor, { windows, groups, precision }: ConvolutionAttributes): Tensor {
  const product = matmul(patches(images, windows, { groups }), groupedWeights(weights, groups), { precision });
  return reshape(transpose(product, [1, 0, 2]), [-1, weights.shape[3]!]);
}

/** @returns [groups, positions · channels per group, outputs per group] */
function groupedWeights(weights: Tensor, groups: number): Tensor {
  const [height, width, channels, outputs] = weights.shape as [number, number, number, number];
  const apart = reshape(weights, [height * width * channels, groups, outputs / groups]);
  return transpose(apart, [1, 0, 2]);
}

/**
 * The gradient for the images: each element is part of several windows, so it is a convolution of the upstream gradient
 * with the flipped kernel.
 */
function imageGradient(
  upstream: Tensor,
  weights: Tensor,
  { size, windows, groups, precision }: ConvolutionAttributes & { readonly size: Pair },
): Tensor {
  const [height, width, channels, outputs] = weights.shape as [number, number, number, number];
  const backward = { windows: backwardWindows(windows, size), groups, precision };
  if (isDepthwise(upstream, weights, groups)) {
    const values = depthwise(upstream, weights, backward.windows, { flipped: true });
    return convolutionBy(values, [upstream, weights], backward);
  }
  const flipped = flip(weights, [0, 1]);
  const apart = reshape(flipped, [height, width, channels, groups, outputs / groups]);
  const reversed = reshape(transpose(apart, [0, 1, 4, 3, 2]), [height, width, outputs / groups, groups * channels]);
  if (groups > 1) return convolved(upstream, reversed, backward);
  const productBy = (part: Tensor, on: Windows) => {
    // A right operand whose rows are as adjacent in memory as those of the weights.
    const byChannel = reshape(transpose(part, [2, 0, 1, 3]), [channels, -1]);
    return matmul(patches(upstream, on), byChannel, { transposeRight: true, precision });
  };
  const examples = upstream.shape[0]!;
  const product = hasPhases(backward.windows, examples * weights.size)
    ? byPhases([examples, channels], flipped, backward.windows, productBy)
    : productBy(flipped, backward.windows);
  return convolutionBy(product, [upstream, reversed], backward);
}

/**
 * With fewer products than this, more dispatches take longer than the products with zeros that they avoid.
 */
const FEWEST_PRODUCTS = 2 ** 24;

/** Each phase is a product and a dispatch of its own, and a stride may be any whole number. */
const MOST_PHASES = 1024;

/** @param products the products at each position of the windows */
const hasPhases = ({ stride, spread, count }: Windows, products: number): boolean => {
  const phases = sizeOf(spread);
  return phases > 1 && phases <= MOST_PHASES && sizeOf(stride) === 1 && products * sizeOf(count) >= FEWEST_PRODUCTS;
};

function weightGradient(images: Tensor, upstream: Tensor, weights: Tensor, attributes: ConvolutionAttributes): Tensor {
  const { windows, groups, precision } = attributes;
  const outputs = weights.shape[3]!;
  if (groups === 1 && hasPhases(windows, images.shape[0]! * weights.size)) {
    // The convolution whose image gradient this one is has the same products, and none with zeros.
    const size = images.shape.slice(1, 3) as unknown as Pair;
    const back = { ...attributes, windows: backwardWindows(windows, size) };
    const exchanged = weightGradient(upstream, images, transpose(weights, [0, 1, 3, 2]), back);
    return flip(transpose(exchanged, [0, 1, 3, 2]), [0, 1]);
  }
  if (groups === 1) {
    const rows = patches(images, windows);
    return reshape(
      productOverRows(rows, reshape(upstream, [-1, outputs]), partsOf(images, weights, attributes), precision),
      weights.shape,
    );
  }
  const [height, width, channels] = weights.shape as [number, number, number];
  const own = outputs / groups;
  const right = transpose(reshape(upstream, [-1, groups, own]), [1, 0, 2]);
  const product = matmul(patches(images, windows, { groups }), right, { transposeLeft: true, precision });
  return reshape(transpose(product, [1, 0, 2]), [height, width, channels, outputs]);
}

/** The number of outputs per tile in which a kernel divides a product. */
const TILE_OUTPUTS = 64 * 64;

/**
 * The number of parts into which the gradient of the weights divides its sums over all windows, if there are many
 * windows and few weights. It depends only on the shapes.
 */
function partsOf(images: Tensor, weights: Tensor, { windows, groups }: ConvolutionAttributes): number {
  if (groups !== 1) return 1;
  const rows = images.shape[0]! * windows.count[0] * windows.count[1];
  const useful = Math.ceil((USEFUL_PARTS * TILE_OUTPUTS) / Math.max(weights.size, TILE_OUTPUTS));
  return partsOfRows(rows, useful);
}

/** leftᵀ · right. The rows are divided into parts whose products are added in order. */
function productOverRows(left: Tensor, right: Tensor, parts: number, precision: Precision): Tensor {
  const options = { transposeLeft: true, precision };
  if (parts === 1) return matmul(left, right, options);
  const inParts = (matrix: Tensor) => reshape(matrix, [parts, -1, matrix.shape[1]!]);
  return sumOfParts(matmul(inParts(left), inParts(right), options));
}

export interface TransposedConvolutionOptions extends Omit<ConvolutionOptions, "padding" | "bias"> {
  /** The padding of the convolution whose image gradient this is; "valid" by default. */
  readonly padding?: ConvolutionOptions["padding"];
  /** The height and width of the result, if several sizes have the same windows; the smallest by default. */
  readonly size?: Pair;
}

/**
 * Transposed convolution: the gradient of `conv2d` with respect to its images, which enlarges images by the stride.
 * @param images float32 [examples, height, width, outputs], the shape of that convolution's result
 * @param weights float32 [window height, window width, channels / groups, outputs], as in that convolution
 * @returns [examples, height, width, channels]
 * @throws GraphError if types, axes, channels or groups do not fit, or if images of this size do not have these windows
 */
export function convTranspose2d(images: Tensor, weights: Tensor, options: TransposedConvolutionOptions = {}): Tensor {
  const { groups = 1, precision = "float32" } = options;
  requireImages("convTranspose2d", images);
  requireType("convTranspose2d weights", weights, "float32");
  const [examples, rows, columns, outputs] = images.shape as [number, number, number, number];
  const fits = weights.shape.length === 4 && weights.shape[3] === outputs;
  if (!fits || !isCount(groups) || outputs % groups !== 0) {
    throw new GraphError({
      where: "convTranspose2d",
      what: `images ${images} and weights ${weights}${inGroups(groups)}`,
      fix:
        "Give weights [height, width, channels / groups, outputs], of as many outputs as the images have channels, and groups " +
        "that divide them",
    });
  }
  const [height, width, channels] = weights.shape as [number, number, number];
  const size = options.size ?? smallestSize([rows, columns], [height, width], options);
  const windows = windowsOf("convTranspose2d", [examples, ...size, channels * groups], [height, width], options);
  if (!sameShape(windows.count, [rows, columns])) {
    const what = `images of ${size.join(" × ")} have ${windows.count.join(" × ")} windows, and ${images} has other sizes`;
    throw new GraphError({ where: "convTranspose2d", what, fix: "Give a size whose windows are as many" });
  }
  return imageGradient(images, weights, { windows, groups, precision, size });
}

/**
 * The height and width of the smallest images that have this number of windows.
 * @throws GraphError if an option is outside its range
 */
export function smallestSize(count: Pair, kernel: Pair, options: TransposedConvolutionOptions): Pair {
  const where = "convTranspose2d";
  const stride = pairOf(where, "stride", options.stride ?? 1);
  if (options.padding === "same") return [count[0] * stride[0], count[1] * stride[1]];
  const dilation = pairOf(where, "dilation", options.dilation ?? 1);
  // Only "same" padding depends on the size of the images.
  const sides = sidesOf(where, count, kernel, options);
  const side = (axis: 0 | 1) => {
    const [before, after] = sides[axis];
    return (count[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 - before - after;
  };
  return [side(0), side(1)];
}

/** @throws GraphError */
export function requireImages(where: string, images: Tensor): void {
  // The layers have the names of the ops, and take numbers or nothing first.
  if (typeof images !== "object") {
    const fix = "Give a tensor, or for a layer call the function in layers, such as layers.conv2d(8, 3)";
    throw new GraphError({ where, what: `takes images but was given ${String(images)}`, fix });
  }
  requireType(where, images, "float32");
  if (images.shape.length === 4) return;
  throw new GraphError({
    where,
    what: `${images} is not a batch of images`,
    fix: "Give [examples, height, width, channels]",
  });
}

/** The windows that a convolution moves over signals. */
export interface SignalWindowOptions {
  /** Elements from one window to the next; 1 by default. */
  readonly stride?: number;
  /**
   * "valid": none, the default. "same": zeros at both ends, so that the output has ⌈length / stride⌉ elements; if the
   * number of zeros is odd, the extra one is at the end. Otherwise, a number of elements at each end, or
   * [before, after].
   */
  readonly padding?: "same" | "valid" | number | Pair;
  /** Elements of the signal from one element of a window to the next; 1 by default. */
  readonly dilation?: number;
}

/** Options of `conv1d`. */
export interface SignalConvolutionOptions
  extends SignalWindowOptions, Pick<ConvolutionOptions, "groups" | "bias" | "precision"> {}

/**
 * One-dimensional convolution.
 * @param signals float32 [examples, length, channels]
 * @param weights float32 [window length, channels / groups, outputs]
 * @returns [examples, windows, outputs]
 * @throws GraphError if types, axes, channels, groups or an option do not fit, or if no window fits in the signals
 */
export function conv1d(signals: Tensor, weights: Tensor, options: SignalConvolutionOptions = {}): Tensor {
  const where = "conv1d";
  const { groups = 1, bias, precision } = options;
  requireType(where, signals, "float32");
  requireType(`${where} weights`, weights, "float32");
  if (signals.shape.length !== 3 || weights.shape.length !== 3 || !haveGroups(signals, weights, groups)) {
    throw new GraphError({
      where,
      what: `signals ${signals} and weights ${weights}${inGroups(groups)}`,
      fix:
        "Give signals [examples, length, channels], weights [length, channels / groups, outputs], and groups that divide channels " +
        "and outputs",
    });
  }
  const [examples, length, channels] = signals.shape as [number, number, number];
  const images = reshape(signals, [examples, 1, length, channels]);
  const windows = windowsAlong(where, options);
  const result = convolution(where, images, reshape(weights, [1, ...weights.shape]), {
    ...windows,
    groups,
    bias,
    precision,
  });
  return reshape(result, [examples, result.shape[2]!, result.shape[3]!]);
}

/**
 * The windows along the width of images with a height of 1.
 * @throws GraphError if an option is outside its range
 */
export function windowsAlong(where: string, options: SignalWindowOptions): WindowOptions {
  const { stride = 1, dilation = 1, padding = "valid" } = options;
  for (const [name, value] of Object.entries({ stride, dilation })) {
    if (isCount(value)) continue;
    throw new GraphError({
      where,
      what: `${name} is ${JSON.stringify(value)}`,
      fix: "Give a whole number of at least 1",
    });
  }
  const ends = typeof padding === "number" ? ([padding, padding] as const) : padding;
  return {
    stride: [1, stride],
    dilation: [1, dilation],
    padding: typeof ends === "string" ? ends : [[0, 0], ends],
  };
}
