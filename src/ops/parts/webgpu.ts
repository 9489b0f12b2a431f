import source from "../../../shaders/sum_of_parts.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { threadsFor } from "../webgpu/threads.ts";

const sumOfParts: AnchorKernel = {
  kind: "anchor",
  launches([node, other], limits) {
    const elements = node!.size + (other?.size ?? 0);
    const parts = node!.inputs[0]!.shape[0]!;
    const { grid, constants } = threadsFor(elements, limits);
    return [
      {
        source,
        reads: { x: node!.inputs[0]!, other: (other ?? node)!.inputs[0]! },
        finishes: ["finish", "finish_other"],
        constants: {
          PARTS: parts,
          SIZE: node!.size,
          OTHER_SIZE: other?.size ?? 0,
          OTHER_COLUMNS: other?.shape.at(-1) ?? 1,
          ...constants,
        },
        grid,
        flops: elements * parts,
      },
    ];
  },
};

export const kernels = { sumOfParts };
