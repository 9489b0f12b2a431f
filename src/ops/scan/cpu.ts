import type { CpuKernel } from "../kernel.ts";
import type { ScanAttributes } from "./index.ts";

const cumulativeSum: CpuKernel = (node, [x], output) => {
  const { outer, count, inner } = node.attributes as ScanAttributes;
  for (let line = 0; line < outer * inner; line++) {
    const first = Math.floor(line / inner) * count * inner + (line % inner);
    let total = 0;
    for (let k = 0; k < count; k++) {
      total += x![first + k * inner]!;
      output[first + k * inner] = total;
    }
  }
};

export const kernels = { cumulativeSum };
