import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel, WasmOperand } from "../wasm-kernel.ts";

/** Two passes over a row, each with an exponential and a comparison or addition, and one pass to write. */
const FLOPS_PER_LOGIT = 20;

/** The number of logits of the rows that are computed and finished together. */
const BLOCK = 2048;

const NOTHING: WasmOperand = { address: 0, fill: 0, fillRows: 0, fillArguments: 0 };

const rowKernel = (kernel: string): WasmAnchorKernel => ({
  kind: "anchor",
  call(node, [logits, labels = NOTHING, upstream = NOTHING], result) {
    const { shape, size } = node.inputs[0]!;
    const classes = shape.at(-1)!;
    const blockRows = Math.max(1, Math.floor(BLOCK / classes));
    const operands = [logits!, labels, upstream];
    return {
      kernel,
      arguments: [...operands.flatMap(operandWords), ...resultWords(result), classes, blockRows],
      units: size / classes,
      grain: 1,
      // A block of logits, a row of exponentials rounded up to whole vectors, and a label and a factor for each row.
      scratchBytes: 4 * (blockRows * (classes + 2) + classes + 4),
      flops: FLOPS_PER_LOGIT * size,
    };
  },
});

export const kernels = {
  softmax: rowKernel("softmax"),
  logSoftmax: rowKernel("logSoftmax"),
  softmaxCrossEntropy: rowKernel("softmaxCrossEntropy"),
  softmaxCrossEntropyGradient: rowKernel("softmaxCrossEntropyGradient"),
};
