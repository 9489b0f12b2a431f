import { pcgHash } from "../../random.ts";
import type { CpuKernel } from "../kernel.ts";
import { dropoutThreshold, type DropoutMaskAttributes } from "./index.ts";

const dropoutMask: CpuKernel = (node, [key], output) => {
  const { rate } = node.attributes as DropoutMaskAttributes;
  const threshold = dropoutThreshold(rate);
  for (let index = 0; index < output.length; index++) {
    const drawn = pcgHash((key![0]! ^ pcgHash(index)) >>> 0);
    output[index] = drawn < threshold ? 0 : 1 / (1 - rate);
  }
};

export const kernels = { dropoutMask };
