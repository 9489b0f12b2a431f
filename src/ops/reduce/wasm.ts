import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel } from "../wasm-kernel.ts";
import type { ReduceAttributes } from "./index.ts";

/** Elements that are computed at a time, and outputs whose results begin together; see assembly/reduce.ts. */
const PART = 2048;
const GROUP = 256;

/** Outputs of a cache line, which two threads should not share. */
const LINE = 16;

const reduceKernel = (kernel: string): WasmAnchorKernel => ({
  kind: "anchor",
  call(node, [input], result) {
    const { outer, count, inner } = node.attributes as ReduceAttributes;
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

export const kernels = {
  sum: reduceKernel("sum"),
  mean: reduceKernel("mean"),
  max: reduceKernel("max"),
  argmax: reduceKernel("argmax"),
};
