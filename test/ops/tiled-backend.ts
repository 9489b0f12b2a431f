import type { Backend } from "../../src/backends/backend.ts";
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import type { Device } from "../../src/device/device.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";

/** Of the tilings for GPUs, the one that compiles fastest: a thread loads one vec4 of each operand in a step. All give the same bits. */
export const FEW_LOADS = "tile 64×64, 4×4 outputs";

/**
 * A backend on a device that divides all products in one way, or by rule of thumb, with guarded buffers.
 * @param mergeKernels whether small kernels share a dispatch
 */
export function tiledBackend(device: Device, tiling: string | undefined, mergeKernels = false): Backend {
  return {
    kind: "webgpu",
    adapter: device.adapter,
    maxTensorBytes: 2 ** 27,
    createSession: () =>
      new WebGPUSession(device, {
        makeBuffers: (owner) => new GuardedBuffers(owner),
        choiceOf: () => tiling,
        mergeKernels,
      }),
    lost: device.lost,
    async restart() {},
    dispose() {},
  };
}
