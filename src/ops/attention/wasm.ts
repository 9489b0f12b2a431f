import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel, WasmOperand } from "../wasm-kernel.ts";
import { flopsOf, operandsOf, type FusedAttributes } from "./fused.ts";

/** The number of queries, and of keys, that are processed together; see assembly/attention.ts. */
const BLOCK = 64;

const CAUSAL = 1;
const MASKS = 2;
const DROPS = 4;

const NOTHING: WasmOperand = { address: 0, fill: 0, fillRows: 0, fillArguments: 0 };

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Seven blocks of operands and sums, three of scores, and the numbers of queries and keys; see assembly/attention-parts.ts. */
const scratchBytes = ({ width, values }: FusedAttributes): number =>
  4 * (7 * BLOCK * roundUp(Math.max(width, values), 8) + 3 * BLOCK ** 2 + 6 * BLOCK);

function attentionKernel(kernel: string, unitsAlong: "queries" | "keys"): WasmAnchorKernel {
  return {
    kind: "anchor",
    call(node, inputs, result) {
      const attributes = node.attributes as FusedAttributes;
      const { batches, queries, keys, width, values, scale, causal, drops, mask } = attributes;
      const operands = operandsOf(node, inputs);
      const { q, k, v, statistics, upstream, delta } = operands;
      const inOrder = [q, k, v, statistics, upstream, delta, operands.mask, operands.dropout];
      const flags = Number(causal) * CAUSAL + Number(mask !== undefined) * MASKS + Number(drops) * DROPS;
      const axes = mask?.sizes.flatMap((size, axis) => [size, mask.leading[axis]!]) ?? [];
      return {
        kernel,
        arguments: [
          ...inOrder.flatMap((operand) => operandWords(operand ?? NOTHING)),
          ...resultWords(result),
          queries,
          keys,
          width,
          values,
          { float: scale },
          flags,
          mask?.query ?? 0,
          axes.length / 2,
          ...axes,
        ],
        units: batches * Math.ceil(attributes[unitsAlong] / BLOCK),
        grain: 1,
        scratchBytes: scratchBytes(attributes),
        flops: flopsOf(node),
      };
    },
  };
}

export const kernels = {
  attention: attentionKernel("attention", "queries"),
  attentionQueryGradient: attentionKernel("attentionQueryGradient", "queries"),
  attentionKeyValueGradient: attentionKernel("attentionKeyValueGradient", "keys"),
};
