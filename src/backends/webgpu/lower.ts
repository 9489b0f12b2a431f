/*
 * Pass 3: each group becomes WGSL, bindings and a grid.
 */
import type { AnchorLaunch, LaunchLimits } from "../../ops/kernel.ts";
import { anchorsOf, nodesOf, type Group } from "../../compiler/fuse.ts";
import { anchorKernel } from "./kernels.ts";
import { KernelWriter } from "./kernel-writer.ts";
import type { SmallKernel } from "./merged/dispatches.ts";
import type { Launch, StepContext } from "./launch.ts";
import type { Plan } from "../../compiler/plan.ts";
import { wholeBuffer } from "../../compiler/regions.ts";
import { partsOf } from "../../ops/webgpu/parts.ts";
import { alignedBefore } from "../../alignment.ts";
import { pointwiseLaunch } from "./pointwise-launch.ts";
import { usesVec4 } from "./vec4.ts";

/** Threads per workgroup of a kernel without an anchor. */
const GROUP_THREADS = 64;

/** Several small kernels, or one group that has dispatches of its own. */
export type Dispatched = readonly SmallKernel[] | Group;

/**
 * Writes the launches of a plan, one after another.
 * @param dispatched the groups of the plan, some of which may share a dispatch
 * @param mergedLaunch writes the launch of kernels that share a dispatch; needed only if there are any
 * @throws DeviceError if a tensor is larger than a binding of the device and the kernel cannot process it in parts
 */
export function* lower(
  plan: Plan,
  context: StepContext,
  dispatched: readonly Dispatched[],
  mergedLaunch?: (kernels: readonly SmallKernel[], plan: Plan, context: StepContext) => Launch,
): Generator<Launch, void> {
  const { limits } = context;
  for (const group of dispatched) {
    if (!("members" in group)) {
      yield mergedLaunch!(group, plan, context);
      continue;
    }
    const anchors = anchorsOf(group);
    const oneGroup = group.members.some(({ sumOf }) => sumOf);
    const launches =
      anchors.length > 0
        ? anchorKernel(anchors[0]!)!.launches(anchors, limits, oneGroup)
        : pointwiseLaunches(group, plan, limits);
    const parts = wholeBuffer("results of parts", Math.max(0, ...launches.map(partElements)));
    for (const launch of launches) yield new KernelWriter({ ...context, plan, group, launch, parts }).write();
  }
}

const partElements = ({ parts, finishes }: AnchorLaunch): number => (parts?.elements ?? 0) * finishes.length;

/**
 * The launches of a group without an anchor: several if its results are longer than a binding. Values that are broadcast into them must
 * fit as a whole.
 */
function pointwiseLaunches(group: Group, plan: Plan, limits: LaunchLimits): AnchorLaunch[] {
  const { size } = nodesOf(group)[0]!;
  const vec4 = usesVec4(group, plan);
  return partsOf(size, alignedBefore(limits.bindingElements)).map((range) => {
    const threads = Math.min((range.end - range.start) / (vec4 ? 4 : 1), limits.usefulThreads);
    const groups = Math.min(Math.ceil(threads / GROUP_THREADS), limits.gridSize);
    return pointwiseLaunch(range, groups, GROUP_THREADS, vec4);
  });
}
