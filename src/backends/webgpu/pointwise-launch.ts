import pointwiseVec4Source from "../../../shaders/pointwise_vec4.wgsl?raw";
import pointwiseSource from "../../../shaders/pointwise.wgsl?raw";
import type { ElementRange } from "../../graph/traits.ts";
import type { AnchorLaunch } from "../../ops/kernel.ts";

/** The launch that computes a range of elements with some workgroups. */
export const pointwiseLaunch = (
  outputRange: ElementRange,
  groups: number,
  groupThreads: number,
  vec4 = false,
): AnchorLaunch => ({
  source: vec4 ? pointwiseVec4Source : pointwiseSource,
  vec4,
  reads: {},
  finishes: ["finish"],
  constants: {
    FIRST: outputRange.start,
    LAST: outputRange.end,
    THREADS: groups * groupThreads,
    GROUP_THREADS: groupThreads,
  },
  grid: [groups, 1, 1],
  flops: 0,
  outputRange,
});
