import type { LaunchLimits } from "../src/ops/kernel.ts";

/** The limits of a software adapter, for tests without a device. */
export const softwareLimits: LaunchLimits = {
  software: true,
  bindingElements: 2 ** 25,
  gridSize: 65_535,
  workgroupThreads: 256,
  workgroupBytes: 16_384,
  usefulThreads: 4096,
  mostBindings: 7,
  mergeKernels: false,
};
