/*
 * Reductions of [outer, count, inner] over the middle axis, in one stage or two.
 */
import membersSource from "../../../shaders/members.wgsl?raw";
import lanesSource from "../../../shaders/lanes.wgsl?raw";
import type { AnchorLaunch, LaunchLimits } from "../kernel.ts";
import { GROUP_THREADS, launchWithLanes, laneLaunch, type LaneSizes } from "./lanes.ts";

/** Threads of an adapter for each workgroup of the first stage, and the minimum number of members per lane there. */
const THREADS_PER_GROUP = 512;
const MEMBERS_PER_LANE = 32;

/**
 * Shorter groups are reduced in one stage. On an H100, one workgroup takes 57 µs for so many members and a dispatch less
 * than 9. On lavapipe, whose threads share a few cores, parts gain little: 1,000,000 members took 2.4 ms in one stage
 * and, with both cores busy, in two.
 */
const fewestMembers = ({ usefulThreads }: LaunchLimits) => Math.max(2 ** 15, 2 ** 30 / usefulThreads);

/** With fewer parts, the second stage is not worth its dispatch. */
const FEWEST_PARTS = 4;

/** The most adjacent outputs of one workgroup in the first stage, which its threads read together. */
const MOST_GROUP_OUTPUTS = 32;

/** The WGSL of a reduction, and what it reads. */
export interface ReductionForms {
  /** The WGSL of a stage that reads the input, … */
  readonly source: string;
  /** … and of one that reads the results of parts. */
  readonly ofParts: string;
  readonly reads: AnchorLaunch["reads"];
  readonly finishes?: readonly string[];
  readonly constants?: AnchorLaunch["constants"];
  /** The constants of a stage that stores results of parts, where they differ. */
  readonly partialConstants?: AnchorLaunch["constants"];
  /** The operations of the stage that reads the input; one per member by default. */
  readonly flops?: number;
}

const library = lanesSource + membersSource;

/**
 * The dispatches of a reduction. One workgroup per output is slow where there are few outputs with many members: on an
 * H100 it took 1.75 ms to add 1,000,000 numbers. There, workgroups reduce parts of the members, and a second dispatch
 * combines the results of the parts: WGSL does not order the memory accesses of different workgroups of a dispatch. The
 * number of parts, and so the order of additions, depends only on the sizes and the kind of adapter.
 */
export function reductionLaunches(sizes: LaneSizes, forms: ReductionForms, limits: LaunchLimits): AnchorLaunch[] {
  const { outputs, count, stride } = sizes;
  const { source, ofParts, reads, finishes = ["finish"], flops = outputs * count } = forms;
  const shared = { finishes, flops };
  const constants = { MEMBERS: count, ...forms.constants };
  const { parts, length, lanes } = partsOf(sizes, limits);
  if (parts === 1) return [oneStage(sizes, forms, limits)];
  const elements = outputs * parts;
  const first = launchWithLanes({ outputs: elements, count, stride, lanes }, limits.gridSize);
  const second = laneLaunch({ outputs, count: parts, stride: outputs }, limits);
  return [
    {
      ...shared,
      source: library + source,
      reads,
      grid: first.grid,
      constants: { ...first.constants, PARTS: parts, LENGTH: length, ...constants, ...forms.partialConstants },
      partial: true,
      parts: { access: "write", elements },
    },
    {
      ...shared,
      source: library + ofParts,
      reads: {},
      grid: second.grid,
      constants: { ...second.constants, PARTS: 1, LENGTH: parts, ...constants },
      flops: elements,
      parts: { access: "read", elements },
    },
  ];
}

/** The dispatch of a reduction in one stage. */
function oneStage(sizes: LaneSizes, forms: ReductionForms, limits: LaunchLimits, mostGroups?: number): AnchorLaunch {
  const { outputs, count } = sizes;
  const { source, reads, finishes = ["finish"], flops = outputs * count } = forms;
  const { grid, constants } = laneLaunch(sizes, limits, mostGroups);
  const all = { ...constants, PARTS: 1, LENGTH: count, MEMBERS: count, ...forms.constants };
  return { finishes, flops, source: library + source, reads, grid, constants: all };
}

/** A reduction by one workgroup, with the same bits; undefined if `reductionLaunches` has two stages. */
export const reductionInOneGroup = (sizes: LaneSizes, forms: ReductionForms, limits: LaunchLimits) =>
  partsOf(sizes, limits).parts === 1 ? oneStage(sizes, forms, limits, 1) : undefined;

/** The number of parts of each group and their length, and the lanes that reduce a part. */
function partsOf({ outputs, count, stride }: LaneSizes, limits: LaunchLimits) {
  const groupOutputs = stride === 1 ? 1 : Math.min(MOST_GROUP_OUTPUTS, 2 ** Math.floor(Math.log2(stride)));
  const lanes = GROUP_THREADS / groupOutputs;
  const mostGroups = Math.floor(limits.usefulThreads / THREADS_PER_GROUP);
  const useful = Math.floor(mostGroups / Math.ceil(outputs / groupOutputs));
  const parts = Math.min(useful, Math.floor(count / (MEMBERS_PER_LANE * lanes)));
  if (count < fewestMembers(limits) || parts < FEWEST_PARTS) return { parts: 1, length: count, lanes };
  const length = Math.ceil(count / parts);
  return { parts: Math.ceil(count / length), length, lanes };
}
