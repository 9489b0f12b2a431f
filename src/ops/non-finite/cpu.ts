import type { CpuKernel } from "../kernel.ts";
import type { FirstNonFiniteAttributes } from "./index.ts";

const firstNonFinite: CpuKernel = (node, inputs, output) => {
  const { elements, offsets } = node.attributes as FirstNonFiniteAttributes;
  output[0] = 0;
  for (const [position, x] of inputs.entries()) {
    for (let index = 0; index < x.length; index++) {
      if (Number.isFinite(x[index])) continue;
      output[0] = elements - offsets[position]! - index;
      return;
    }
  }
};

const replaceIf: CpuKernel = (_, [condition, kept, replacement], output) => {
  output[0] = condition![0] === 0 ? kept![0]! : replacement![0]!;
};

export const kernels = { firstNonFinite, replaceIf };
