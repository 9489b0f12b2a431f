import type { CpuKernel } from "../kernel.ts";
import type { PatchesAttributes } from "./patches.ts";
import { elementOf } from "./windows.ts";

const patches: CpuKernel = (node, [image], output) => {
  const { image: sizes, windows, fill, groups } = node.attributes as PatchesAttributes;
  const [examples, height, width, channels] = sizes;
  const { kernel, count } = windows;
  const own = channels / groups;
  let index = 0;
  for (let group = 0; group < groups; group++)
    for (let example = 0; example < examples; example++)
      for (let row = 0; row < count[0]; row++)
        for (let column = 0; column < count[1]; column++)
          for (let down = 0; down < kernel[0]; down++)
            for (let across = 0; across < kernel[1]; across++) {
              const y = elementOf(windows, 0, row, down, height);
              const x = elementOf(windows, 1, column, across, width);
              const first = ((example * height + y) * width + x) * channels + group * own;
              for (let channel = 0; channel < own; channel++)
                output[index++] = y < 0 || x < 0 ? fill : image![first + channel]!;
            }
};

export const kernels = { patches };
