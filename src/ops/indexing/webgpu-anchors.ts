import sortOrderSource from "../../../shaders/sort_order.wgsl?raw";
import sumByIndexSource from "../../../shaders/sum_by_index.wgsl?raw";
import type { AnchorKernel, LaunchLimits } from "../kernel.ts";
import type { SumByIndexAttributes } from "./take.ts";

const GROUP_THREADS = 64;

/** Threads that each make the elements at their distance. */
function threadsFor(elements: number, { gridSize, usefulThreads }: LaunchLimits) {
  const groups = Math.min(Math.ceil(Math.min(elements, usefulThreads) / GROUP_THREADS), gridSize);
  return { grid: [groups, 1, 1], constants: { THREADS: groups * GROUP_THREADS, GROUP_THREADS } } as const;
}

const sortOrder: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const count = node!.size;
    const { grid, constants } = threadsFor(count, limits);
    return [
      {
        source: sortOrderSource,
        reads: { keys: node!.inputs[0]! },
        finishes: ["finish"],
        constants: { COUNT: count, ...constants },
        grid,
        flops: count * count,
      },
    ];
  },
};

const sumByIndex: AnchorKernel = {
  kind: "anchor",
  launches([node], limits) {
    const { outer, count, inner, size } = node!.attributes as SumByIndexAttributes;
    const [values, indices, order] = node!.inputs;
    const { grid, constants } = threadsFor(node!.size, limits);
    return [
      {
        source: sumByIndexSource,
        reads: { values: values!, indices: indices!, order: order! },
        finishes: ["finish"],
        constants: { COUNT: count, INNER: inner, SIZE: size, ELEMENTS: node!.size, ...constants },
        grid,
        flops: outer * count * inner,
      },
    ];
  },
};

export const anchors = { sortOrder, sumByIndex };
