import type { WasmAnchorKernel, WasmPointwiseKernel } from "../wasm-kernel.ts";
import { bits, instruction } from "../wasm/vectors.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import type { FirstNonFiniteAttributes } from "./index.ts";

/** Elements that are computed at a time; see assembly/non-finite.ts. */
const PART = 2048;

const firstNonFinite: WasmAnchorKernel = {
  kind: "anchor",
  call(node, operands, result) {
    const { elements, offsets } = node.attributes as FirstNonFiniteAttributes;
    const inputs = node.inputs.flatMap(({ size }, position) => [
      ...operandWords(operands[position]!),
      offsets[position]!,
      size,
    ]);
    return {
      kernel: "firstNonFinite",
      arguments: [...resultWords(result), elements, node.inputs.length, ...inputs],
      units: 1,
      grain: 1,
      scratchBytes: 4 * PART,
      flops: elements,
    };
  },
};

const replaceIf: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 1,
  vector(_, [condition, kept, replacement]) {
    const isZero = instruction("i32x4.eq", { kind: "integers", index: condition!.integerHere() }, bits(0));
    return instruction("v128.bitselect", kept!.here(), replacement!.here(), isZero);
  },
};

export const kernels = { firstNonFinite, replaceIf };
