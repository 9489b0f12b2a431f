import type { Tensor } from "../../graph/tensor.ts";
import type { CpuKernel, NumericArray } from "../kernel.ts";
import type { ReduceAttributes } from "./index.ts";

/** Calls `visit` with each output element, the first element of its group, and the stride within the group. */
function forEachGroup(
  node: Tensor,
  visit: (output: number, first: number, stride: number, count: number) => void,
): void {
  const { outer, count, inner } = node.attributes as ReduceAttributes;
  for (let group = 0; group < outer * inner; group++) {
    visit(group, Math.floor(group / inner) * count * inner + (group % inner), inner, count);
  }
}

function total(x: NumericArray, first: number, stride: number, count: number): number {
  let result = 0;
  for (let k = 0; k < count; k++) result += x[first + k * stride]!;
  return result;
}

/** The index of the first largest element, or of the first NaN. */
function largest(x: NumericArray, first: number, stride: number, count: number): number {
  let best = 0;
  for (let k = 0; k < count; k++) {
    const value = x[first + k * stride]!;
    if (Number.isNaN(value)) return k;
    if (value > x[first + best * stride]!) best = k;
  }
  return best;
}

const sum: CpuKernel = (node, [x], output) => {
  forEachGroup(node, (group, first, stride, count) => {
    output[group] = total(x!, first, stride, count);
  });
};

const mean: CpuKernel = (node, [x], output) => {
  forEachGroup(node, (group, first, stride, count) => {
    output[group] = total(x!, first, stride, count) / count;
  });
};

const max: CpuKernel = (node, [x], output) => {
  forEachGroup(node, (group, first, stride, count) => {
    output[group] = x![first + largest(x!, first, stride, count) * stride]!;
  });
};

const product: CpuKernel = (node, [x], output) => {
  forEachGroup(node, (group, first, stride, count) => {
    let result = 1;
    for (let k = 0; k < count; k++) result *= x![first + k * stride]!;
    output[group] = result;
  });
};

const argmax: CpuKernel = (node, [x], output) => {
  forEachGroup(node, (group, first, stride, count) => {
    output[group] = largest(x!, first, stride, count);
  });
};

export const kernels = { sum, mean, max, product, argmax };
