/*
 * Opens the worker's device.
 */
import { createBackend, DeviceError, type Backend } from "../index.ts";
import type { DeviceInfo, OpenOptions } from "./contract.ts";

/** A backend, and its description for the page. */
export interface OpenedDevice {
  readonly backend: Backend;
  readonly info: Omit<DeviceInfo, "mnist">;
}

/** Advice for a visitor of the page. The library's own advice also covers Node. */
const ADVICE =
  "For a GPU, use a current Chrome, Edge, Safari or Firefox, over https, and switch on hardware acceleration in its settings";

/** @throws DeviceError if the device is not available */
export async function openBackend({ device }: Pick<OpenOptions, "device">): Promise<OpenedDevice> {
  let missing: string | undefined;
  const onNoGpu = (reason: string) => (missing = reason);
  // The page lists each kernel by itself, and the code that merges them would be 3 KB of a first visit.
  const backend = await createBackend({ device, mergeKernels: false, onNoGpu }).catch((error: unknown) => {
    if (!(error instanceof DeviceError) || device !== "webgpu") throw error;
    throw new DeviceError({ where: "WebGPU", what: error.what, fix: ADVICE });
  });
  const { kind, adapter } = backend;
  const slower = kind === "cpu" ? ", which is much slower" : "";
  const reason = missing && `No GPU (${missing}): computing on the CPU${slower}. ${ADVICE}.`;
  return { backend, info: { kind, adapter: adapter.name, software: adapter.software, reason } };
}
