/*
 * Pass 3: each group becomes WGSL, bindings and a grid.
 */
import pointwiseVec4Source from "../../../shaders/pointwise_vec4.wgsl?raw";
import pointwiseSource from "../../../shaders/pointwise.wgsl?raw";
import { alignedBefore } from "../../alignment.ts";
import type { AnchorLaunch, LaunchLimits } from "../../ops/kernel.ts";
import { usesVec4 } from "./vec4.ts";
import { anchorsOf, nodesOf, type Group } from "../../compiler/fuse.ts";
import { anchorKernel } from "./kernels.ts";
import { KernelWriter } from "./kernel-writer.ts";
import type { Launch, StepContext } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";
import { wholeBuffer } from "../../compiler/regions.ts";

const GROUP_THREADS = 64;

/**
 * Writes the launches of a plan.
 * @throws DeviceError if a tensor is larger than a binding of the device and the kernel cannot process it in parts
 */
export function lower(plan: Plan, context: StepContext): Launch[] {
  const { limits } = context;
  return plan.groups.flatMap((group) => {
    const anchors = anchorsOf(group);
    const oneGroup = group.members.some(({ sumOf }) => sumOf);
    const launches =
      anchors.length > 0
        ? anchorKernel(anchors[0]!)!.launches(anchors, limits, oneGroup)
        : pointwiseLaunches(group, plan, limits);
    const parts = wholeBuffer("results of parts", Math.max(0, ...launches.map(partElements)));
    return launches.map((launch) => new KernelWriter({ ...context, plan, group, launch, parts }).write());
  });
}

const partElements = ({ parts, finishes }: AnchorLaunch): number => (parts?.elements ?? 0) * finishes.length;

/** A chain over a vector longer than a binding is divided; values that are broadcast into it must fit as a whole. */
function pointwiseLaunches(group: Group, plan: Plan, limits: LaunchLimits): AnchorLaunch[] {
  const { size } = nodesOf(group)[0]!;
  const vec4 = usesVec4(group, plan);
  const longest = Math.min(size, alignedBefore(limits.bindingElements));
  return Array.from({ length: Math.ceil(size / longest) }, (_, part) => {
    const range = { start: part * longest, end: Math.min(size, (part + 1) * longest) };
    const threads = Math.min((range.end - range.start) / (vec4 ? 4 : 1), limits.usefulThreads);
    const groups = Math.min(Math.ceil(threads / GROUP_THREADS), limits.gridSize);
    return {
      source: vec4 ? pointwiseVec4Source : pointwiseSource,
      vec4,
      reads: {},
      finishes: ["finish"],
      constants: { FIRST: range.start, LAST: range.end, THREADS: groups * GROUP_THREADS, GROUP_THREADS },
      grid: [groups, 1, 1],
      flops: 0,
      outputRange: range,
    };
  });
}
