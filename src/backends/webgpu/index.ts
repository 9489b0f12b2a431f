import type { GpuSource } from "../../device/adapter.ts";
import { openDevice, type DeviceOptions } from "../../device/device.ts";
import type { Graph } from "../../graph/graph.ts";
import type { MatmulAttributes } from "../../ops/matmul/index.ts";
import type { Backend } from "../backend.ts";
import { CheckedSession, Lifetime } from "../checked-session.ts";
import type { CompileOptions } from "./compile.ts";
import { WebGPUSession } from "./session.ts";
import { productCase } from "../../ops/matmul/webgpu-tuning.ts";
import {
  loadChoices,
  tune,
  tuningKey,
  type CaseResult,
  type Tuned,
  type TuningOptions,
  type TuningStore,
} from "./tuning.ts";

export type { Tuned, TuningChoices, TuningOptions, TuningStore } from "./tuning.ts";

/** The time of one tiling for one class of matrix products. */
export interface TuningResult {
  readonly product: string;
  readonly tiling: string;
  /** The fastest run in milliseconds; undefined if the tiling gave other bits and was rejected. */
  readonly milliseconds: number | undefined;
}

/** Options of a WebGPU backend. */
export interface WebGPUOptions extends DeviceOptions {
  /** Stores the choices of the tuner. Without it, tilings are chosen by rules of thumb. */
  readonly tuning?: TuningStore | undefined;
  /** Called with each graph that is compiled. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
  /** Called with a line that says why stored choices are ignored; the console by default. */
  readonly log?: ((line: string) => void) | undefined;
}

/** A backend that can be tuned to its adapter. */
export interface WebGPUBackend extends Backend {
  /**
   * Measures tilings for the classes of the given products, and stores the fastest of each for sessions created from
   * now on. By default it takes a few tenths of a second on a GPU, and somewhat longer if compiling is slow.
   */
  tune(
    products: readonly MatmulAttributes[],
    report: (result: TuningResult) => void,
    options?: TuningOptions,
  ): Promise<Tuned>;
}

/**
 * Creates a backend on the best adapter of a source.
 * @throws DeviceError if there is no adapter
 */
export const createWebGPUBackend = (source: GpuSource, options?: WebGPUOptions): Promise<WebGPUBackend> =>
  openBackend(source, options);

/**
 * As `createWebGPUBackend`, with a function that creates the buffers of each executable: tests of kernels guard them.
 */
export async function openBackend(
  source: GpuSource,
  options: WebGPUOptions = {},
  makeBuffers?: CompileOptions["makeBuffers"],
): Promise<WebGPUBackend> {
  const { tuning, log = (line) => console.warn(line) } = options;
  let device = await openDevice(source, options);
  const key = tuningKey(device);
  let choices = tuning ? await loadChoices(tuning, key, log) : {};
  let restarting: Promise<void> | undefined;
  const lifetime = new Lifetime("backend");
  const replaceDevice = async () => {
    device.destroy();
    device = await openDevice(source, options);
    if (!lifetime.ended) return;
    device.destroy();
    lifetime.requireOpen("restart");
  };
  return {
    kind: "webgpu",
    get adapter() {
      return device.adapter;
    },
    get maxTensorBytes() {
      return Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    },
    createSession() {
      lifetime.requireOpen("createSession");
      const session = new WebGPUSession(device, { makeBuffers, choiceOf: (kernelClass) => choices[kernelClass] });
      return new CheckedSession(session, lifetime, options.onGraph);
    },
    async restart() {
      if (!device.isLost || lifetime.ended) return;
      restarting ??= replaceDevice().finally(() => (restarting = undefined));
      await restarting;
    },
    async tune(products, report, tuningOptions) {
      lifetime.requireOpen("tune");
      const reportCase = ({ kernelClass, choice, milliseconds }: CaseResult) =>
        report({ product: kernelClass, tiling: choice, milliseconds });
      const tuned = await tune(device, products.map(productCase), reportCase, tuningOptions);
      choices = { ...choices, ...tuned.choices };
      await tuning?.save(key, JSON.stringify(choices, undefined, 2));
      return tuned;
    },
    get lost() {
      return device.lost;
    },
    dispose() {
      lifetime.end();
      device.destroy();
      source.release();
    },
  };
}
