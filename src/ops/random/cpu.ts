import { pcgHash } from "../../random.ts";
import type { CpuKernel } from "../kernel.ts";

const randomUniform: CpuKernel = (_, [key], output) => {
  for (let index = 0; index < output.length; index++)
    output[index] = (pcgHash((key![0]! ^ pcgHash(index)) >>> 0) >>> 8) * 2 ** -24;
};

export const kernels = { randomUniform };
