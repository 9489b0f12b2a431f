import type { Tensor } from "../../graph/tensor.ts";
import type { CpuKernel, NumericArray } from "../kernel.ts";

/** Calls `visit` for each row of a [rows, classes] array, with its largest element and ln Σ e^(z − largest). */
function forEachRow(
  logits: Tensor,
  z: NumericArray,
  visit: (row: number, first: number, classes: number, largest: number, logSum: number) => void,
): void {
  const classes = logits.shape[logits.shape.length - 1]!;
  for (let row = 0; row < logits.size / classes; row++) {
    const first = row * classes;
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, z[first + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(z[first + c]! - largest);
    visit(row, first, classes, largest, Math.log(sum));
  }
}

const softmax: CpuKernel = (node, [z], output) => {
  forEachRow(node.inputs[0]!, z!, (_, first, classes, largest, logSum) => {
    for (let i = first; i < first + classes; i++) output[i] = Math.exp(z![i]! - largest - logSum);
  });
};

const logSoftmax: CpuKernel = (node, [z], output) => {
  forEachRow(node.inputs[0]!, z!, (_, first, classes, largest, logSum) => {
    for (let i = first; i < first + classes; i++) output[i] = z![i]! - largest - logSum;
  });
};

const softmaxCrossEntropy: CpuKernel = (node, [z, labels], output) => {
  forEachRow(node.inputs[0]!, z!, (row, first, _, largest, logSum) => {
    // Subtract first: adding the logarithm to a large logit would lose its digits.
    output[row] = largest - z![first + labels![row]!]! + logSum;
  });
};

const softmaxCrossEntropyGradient: CpuKernel = (node, [z, labels, upstream], output) => {
  forEachRow(node.inputs[0]!, z!, (row, first, classes, largest, logSum) => {
    for (let c = 0; c < classes; c++) {
      const probability = Math.exp(z![first + c]! - largest - logSum);
      output[first + c] = (probability - Number(c === labels![row])) * upstream![row]!;
    }
  });
};

export const kernels = { softmax, logSoftmax, softmaxCrossEntropy, softmaxCrossEntropyGradient };
