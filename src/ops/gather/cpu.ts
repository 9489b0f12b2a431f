import type { CpuKernel } from "../kernel.ts";
import type { TakeBatchAttributes } from "./index.ts";

const takeBatch: CpuKernel = (node, [data, start, order], output) => {
  const { scale, offset, width } = node.attributes as TakeBatchAttributes;
  const integers = node.dtype === "uint32";
  for (let row = 0; row * width < output.length; row++) {
    const position = start![0]! + row;
    const example = order ? order[position]! : position;
    for (let column = 0; column < width; column++) {
      const value = data![example * width + column]!;
      output[row * width + column] = integers ? value : value * scale + offset;
    }
  }
};

export const kernels = { takeBatch };
