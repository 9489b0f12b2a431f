import type { CpuKernel } from "../kernel.ts";

const toIndex: CpuKernel = (_, [x], output) => {
  for (let index = 0; index < output.length; index++) {
    const value = x![index]!;
    output[index] = value > 0 ? Math.min(Math.floor(value), 2 ** 32 - 1) : 0;
  }
};

export const kernels = { toIndex };
