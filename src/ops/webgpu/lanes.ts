/** Threads per workgroup when outputs are divided among lanes; more gained nothing on lavapipe. */
export const GROUP_THREADS = 128;

/** The minimum number of members per lane. */
const MEMBERS_PER_LANE = 16;

/**
 * The constants of shaders/lanes.wgsl and the grid for `outputs` results of `count` members each. The number of lanes,
 * and so the order of additions, depends only on the shape.
 * @param mostGroups the maximum number of workgroups; each computes several outputs if there are more
 */
export function laneLaunch(outputs: number, count: number, stride: number, mostGroups: number) {
  let lanes = 1;
  while (lanes < GROUP_THREADS && lanes * MEMBERS_PER_LANE < count) lanes *= 2;
  return launchWithLanes({ outputs, count, stride, lanes }, mostGroups);
}

/** As `laneLaunch`, with a given number of lanes, which divides `GROUP_THREADS`. */
export function launchWithLanes(
  { outputs, count, stride, lanes }: Readonly<Record<"outputs" | "count" | "stride" | "lanes", number>>,
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
