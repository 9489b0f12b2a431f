/*
 * What the page may ask of its worker: one interface for both sides, which Comlink carries over.
 */
import type { ProxyMarked } from "comlink";
import type { DeviceChoice } from "../index.ts";
import type { DigitsApi } from "./digits/contract.ts";
import type { PlaygroundApi } from "./playground/contract.ts";

export interface OpenOptions {
  /** What computes; "auto" takes the CPU where there is no GPU. */
  readonly device: DeviceChoice;
  /** The page's address, beside which data may lie. */
  readonly page: string;
  /** Whether `loseDevice` may be called. */
  readonly test: boolean;
}

/** What computes, for the page to say. */
export interface DeviceInfo {
  /** The backend's kind. */
  readonly kind: string;
  /** The adapter's name. */
  readonly adapter: string;
  /** Whether the adapter is a program on the CPU that only behaves like a GPU. */
  readonly software: boolean;
  /** Why it is the CPU though a GPU was wanted. */
  readonly reason: string | undefined;
  /** Whether MNIST's files are beside the page. */
  readonly mnist: boolean;
}

export interface WorkerApi {
  /**
   * Opens the device that both tabs compute on. To be called first, and again for another one: each tab goes over to it
   * with its next network.
   * @throws DeviceError where the device is "webgpu" and there is none
   */
  open(options: OpenOptions): Promise<DeviceInfo>;
  readonly digits: DigitsApi & ProxyMarked;
  readonly playground: PlaygroundApi & ProxyMarked;
  /** Destroys the GPU's device as if its driver had failed; for tests, where `open` allowed it. */
  loseDevice(): void;
}
