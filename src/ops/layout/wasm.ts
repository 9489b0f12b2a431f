import { stridesOf } from "../../graph/tensor.ts";
import type { WasmAnchorKernel, WasmPointwiseKernel } from "../wasm-kernel.ts";
import { elementOfAxes, joinedTerms, type AxisTerm } from "../wasm/broadcast.ts";
import { quotient, remainder, type Index } from "../wasm/indices.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { AxisIndexAttributes, TransposeAttributes } from "./index.ts";

/** An op that only rearranges the elements of its input. */
const rearranging = (source: (node: Tensor, place: Index) => Index): WasmPointwiseKernel => ({
  kind: "pointwise",
  flops: () => 0,
  vector: (node, [x], place) => x!.at(source(node, place)),
  integer: (node, [x], place) => x!.integerAt(source(node, place)),
});

/** The axes of a transposed tensor, with their strides in it and in its input. */
function transposedAxes(node: Tensor): AxisTerm[] {
  const { order } = node.attributes as TransposeAttributes;
  const to = stridesOf(node.inputs[0]!.shape);
  const from = stridesOf(node.shape);
  return order.map((axis, position) => ({ size: node.shape[position]!, from: from[position]!, to: to[axis]! }));
}

/** The number of elements of a block along an axis; see assembly/transpose.ts. */
const BLOCK = 16;

const transpose: WasmPointwiseKernel = {
  ...rearranging((node, place) => elementOfAxes(place, transposedAxes(node))),
  call(node, [x], result) {
    const axes = joinedTerms(transposedAxes(node));
    const [along, across] = [axes.find(({ to }) => to === 1), axes.at(-1)];
    // A generated function copies rows that are contiguous in both.
    if (!along || !across || along === across) return undefined;
    const others = axes.filter((axis) => axis !== along && axis !== across);
    const shapes = others.flatMap(({ size, from, to }) => [size, to, from]);
    const blocks = Math.ceil(along.size / BLOCK);
    return {
      kernel: "transpose",
      arguments: [
        ...operandWords(x!),
        ...resultWords(result),
        along.size,
        along.from,
        across.size,
        across.to,
        others.length,
        ...shapes,
      ],
      units: others.reduce((product, { size }) => product * size, blocks),
      grain: 1,
      scratchBytes: 0,
      flops: 0,
    };
  },
};

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

/** The parts of a pack are computed in their places. Where they cannot be, the loop of `cpu.ts` copies them. */
const pack: WasmAnchorKernel = { kind: "anchor", call: () => undefined };

export const kernels = { transpose, broadcastTo, copy: broadcastTo, axisIndex, pack };
