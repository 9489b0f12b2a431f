import { drawnBelow } from "../../random.ts";
import type { CpuKernel } from "../kernel.ts";
import type { DrawWindowsAttributes } from "./index.ts";

const drawWindows: CpuKernel = (node, [data, key, first], output) => {
  const { length, elements, planes } = node.attributes as DrawWindowsAttributes;
  for (let row = 0; row * length < output.length; row++) {
    const start = drawnBelow(key![0]!, (first![0]! + row) >>> 0, elements - length + 1);
    for (let column = 0; column < length; column++) {
      const high = planes === 2 ? data![elements + start + column]! : 0;
      output[row * length + column] = data![start + column]! + 256 * high;
    }
  }
};

export const kernels = { drawWindows };
