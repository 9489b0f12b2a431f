import sortOrderSource from "../../../shaders/sort_order.wgsl?raw";
import sumByIndexSource from "../../../shaders/sum_by_index.wgsl?raw";
import type { AnchorKernel } from "../kernel.ts";
import { threadsFor } from "../webgpu/threads.ts";
import type { SumByIndexAttributes } from "./take.ts";

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
