import type { GpuSource } from "../../device/adapter.ts";
import { openDevice, type Device, type DeviceOptions } from "../../device/device.ts";
import type { Graph } from "../../graph/graph.ts";
import type { MatrixProduct } from "../../ops/matmul/index.ts";
import type { Backend } from "../backend.ts";
import { CheckedSession, Lifetime } from "../checked-session.ts";
import type { CompileOptions } from "./compile.ts";
import { WebGPUSession } from "./session.ts";
import type { BackgroundTuner } from "./background-tuning.ts";
import type { TimeLimits } from "./time-budget.ts";
import { Choices, tuningKey, type TuningStore } from "./tuning-choices.ts";
import type { CaseResult, Tuned, TuningOptions } from "./tuning.ts";

export type { TimeLimits } from "./time-budget.ts";
export type { TuningChoices, TuningStore } from "./tuning-choices.ts";
export type { Tuned, TuningOptions } from "./tuning.ts";

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
  /**
   * Whether the tuner also measures tilings while sessions run steps, a candidate at a time between submits, and how much time it may
   * take. Candidates that would delay a step for longer are left out. Sessions that are created later use the choices; they change
   * no bit. By default the tuner does so if there is a store for choices and the adapter is hardware: on a software adapter,
   * compiling a candidate delays a step by a tenth of a second. It needs the feature timestamp-query.
   */
  readonly backgroundTuning?: boolean | TimeLimits | undefined;
  /**
   * Whether small kernels that follow each other share a dispatch, in which one workgroup runs them one after another. The bits do not
   * change. By default they do on hardware adapters: on software adapters a step of a small network is several times as fast, but
   * compiling it takes a second more.
   */
  readonly mergeKernels?: boolean | undefined;
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
    products: readonly MatrixProduct[],
    report: (result: TuningResult) => void,
    options?: TuningOptions,
  ): Promise<Tuned>;
}

/**
 * As `createWebGPUBackend`, with a function that creates the buffers of each executable: tests of kernels guard them.
 */
export async function openBackend(
  source: GpuSource,
  options: WebGPUOptions = {},
  makeBuffers?: CompileOptions["makeBuffers"],
): Promise<WebGPUBackend> {
  const { tuning, mergeKernels, log = (line) => console.warn(line) } = options;
  let device = await openDevice(source, options);
  const choices = new Choices(tuning, tuningKey(device), log);
  await choices.load();
  let tuner = await tunerFor(device, choices, options);
  let restarting: Promise<void> | undefined;
  const lifetime = new Lifetime("backend");
  const replaceDevice = async () => {
    tuner?.stop();
    device.destroy();
    device = await openDevice(source, options);
    tuner = await tunerFor(device, choices, options);
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
      const session = new WebGPUSession(device, { makeBuffers, mergeKernels, ...tuningOf(choices, tuner) });
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
      const { tuneProducts } = await tuners();
      const tuned = await tuneProducts(device, products, reportCase, tuningOptions);
      await choices.add(tuned.choices);
      return tuned;
    },
    get lost() {
      return device.lost;
    },
    dispose() {
      lifetime.end();
      tuner?.stop();
      device.destroy();
      source.release();
    },
  };
}

const tuners = () => import("./tuners.ts");

/** How a session uses the choices until now, and is watched by the tuner in the background. */
const tuningOf = ({ current }: Choices, tuner: BackgroundTuner | undefined): CompileOptions => ({
  choiceOf: (kernelClass) => current[kernelClass],
  watch: tuner && ((graph, dispatches) => tuner.watch(graph, dispatches)),
});

async function tunerFor(
  device: Device,
  choices: Choices,
  { tuning, backgroundTuning = tuning !== undefined && !device.adapter.software }: WebGPUOptions,
): Promise<BackgroundTuner | undefined> {
  if (!backgroundTuning || !device.hasTimestamps) return undefined;
  const tuner = await tuners();
  return new tuner.BackgroundTuner(device, choices, backgroundTuning === true ? undefined : backgroundTuning);
}
