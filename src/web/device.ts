/*
 * The worker's device.
 */
import { createBackend, DeviceError, type Backend } from "../index.ts";
import type { DeviceInfo, OpenOptions } from "./contract.ts";

/** The backend of a page, and what the page says of it. */
export interface OpenedDevice {
  readonly backend: Backend;
  readonly info: Omit<DeviceInfo, "mnist">;
}

/** What a visitor can do about it; the library's own advice is for those who run it in Node, too. */
const ADVICE =
  "For a GPU, use a current Chrome, Edge, Safari or Firefox, over https, and switch on hardware acceleration in its settings";

/** @throws DeviceError where a GPU is asked for and there is none */
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
