import type { BackendRules } from "../../compiler/backend-rules.ts";
import type { Device } from "../../device/device.ts";
import type { LaunchLimits } from "../../ops/kernel.ts";
import { anchorKernel } from "./kernels.ts";

/**
 * On lavapipe a workgroup costs more than its elements: Adam over 100,000 parameters took 0.49 ms with 64 workgroups of
 * 64 threads and 0.84 ms with 398 of 256. This many threads fill a GPU, and more gain nothing.
 */
const SOFTWARE_THREADS = 4096;
const HARDWARE_THREADS = 2 ** 18;

/**
 * The limits of a device, and what is fast on it.
 * @param mergeKernels whether small kernels share a dispatch
 */
export function launchLimitsOf(
  { limits, adapter, subgroupSize, subgroupMatrix }: Device,
  mergeKernels = !adapter.software,
): Omit<LaunchLimits, "choiceOf"> {
  return {
    software: adapter.software,
    slowArrays: /swiftshader/i.test(adapter.name),
    bindingElements: Math.floor(limits.maxStorageBufferBindingSize / 4),
    gridSize: limits.maxComputeWorkgroupsPerDimension,
    workgroupThreads: limits.maxComputeInvocationsPerWorkgroup,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    usefulThreads: adapter.software ? SOFTWARE_THREADS : HARDWARE_THREADS,
    subgroupSize,
    subgroupMatrix,
    // One is reserved for the trace of scalar outputs.
    mostBindings: limits.maxStorageBuffersPerShaderStage - 1,
    mergeKernels,
  };
}

/** The rules of WebGPU for the compiler. */
export function webgpuRules(limits: LaunchLimits): BackendRules {
  return {
    mostBindings: limits.mostBindings,
    oneAccessPerBuffer: true,
    recomputes: true,
    atomics: true,
    canFuse: (anchors) => anchorKernel(anchors[0]!)?.canFuse?.(anchors, limits) ?? true,
    fusesReductions: (anchors) => anchorKernel(anchors[0]!)?.fusesReductions?.(anchors) ?? false,
  };
}
