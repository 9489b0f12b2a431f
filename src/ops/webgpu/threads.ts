import type { LaunchLimits } from "../kernel.ts";

const GROUP_THREADS = 64;

/** The grid and constants of kernels whose threads each make the elements at their distance. */
export function threadsFor(elements: number, { gridSize, usefulThreads }: LaunchLimits) {
  const groups = Math.min(Math.ceil(Math.min(elements, usefulThreads) / GROUP_THREADS), gridSize);
  return { grid: [groups, 1, 1], constants: { THREADS: groups * GROUP_THREADS, GROUP_THREADS } } as const;
}
