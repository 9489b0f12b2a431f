import combinePartsSource from "../../../shaders/combine_parts.wgsl?raw";
import library from "../../../shaders/convolution.wgsl?raw";
import depthwiseSource from "../../../shaders/depthwise.wgsl?raw";
import weightsSource from "../../../shaders/depthwise_weights.wgsl?raw";
import reduceSource from "../../../shaders/reduce.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, Place, PointwiseKernel } from "../kernel.ts";
import { reductionLaunches } from "../webgpu/reductions.ts";
import { threadsFor } from "../webgpu/threads.ts";
import { integerLiteral, signedLiteral } from "../webgpu/wgsl.ts";
import { depthwiseFlops, type DepthwiseAttributes, type DepthwiseConvolutionAttributes } from "./depthwise.ts";
import type { PatchesAttributes } from "./patches.ts";

const patches: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression(node, [image], place, { float }) {
    const { element, isPadding } = elementOf(node, place);
    const { fill } = node.attributes as PatchesAttributes;
    return `select(${image!.at(element)}, ${node.dtype === "float32" ? float(fill) : integerLiteral(fill)}, ${isPadding})`;
  },
  vec4(node, [image], place, { float }) {
    const { image: sizes, fill, groups } = node.attributes as PatchesAttributes;
    if (node.dtype !== "float32" || (sizes[3] / groups) % 4 !== 0) return undefined;
    const { element, isPadding } = elementOf(node, place);
    const values = image!.vec4At(element);
    return values && `select(${values}, vec4(${float(fill)}), ${isPadding})`;
  },
};

/** The WGSL of the image's element that a place of the patches reads, and of whether it is padding. */
function elementOf(node: Tensor, { row, column }: Place): { element: string; isPadding: string } {
  const { image: sizes, windows, groups } = node.attributes as PatchesAttributes;
  const [examples, height, width, channels] = sizes;
  const { kernel, stride, dilation, before, spread, count } = windows;
  const own = channels / groups;
  const [u, i] = [integerLiteral, signedLiteral];
  const position = (axis: 0 | 1, window: string, place: string, size: number) =>
    `window_element(${window}, ${place}, ${[stride, dilation, before, spread].map((pair) => i(pair[axis])).join(", ")}, ${i(size)})`;
  const y = position(0, `(${row}) / ${u(count[1])} % ${u(count[0])}`, `(${column}) / ${u(kernel[1] * own)}`, height);
  const x = position(1, `(${row}) % ${u(count[1])}`, `(${column}) / ${u(own)} % ${u(kernel[1])}`, width);
  const rows = examples * count[0] * count[1];
  const example = `(${row}) / ${u(count[0] * count[1])} % ${u(examples)}`;
  const group = groups === 1 ? "" : ` + (${row}) / ${u(rows)} * ${u(own)}`;
  const pixel = `(${example} * ${u(height)} + u32(max(${y}, 0i))) * ${u(width)} + u32(max(${x}, 0i))`;
  return {
    element: `(${pixel}) * ${u(channels)} + (${column}) % ${u(own)}${group}`,
    isPadding: `min(${y}, ${x}) < 0i`,
  };
}

/** The constants of both kernels of depthwise convolutions. */
function windowConstants({ image, windows }: DepthwiseAttributes): Record<string, number | string> {
  const [, height, width, channels] = image;
  const { kernel, stride, dilation, before, spread, count } = windows;
  const pair = (of: readonly [number, number]) => `vec2(${of.map(signedLiteral).join(", ")})`;
  return {
    HEIGHT: height,
    WIDTH: width,
    CHANNELS: channels,
    ROWS: count[0],
    COLUMNS: count[1],
    KERNEL_HEIGHT: kernel[0],
    KERNEL_WIDTH: kernel[1],
    STEP: pair(stride),
    DILATION: pair(dilation),
    BEFORE: pair(before),
    SPREAD: pair(spread),
  };
}

const depthwise: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const attributes = node!.attributes as DepthwiseConvolutionAttributes;
    const [images, weights] = node!.inputs as [Tensor, Tensor];
    const { grid, constants } = threadsFor(node!.size, limits);
    const flipped = attributes.flipped ? 1 : 0;
    return [
      {
        source: library + depthwiseSource,
        reads: { images, weights },
        finishes: ["finish"],
        constants: { ...windowConstants(attributes), OUTPUTS: node!.size, FLIPPED: flipped, ...constants },
        grid,
        flops: depthwiseFlops(node!),
      },
    ];
  },
};

const SUM = 0;

const depthwiseWeights: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const attributes = node!.attributes as DepthwiseAttributes;
    const [images, values] = node!.inputs as [Tensor, Tensor];
    const windows = values.size / attributes.image[3];
    const sizes = { outputs: node!.size, count: windows, stride: node!.size };
    const forms = {
      source: library + weightsSource + reduceSource,
      ofParts: combinePartsSource + reduceSource,
      reads: { images, values },
      constants: { ...windowConstants(attributes), OPERATION: SUM },
      flops: depthwiseFlops(node!),
    };
    return reductionLaunches(sizes, forms, limits);
  },
};

export const kernels = { patches, depthwise, depthwiseWeights };
