import { stridesOf, type Tensor } from "../../graph/tensor.ts";
import type { PointwiseKernel } from "../kernel.ts";
import { integerLiteral } from "../webgpu/wgsl.ts";
import type { AxisIndexAttributes, TransposeAttributes } from "./index.ts";

const transpose: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression: (node, [x], { index }) => x!.at(elementOf(node, index)),
  vec4(node, [x], { index }) {
    const { order } = node.attributes as TransposeAttributes;
    const isAdjacent = order.at(-1) === order.length - 1 && node.shape.at(-1)! % 4 === 0;
    return isAdjacent ? x!.vec4At(elementOf(node, index)) : undefined;
  },
};

/** The WGSL of the input's element that an element of a transposed tensor equals. */
function elementOf(node: Tensor, index: string): string {
  const { order } = node.attributes as TransposeAttributes;
  const from = stridesOf(node.inputs[0]!.shape);
  const to = stridesOf(node.shape);
  const terms = order.map(
    (axis, position) =>
      `${index} / ${integerLiteral(to[position]!)} % ${integerLiteral(node.shape[position]!)} * ${integerLiteral(from[axis]!)}`,
  );
  return terms.length === 0 ? "0u" : terms.join(" + ");
}

const broadcastTo: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression: (_, [x]) => x!.here(),
};

const copy: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression: (_, [x]) => x!.here(),
};

const axisIndex: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression(node, _, { index }) {
    const { inner, count } = node.attributes as AxisIndexAttributes;
    return `${index} / ${integerLiteral(inner)} % ${integerLiteral(count)}`;
  },
};

export const kernels = { transpose, broadcastTo, copy, axisIndex };
