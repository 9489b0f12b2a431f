/*
 * The page's link to its worker: starts it, opens its device, and replaces either.
 */
import { signal } from "@preact/signals";
import { wrap, type Remote } from "comlink";
import type { DeviceChoice } from "../index.ts";
import type { DeviceInfo, OpenOptions, WorkerApi } from "./contract.ts";
import { connect, disconnect, reconnect } from "./digits/state/index.ts";
import { setParameter } from "./shared/address/history.ts";
import { loadedTabs } from "./tabs.ts";

/** The interface of the current worker. */
export const remote = signal<Remote<WorkerApi> | undefined>(undefined);

/** The device; undefined until it is open. */
export const device = signal<DeviceInfo | undefined>(undefined);

/** Why there is no device. */
export const pageFault = signal<string | undefined>(undefined);

/** How to create a worker, and which device to ask it for. */
interface Link {
  createWorker(): Worker;
  choice: DeviceChoice;
  worker?: Worker;
}

let link: Link;

/** Opens the device and starts the training. */
export async function openLink(options: Link): Promise<void> {
  link = options;
  const api = startWorker();
  if (await openDevice(api)) await connect(api.digits);
}

function startWorker(): Remote<WorkerApi> {
  const worker = (link.worker = link.createWorker());
  worker.addEventListener("error", ({ message }) => (pageFault.value = `The worker failed: ${message}`));
  return (remote.value = wrap<WorkerApi>(worker));
}

/** @returns whether there is a device now */
async function openDevice(api: Remote<WorkerApi>): Promise<boolean> {
  const options: OpenOptions = { device: link.choice, page: new URL(".", location.href).href };
  try {
    device.value = await api.open(options);
    pageFault.value = undefined;
    return true;
  } catch (error) {
    pageFault.value = error instanceof Error ? error.message : String(error);
    return false;
  }
}

/** Continues on the CPU with the last saved networks, through WebAssembly if the browser supports it. */
export async function continueOnCpu(): Promise<void> {
  const api = remote.value!;
  // If WebAssembly itself is lost, the reference remains.
  const choices = device.value?.kind === "wasm" ? (["cpu"] as const) : (["wasm", "cpu"] as const);
  for (const choice of choices) {
    link.choice = choice;
    if (await openDevice(api)) break;
  }
  await resumeTabs(true);
}

/**
 * Continues on another device with the last saved networks. What is paused stays paused.
 * @returns why the device cannot be used, in which case nothing changes
 */
export async function changeDevice(choice: DeviceChoice): Promise<string | undefined> {
  const api = remote.value!;
  const before = link.choice;
  link.choice = choice;
  const isOpen = await openDevice(api);
  const fault = pageFault.value;
  if (!isOpen) {
    link.choice = before;
    await openDevice(api);
  }
  await resumeTabs(false);
  if (!isOpen) return fault;
  // A reload, or a copy of the address, uses the same device.
  setParameter("device", choice);
  return undefined;
}

const resumeTabs = (starts: boolean) =>
  Promise.all(Object.values(loadedTabs.value).map(({ resume }) => resume(starts)));

/** Stops all work at once by replacing the worker. The network returns to its last saved state, and training pauses. */
export async function cancelWork(): Promise<void> {
  link.worker?.terminate();
  disconnect();
  const api = startWorker();
  if (await openDevice(api)) await reconnect(api.digits);
}
