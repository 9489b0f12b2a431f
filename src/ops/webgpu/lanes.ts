import type { LaunchLimits } from "../kernel.ts";

/** Threads per workgroup when outputs are divided among lanes; more gained nothing on lavapipe. */
export const GROUP_THREADS = 128;

/** The minimum number of members per lane. */
const MEMBERS_PER_LANE = 16;

/**
 * On software adapters, outputs of at most so many members have one lane each: lanes wait for each other at barriers, which cost
 * more there than the sums. On lavapipe a softmax of 1,024 rows of 128 takes 1.9 ms with several lanes for each, and less than
 * half of that with one. The number of outputs does not matter, so that a row has the same bits in every batch.
 */
const MOST_MEMBERS_OF_ONE_LANE = 1024;

/** The sizes of a kernel that computes each output from a group of elements. */
export interface LaneSizes {
  readonly outputs: number;
  /** The members of a group. */
  readonly count: number;
  /** The distance between the members of a group in memory. */
  readonly stride: number;
}

/**
 * The constants of shaders/lanes.wgsl and the grid. The number of lanes, and so the order of additions, depends only on the number of
 * members and the kind of adapter.
 * @param mostGroups the maximum number of workgroups; each computes several outputs if there are more
 */
export function laneLaunch(sizes: LaneSizes, { software, gridSize }: LaunchLimits, mostGroups = gridSize) {
  const { count } = sizes;
  const mostLanes = software && count <= MOST_MEMBERS_OF_ONE_LANE ? 1 : GROUP_THREADS;
  let lanes = 1;
  while (lanes < mostLanes && lanes * MEMBERS_PER_LANE < count) lanes *= 2;
  return launchWithLanes({ ...sizes, lanes }, mostGroups);
}

/** As `laneLaunch`, with a given number of lanes, which divides `GROUP_THREADS`. */
export function launchWithLanes(
  { outputs, count, stride, lanes }: LaneSizes & { readonly lanes: number },
  mostGroups: number,
) {
  const groupOutputs = GROUP_THREADS / lanes;
  const groups = Math.min(Math.ceil(outputs / groupOutputs), mostGroups);
  return {
    constants: {
      LANES: lanes,
      GROUP_OUTPUTS: groupOutputs,
      STRIDE: stride,
      OUTPUTS: outputs,
      COUNT: count,
      GROUPS: groups,
    },
    grid: [groups, 1, 1] as const,
  };
}
