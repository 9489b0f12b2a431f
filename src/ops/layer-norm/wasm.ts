import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel, WasmArgument, WasmOperand } from "../wasm-kernel.ts";
import type { RowMomentsAttributes } from "./index.ts";

const FLOPS_OF_MOMENTS = 4;
const FLOPS_OF_GRADIENT = 12;

/** The number of elements of the rows that are computed and finished together. */
const BLOCK = 2048;

const NOTHING: WasmOperand = { address: 0, fill: 0, fillRows: 0, fillArguments: 0 };

const rowKernel = (
  kernel: string,
  flops: number,
  last: (attributes: object, operands: readonly WasmOperand[]) => WasmArgument,
): WasmAnchorKernel => ({
  kind: "anchor",
  call(node, operands, result) {
    const { shape, size } = node.inputs[0]!;
    const width = shape.at(-1)!;
    const blockRows = Math.max(1, Math.floor(BLOCK / width));
    const [x, moments = NOTHING, upstream = NOTHING, weight = NOTHING] = operands as [WasmOperand, ...WasmOperand[]];
    return {
      kernel,
      arguments: [
        ...[x, moments, upstream, weight].flatMap(operandWords),
        ...resultWords(result),
        width,
        blockRows,
        last(node.attributes, operands),
      ],
      units: size / width,
      grain: 1,
      // Blocks of x and of upstream gradients, the moments of their rows, and a row of weights.
      scratchBytes: 4 * (blockRows * (2 * width + 2) + width + 4),
      flops: flops * size,
    };
  },
});

export const kernels = {
  rowMoments: rowKernel("rowMoments", FLOPS_OF_MOMENTS, (attributes) => ({
    float: (attributes as RowMomentsAttributes).epsilon,
  })),
  layerNormGradient: rowKernel("layerNormGradient", FLOPS_OF_GRADIENT, (_, { length }) => Number(length > 3)),
};
