import type { WasmInput, WasmPointwiseKernel } from "../wasm-kernel.ts";
import { constantIndex, product, quotient, remainder, sum, type Index } from "../wasm/indices.ts";
import { instruction } from "../wasm/vectors.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { TakeBatchAttributes } from "./index.ts";

/** The element of the data for an element of the batch. */
function source(node: Tensor, [, start, order]: readonly WasmInput[], place: Index): Index {
  const { width } = node.attributes as TakeBatchAttributes;
  const position = sum(start!.integerAt(constantIndex(0)), quotient(place, width));
  const example = order ? order.integerAt(position) : position;
  return sum(product(example, width), remainder(place, width));
}

const takeBatch: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: (node) => (node.dtype === "float32" ? 2 : 0),
  vector(node, inputs, place) {
    const { scale, offset } = node.attributes as TakeBatchAttributes;
    const value = inputs[0]!.at(source(node, inputs, place));
    const scaled = scale === 1 ? value : instruction("f32x4.mul", value, scale);
    return offset === 0 ? scaled : instruction("f32x4.add", scaled, offset);
  },
  integer: (node, inputs, place) => inputs[0]!.integerAt(source(node, inputs, place)),
};

export const kernels = { takeBatch };
