import type { CpuKernel } from "../kernel.ts";
import type { ToIndexOptions } from "./index.ts";

const toIndex: CpuKernel = ({ attributes }, [x], output) => {
  const { below = 2 ** 32 } = attributes as ToIndexOptions;
  for (let index = 0; index < output.length; index++) {
    const value = x![index]!;
    output[index] = value > 0 ? Math.min(Math.floor(value), below - 1) : 0;
  }
};

export const kernels = { toIndex };
