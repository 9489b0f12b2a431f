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

/** @throws DeviceError if the device is "webgpu" and there is no GPU */
export async function openBackend({ device }: Pick<OpenOptions, "device">): Promise<OpenedDevice> {
  let reason: string | undefined;
  const backend = await createBackend({ device: device === "cpu" ? "cpu" : "webgpu" }).catch((error: unknown) => {
    if (!(error instanceof DeviceError)) throw error;
    const { what } = error;
    if (device === "webgpu") throw new DeviceError({ where: "WebGPU", what, fix: ADVICE });
    reason = `No GPU (${what}): computing on the CPU, which is much slower. ${ADVICE}.`;
    return createBackend({ device: "cpu" });
  });
  const { kind, adapter } = backend;
  return { backend, info: { kind, adapter: adapter.name, software: adapter.software, reason } };
}
