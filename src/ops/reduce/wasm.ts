import type { Tensor } from "../../graph/tensor.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel } from "../wasm-kernel.ts";
import type { ReduceAttributes } from "./index.ts";

/** The number of elements computed at a time, and the most outputs reduced together; see assembly/reduce.ts. */
const PART = 2048;
const GROUP = 256;

/** A kernel counts elements in 32 bits. Only a virtual input can have more. */
const MOST_ELEMENTS = 2 ** 32 - 1;

/** Outputs per cache line. Two threads should not share one. */
const LINE = 16;

/** An op that a kernel of assembly/reduce.ts computes. */
export const reduction = (kernel: string, attributesOf: (node: Tensor) => ReduceAttributes): WasmAnchorKernel => ({
  kind: "anchor",
  call(node, [input], result) {
    const { outer, count, inner } = attributesOf(node);
    if (node.inputs[0]!.size > MOST_ELEMENTS) return undefined;
    return {
      kernel,
      arguments: [...operandWords(input!), ...resultWords(result), count, inner],
      units: outer * inner,
      grain: LINE,
      scratchBytes: 4 * PART + 8 * GROUP,
      flops: outer * count * inner,
    };
  },
});

const own = (kernel: string) => reduction(kernel, ({ attributes }) => attributes as ReduceAttributes);

export const kernels = {
  sum: own("sum"),
  mean: own("mean"),
  product: own("product"),
  max: own("max"),
  argmax: own("argmax"),
};
