import source from "../../../shaders/cumulative_sum.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { threadsFor } from "../webgpu/threads.ts";
import type { ScanAttributes } from "./index.ts";

const cumulativeSum: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const { outer, count, inner } = node!.attributes as ScanAttributes;
    const { grid, constants } = threadsFor(outer * inner, limits);
    return [
      {
        source,
        reads: { x: node!.inputs[0]! },
        finishes: ["finish"],
        constants: { COUNT: count, INNER: inner, LINES: outer * inner, ...constants },
        grid,
        flops: node!.size,
      },
    ];
  },
};

export const kernels = { cumulativeSum };
