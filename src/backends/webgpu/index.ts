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

/** One tiling's time for one class of matrix products. */
export interface TuningResult {
  readonly product: string;
  readonly tiling: string;
  /** The fastest run of the product, in milliseconds; undefined where the tiling gave other bits and is out. */
  readonly milliseconds: number | undefined;
}

/** How a WebGPU device is opened and used. */
export interface WebGPUOptions extends DeviceOptions {
  /** Where the tuner's choices are kept; without it, tilings are chosen by rule of thumb. */
  readonly tuning?: TuningStore | undefined;
  /** Takes each graph that is compiled. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
  /** Takes the line that says why kept choices are ignored; the console by default. */
  readonly log?: ((line: string) => void) | undefined;
}

/** A backend that can also be tuned to its adapter. */
export interface WebGPUBackend extends Backend {
  /**
   * Times tilings for the classes of the products given and keeps the fastest of each, in the store and for sessions made
   * from now on. By default it is over within a few tenths of a second on a GPU, and a little later where compiling is slow.
   */
  tune(
    products: readonly MatmulAttributes[],
    report: (result: TuningResult) => void,
    options?: TuningOptions,
  ): Promise<Tuned>;
}

/**
 * A backend on the best adapter of a source.
 * @throws DeviceError where there is no adapter
 */
export const createWebGPUBackend = (source: GpuSource, options?: WebGPUOptions): Promise<WebGPUBackend> =>
  openBackend(source, options);

/** The same, with a function that makes the buffers of each executable: tests of kernels guard theirs. */
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
