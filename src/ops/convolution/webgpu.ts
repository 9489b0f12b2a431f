import library from "../../../shaders/convolution.wgsl?raw";
import type { Tensor } from "../../graph/tensor.ts";
import type { Place, PointwiseKernel } from "../kernel.ts";
import { integerLiteral, signedLiteral } from "../webgpu/wgsl.ts";
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

export const kernels = { patches };
