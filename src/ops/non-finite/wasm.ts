import { operandWords, resultWords } from "../wasm/words.ts";
import { bits, instruction, type Vector } from "../wasm/vectors.ts";
import type { WasmAnchorKernel, WasmPointwiseKernel } from "../wasm-kernel.ts";
import type { FirstNonFiniteAttributes } from "./index.ts";

/** The number of elements of a computed operand checked at a time; see assembly/non-finite.ts. */
const PART = 2048;

const firstNonFinite: WasmAnchorKernel = {
  kind: "anchor",
  call(node, operands, result) {
    const { elements, offsets } = node.attributes as FirstNonFiniteAttributes;
    return {
      kernel: "firstNonFinite",
      arguments: [
        ...resultWords(result),
        elements,
        operands.length,
        ...operands.flatMap((operand, input) => [...operandWords(operand), node.inputs[input]!.size, offsets[input]!]),
      ],
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
    const given: Vector = { kind: "integers", index: condition!.integerHere() };
    return instruction("v128.bitselect", kept!.here(), replacement!.here(), instruction("i32x4.eq", given, bits(0)));
  },
};

export const kernels = { firstNonFinite, replaceIf };
