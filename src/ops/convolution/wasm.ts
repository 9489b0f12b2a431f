import type { Tensor } from "../../graph/tensor.ts";
import type { WasmAnchorKernel, WasmPointwiseKernel } from "../wasm-kernel.ts";
import { choice, constantIndex, product, quotient, remainder, sum, type Index } from "../wasm/indices.ts";
import { elementAt, isInside, nearestOf, whereAll } from "../wasm/positions.ts";
import { resultWords } from "../wasm/words.ts";
import { depthwiseFlops, type DepthwiseAttributes, type DepthwiseConvolutionAttributes } from "./depthwise.ts";
import type { PatchesAttributes } from "./patches.ts";

/** The element of the image for an element of patches, and its row and column, which may be outside the image. */
function shownBy(node: Tensor, place: Index): { source: Index; y: Index; x: Index } {
  const { image, windows, groups } = node.attributes as PatchesAttributes;
  const [examples, height, width, channels] = image;
  const { kernel, stride, dilation, before, spread, count } = windows;
  const own = channels / groups;
  const row = quotient(place, kernel[0] * kernel[1] * own);
  const element = (axis: 0 | 1, window: Index, places: Index) => {
    const shift = spread[axis] * Math.ceil(before[axis] / spread[axis]);
    const moved = sum(product(window, stride[axis]), product(places, dilation[axis]));
    return elementAt(sum(moved, constantIndex(shift - before[axis])), shift, spread[axis]);
  };
  const y = element(
    0,
    remainder(quotient(row, count[1]), count[0]),
    remainder(quotient(place, kernel[1] * own), kernel[0]),
  );
  const x = element(1, remainder(row, count[1]), remainder(quotient(place, own), kernel[1]));
  const windowsOfImage = count[0] * count[1];
  const example = remainder(quotient(row, windowsOfImage), examples);
  const line = sum(product(example, height), nearestOf(y, height));
  const pixel = sum(product(line, width), nearestOf(x, width));
  const group = product(quotient(row, examples * windowsOfImage), own);
  return { source: sum(sum(product(pixel, channels), group), remainder(place, own)), y, x };
}

const patches: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, [image], place) {
    const { image: sizes, fill } = node.attributes as PatchesAttributes;
    const { source, y, x } = shownBy(node, place);
    return whereAll([isInside(y, sizes[1]), isInside(x, sizes[2])], image!.at(source), fill);
  },
  integer(node, [image], place) {
    const { image: sizes, fill } = node.attributes as PatchesAttributes;
    const { source, y, x } = shownBy(node, place);
    const filled = constantIndex(fill);
    return choice(y, sizes[1], choice(x, sizes[2], image!.integerAt(source), filled), filled);
  },
  fill(node, [address]) {
    const { image, windows, fill, groups } = node.attributes as PatchesAttributes;
    const [examples, height, width, channels] = image;
    const { kernel, stride, dilation, before, spread, count } = windows;
    const inLines = groups === 1 && dilation[1] === 1 && spread[1] === 1;
    const padding = node.dtype === "float32" ? { float: fill } : fill;
    const pairs = [kernel, stride, dilation, before, spread, count].flat();
    const sizes = [examples, height, width, channels, channels / groups];
    return {
      elements: "patches",
      rows: "patchRows",
      arguments: [address!, ...sizes, ...pairs, padding, Number(inLines)],
    };
  },
};

/** The words that both kernels of depthwise convolutions read; see assembly/depthwise.ts. */
function windowWords({ image, windows }: DepthwiseAttributes): number[] {
  const [examples, height, width, channels] = image;
  const { kernel, stride, dilation, before, spread, count } = windows;
  return [examples, height, width, channels, ...[kernel, stride, dilation, before, spread, count].flat()];
}

/** Elements per cache line. Two threads should not share one. */
const LINE = 16;

const depthwise: WasmAnchorKernel = {
  kind: "anchor",
  call(node, [images, weights], result) {
    const attributes = node.attributes as DepthwiseConvolutionAttributes;
    const { windows, image, flipped } = attributes;
    const channels = image[3];
    return {
      kernel: "depthwise",
      arguments: [
        images!.address,
        weights!.address,
        ...resultWords(result),
        ...windowWords(attributes),
        Number(flipped),
      ],
      units: node.size / channels,
      grain: Math.ceil(LINE / channels),
      // The address of the image's line for each row of a window, and the offset of each position of all windows.
      scratchBytes: 4 * (windows.kernel[0] + windows.count[1] * windows.kernel[1]),
      flops: depthwiseFlops(node),
    };
  },
};

const depthwiseWeights: WasmAnchorKernel = {
  kind: "anchor",
  call(node, [images, values], result) {
    const attributes = node.attributes as DepthwiseAttributes;
    const channels = attributes.image[3];
    return {
      kernel: "depthwiseWeights",
      arguments: [images!.address, values!.address, ...resultWords(result), ...windowWords(attributes)],
      units: node.size,
      grain: LINE,
      // Sums in float64, of whole vectors.
      scratchBytes: 8 * 4 * Math.ceil(channels / 4),
      flops: depthwiseFlops(node),
    };
  },
};

export const kernels = { patches, depthwise, depthwiseWeights };
