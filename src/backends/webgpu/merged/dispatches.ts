/*
 * Which groups of a plan share a dispatch, and where the values are that only the kernels of one dispatch use.
 */
import { aligned } from "../../../alignment.ts";
import { anchorsOf, nodesOf, type Group } from "../../../compiler/fuse.ts";
import type { Plan } from "../../../compiler/plan.ts";
import { wholeOf } from "../../../compiler/ranges.ts";
import type { Region, VirtualBuffer } from "../../../compiler/regions.ts";
import type { Tensor } from "../../../graph/tensor.ts";
import type { AnchorLaunch, LaunchLimits } from "../../../ops/kernel.ts";
import { GROUP_THREADS } from "../../../ops/webgpu/lanes.ts";
import { wgslType } from "../kernel-bindings.ts";
import { anchorKernel, pointwiseFlops } from "../kernels.ts";
import type { Dispatched } from "../lower.ts";
import { pointwiseLaunch } from "../pointwise-launch.ts";

/** A kernel that one workgroup runs. */
export interface SmallKernel {
  readonly group: Group;
  readonly launch: AnchorLaunch;
}

/** A driver compiles one kernel on one thread, so that longer ones would delay the first step. */
const MOST_KERNELS = 8;

/** Divides the groups of a plan into dispatches, in order, and gives the values that only one dispatch uses their place. */
export function mergedPlan(plan: Plan, limits: LaunchLimits): { plan: Plan; dispatched: Dispatched[] } {
  const { groups } = plan;
  const launches = groups.map((group) => smallLaunch(group, limits));
  const usage = new Usage(plan);
  const regions = new Map(plan.regions);
  const dispatched: Dispatched[] = [];
  for (let first = 0; first < groups.length;) {
    let end = first;
    while (end < groups.length && end - first < MOST_KERNELS && launches[end]) end++;
    while (end > first + 1 && !usage.fits(first, end, limits)) end--;
    if (end <= first + 1) {
      dispatched.push(groups[first++]!);
      continue;
    }
    for (const [tensor, region] of usage.ownRegions(first, end)) regions.set(tensor, region);
    dispatched.push(
      groups.slice(first, end).map((group, position) => ({ group, launch: launches[first + position]! })),
    );
    first = end;
  }
  return { plan: { ...plan, regions }, dispatched };
}

/**
 * The most operations of a kernel that shares a dispatch. On paper, a thread of shaders/matmul_outputs.wgsl takes about 50 cycles for four
 * multiply-adds, because it waits for what it reads, so that 128 threads take 2 µs for 2¹⁵ of them. On an H100, a dispatch of its own
 * takes 8 to 9 µs even if it computes almost nothing.
 */
const MOST_OPERATIONS = 2 ** 16;

/** Kernels with a value of more elements have dispatches of their own: one workgroup would wait for memory for too long. */
const MOST_ELEMENTS = 2 ** 13;

/** The launch of a group in one workgroup, if it is small enough. */
function smallLaunch(group: Group, limits: LaunchLimits): AnchorLaunch | undefined {
  const anchors = anchorsOf(group);
  const nodes = nodesOf(group);
  const values = [...nodes, ...anchors.flatMap(({ inputs }) => inputs)];
  if (values.some(({ size }) => size > MOST_ELEMENTS)) return undefined;
  const launch =
    anchors.length > 0
      ? anchorKernel(anchors[0]!)!.inOneGroup?.(anchors, limits)
      : pointwiseLaunch(wholeOf(nodes[0]!), 1, GROUP_THREADS);
  return launch && launch.flops + pointwiseFlops(nodes) <= MOST_OPERATIONS ? launch : undefined;
}

/**
 * An upper bound of the workgroup memory of a kernel: two words for each thread (shaders/lanes.wgsl, shaders/argmax.wgsl), and as many
 * for each fused sum (shaders/group_sums.wgsl). The kernels of a dispatch share none of it.
 */
const workgroupBytesOf = ({ members }: Group) => 8 * GROUP_THREADS * (1 + members.filter(({ sumOf }) => sumOf).length);

/** How the groups of a plan use memory. */
class Usage {
  readonly #plan: Plan;
  /** The tensors in memory that each group uses. */
  readonly #tensors: readonly (readonly Tensor[])[];
  /** The positions of the first and the last group that uses a tensor. */
  readonly #users = new Map<Tensor, { first: number; last: number }>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#tensors = plan.groups.map(({ inputs, outputs, replacements }) =>
      [...inputs, ...outputs, ...replacements].filter((tensor) => plan.regions.has(tensor)),
    );
    this.#tensors.forEach((tensors, position) => {
      for (const tensor of tensors)
        this.#users.set(tensor, { first: this.#users.get(tensor)?.first ?? position, last: position });
    });
  }

  /** Whether one dispatch can bind all that some groups use, and has the workgroup memory for them. */
  fits(first: number, end: number, { mostBindings, bindingElements, workgroupBytes }: LaunchLimits): boolean {
    const groups = this.#plan.groups.slice(first, end);
    if (groups.reduce((sum, group) => sum + workgroupBytesOf(group), 0) > workgroupBytes) return false;
    const own = this.ownRegions(first, end);
    const types = new Map<VirtualBuffer, string>();
    for (const tensor of this.#tensors.slice(first, end).flat()) {
      const { buffer, offset } = own.get(tensor) ?? this.#plan.regions.get(tensor)!;
      const type = wgslType(tensor.dtype);
      // Bytes are addressed by the rows of a whole buffer.
      if ((types.get(buffer) ?? type) !== type || (tensor.dtype === "uint8" && offset > 0)) return false;
      if (buffer.elements > bindingElements) return false;
      types.set(buffer, type);
    }
    return types.size <= mostBindings;
  }

  /**
   * The regions of the values that only these groups use, in one buffer for each type. It has a place for each slot, so that values
   * still take the same place one after the other.
   */
  ownRegions(first: number, end: number): Map<Tensor, Region> {
    const regions = new Map<Tensor, Region>();
    const memories = new Map<string, { buffer: VirtualBuffer; places: Map<VirtualBuffer, number> }>();
    for (const tensor of new Set(this.#tensors.slice(first, end).flat())) {
      const { buffer: slot, elements } = this.#plan.regions.get(tensor)!;
      const users = this.#users.get(tensor)!;
      if (!this.#plan.slots.has(slot) || users.first < first || users.last >= end) continue;
      const type = wgslType(tensor.dtype);
      const empty = { buffer: { label: `${type} values of a dispatch`, elements: 0 }, places: new Map() };
      const { buffer, places } = memories.get(type) ?? empty;
      memories.set(type, { buffer, places });
      if (!places.has(slot)) {
        places.set(slot, buffer.elements);
        buffer.elements += aligned(slot.elements);
      }
      regions.set(tensor, { buffer, offset: places.get(slot)!, elements });
    }
    return regions;
  }
}
