/*
 * The interface between the page and its worker, carried by Comlink.
 */
import type { ProxyMarked } from "comlink";
import type { DeviceChoice } from "../index.ts";
import type { ConvolutionApi } from "./convolution/contract.ts";
import type { DigitsApi } from "./digits/contract.ts";
import type { PlaygroundApi } from "./playground/contract.ts";
import type { TextApi } from "./text/contract.ts";

export interface OpenOptions {
  /** "auto" uses the CPU, through WebAssembly, if there is no GPU. */
  readonly device: DeviceChoice;
  /** The address of the page; data is looked for beside it. */
  readonly page: string;
}

/** The device, as the page describes it. */
export interface DeviceInfo {
  /** The backend's kind. */
  readonly kind: string;
  /** The adapter's name. */
  readonly adapter: string;
  /** Whether the adapter is software that runs on the CPU. */
  readonly software: boolean;
  /** Why the CPU is used instead of a GPU. */
  readonly reason: string | undefined;
  /** Whether MNIST's files are beside the page. */
  readonly mnist: boolean;
}

export interface WorkerApi {
  /**
   * Opens the device for all tabs. Call it first, and again to change the device: each tab uses the new one from its
   * next network on.
   * @throws DeviceError if the device is not available
   */
  open(options: OpenOptions): Promise<DeviceInfo>;
  readonly digits: DigitsApi & ProxyMarked;
  /** Loads the worker's code for the Playground tab. The first call creates its service. */
  openPlayground(): Promise<PlaygroundApi & ProxyMarked>;
  /** Loads the worker's code for the Convolution tab. The first call creates its service. */
  openConvolution(): Promise<ConvolutionApi & ProxyMarked>;
  /** Loads the worker's code for the Text tab. The first call creates its service. */
  openText(): Promise<TextApi & ProxyMarked>;
}
