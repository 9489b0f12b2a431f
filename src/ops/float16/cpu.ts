import { halfOf, valueOfHalf } from "../../float16.ts";
import type { CpuKernel } from "../kernel.ts";
import { toFloat16 } from "../matmul/precision.ts";

const packFloat16: CpuKernel = (_, [x], output) => {
  output.fill(0);
  for (let index = 0; index < x!.length; index++) {
    const word = Math.floor(index / 2);
    output[word] = output[word]! + halfOf(toFloat16(x![index]!)) * (index % 2 === 0 ? 1 : 2 ** 16);
  }
};

const unpackFloat16: CpuKernel = (_, [words], output) => {
  for (let index = 0; index < output.length; index++) {
    const word = words![Math.floor(index / 2)]!;
    output[index] = valueOfHalf(index % 2 === 0 ? word & 0xffff : word >>> 16);
  }
};

export const kernels = { packFloat16, unpackFloat16 };
