import { stridesOf } from "../../graph/tensor.ts";
import type { WasmPointwiseKernel } from "../wasm-kernel.ts";
import { elementOfAxes } from "../wasm/broadcast.ts";
import { quotient, remainder, type Index } from "../wasm/indices.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { AxisIndexAttributes, TransposeAttributes } from "./index.ts";

/** An op that only rearranges the elements of its input. */
const rearranging = (source: (node: Tensor, place: Index) => Index): WasmPointwiseKernel => ({
  kind: "pointwise",
  flops: () => 0,
  vector: (node, [x], place) => x!.at(source(node, place)),
  integer: (node, [x], place) => x!.integerAt(source(node, place)),
});

const transpose = rearranging((node, place) => {
  const { order } = node.attributes as TransposeAttributes;
  const to = stridesOf(node.inputs[0]!.shape);
  const from = stridesOf(node.shape);
  return elementOfAxes(
    place,
    order.map((axis, position) => ({ size: node.shape[position]!, from: from[position]!, to: to[axis]! })),
  );
});

const broadcastTo: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector: (_, [x]) => x!.here(),
  integer: (_, [x]) => x!.integerHere(),
};

const axisIndex: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  integer(node, _, place) {
    const { inner, count } = node.attributes as AxisIndexAttributes;
    return remainder(quotient(place, inner), count);
  },
};

export const kernels = { transpose, broadcastTo, copy: broadcastTo, axisIndex };
