/*
 * The benchmark, which runs in Node and in a browser.
 */
import { createWebGPUBackend } from "../backends/on-demand.ts";
import type { TuningStore, WebGPUOptions } from "../backends/webgpu/index.ts";
import type { Backend } from "../backends/backend.ts";
import type { WasmSource } from "../backends/wasm/source.ts";
import type { GpuSource } from "../device/adapter.ts";
import { openDevice } from "../device/device.ts";
import { optionName, OptionError } from "../errors.ts";
import { version } from "../version.ts";
import { kernelCases, type KernelCase } from "./cases.ts";
import { measureCeilings } from "./ceilings.ts";
import { ResultError } from "./check.ts";
import { growthCases, measureGrowth, MOST_SECONDS, predictKernelSeconds, tooLong } from "./growth.ts";
import { measureKernel } from "./kernels.ts";
import { metered } from "./memory.ts";
import { quickly, settingsFor, thorough, type TimingSettings } from "./replay.ts";
import type {
  BenchmarkEvent,
  BenchmarkReport,
  DetailedStepRow,
  Environment,
  GrowthRow,
  KernelRow,
  LeftOut,
  Scope,
} from "./report.ts";
import { denseStep, type StepCase } from "./step-cases.ts";
import { measureStepInDetail, type StepBench } from "./step.ts";

export * from "./report.ts";
export { comparison, readReport } from "./compare.ts";
export {
  growthTableOf,
  headFields,
  kernelLayout,
  ReportLines,
  reportJson,
  stepFields,
  stepTitle,
  wrongText,
  type TableLayout,
} from "./text.ts";

/** Options of `runBenchmark`. */
export interface BenchmarkOptions extends Scope {
  /**
   * The device to measure: the adapter of a WebGPU source, which is opened twice and released at the end, or WebAssembly with
   * all threads of its source.
   */
  readonly source: GpuSource | WasmSource;
  /** The runtime, such as "Node v22.11.0, Dawn (webgpu 0.6.2)". */
  readonly runtime: string;
  /** The machine, such as "linux x64, AMD EPYC, 2 cores". */
  readonly system: string;
  /** The store of the tuner's choices, which are used as in training. */
  readonly tuning?: TuningStore;
  /** Creates the backend to measure; by default the WebGPU backend. */
  readonly createBackend?: (
    source: GpuSource,
    options: Pick<WebGPUOptions, "tuning" | "backgroundTuning">,
  ) => Promise<Backend>;
  /** Receives each result when it is available. */
  readonly emit?: (event: BenchmarkEvent) => void;
}

/** The README's network at two batch sizes. */
const stepCases: readonly StepCase[] = [64, 512].map((batch) =>
  denseStep(`step 784-128-10 batch ${batch}`, { hidden: [128], batch }),
);

/** Kernels with more FLOPs take about a second per run on a software adapter; a quick benchmark runs them only by name. */
const SLOW_FLOPS = 1e9;

/**
 * Measures the adapter's ceilings, single kernels, training steps with all their kernels, and, on request, how the cost of
 * a step grows.
 * @throws OptionError if the filter matches nothing
 * @throws DeviceError if there is no adapter, or if it is lost
 * @throws ResultError if the kernels of the ceilings compute wrong results
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkReport> {
  try {
    return await new Benchmark(options, chooseCases(options)).run();
  } finally {
    if ("gpu" in options.source) options.source.release();
  }
}

type Chosen = ReturnType<typeof chooseCases>;

function chooseCases({ filter, quick, growth }: Scope) {
  const matches = ({ name }: { name: string }) => plain(name).includes(plain(filter));
  const skipsSlow = quick && filter === "";
  const chosen = {
    kernels: kernelCases.filter(matches).filter(({ flops }) => !skipsSlow || flops < SLOW_FLOPS),
    steps: stepCases.filter(matches),
    growth: growth ? growthCases().filter(matches) : [],
  };
  if (Object.values(chosen).some((cases) => cases.length > 0)) return chosen;
  throw new OptionError({
    where: optionName("filter"),
    what: `no benchmark has ${JSON.stringify(filter)} in its name`,
    fix: `Examples of names are ${[kernelCases[0]!, stepCases[0]!, growthCases()[0]!].map(({ name }) => `"${name}"`).join(", ")} (only with growth)`,
  });
}

/** A name in lower case, with "x" for "×" and single spaces. */
const plain = (text: string) => text.toLowerCase().replaceAll("×", "x").replaceAll(/\s+/g, " ").trim();

class Benchmark {
  readonly #options: BenchmarkOptions;
  readonly #chosen: Chosen;
  readonly #kernels: KernelRow[] = [];
  readonly #steps: DetailedStepRow[] = [];
  readonly #growth: GrowthRow[] = [];
  readonly #leftOut: LeftOut[] = [];
  readonly #wrong: LeftOut[] = [];

  constructor(options: BenchmarkOptions, chosen: Chosen) {
    this.#options = options;
    this.#chosen = chosen;
  }

  async run(): Promise<BenchmarkReport> {
    const { quick, growth, filter, source, runtime, system } = this.#options;
    const settings = quick ? quickly : thorough;
    const opened = "gpu" in source ? await this.#openGpu(source, settings) : await openWasm(source, settings);
    const { bench, driver, tuned, reference } = opened;
    const { backend, clock, ceilings } = bench;
    const { adapter } = backend;
    try {
      const report: BenchmarkReport = {
        format: 1,
        environment: {
          date: new Date().toISOString(),
          version,
          adapter,
          driver,
          runtime,
          system,
          tuned,
          ...(reference && { reference }),
        },
        scope: { quick, growth, filter },
        clock,
        ceilings,
        kernels: this.#kernels,
        steps: this.#steps,
        growth: this.#growth,
        leftOut: this.#leftOut,
        wrong: this.#wrong,
      };
      this.#emit({ kind: "beginning", report });
      await this.#measure(bench);
      return report;
    } finally {
      backend.dispose();
    }
  }

  async #openGpu(source: GpuSource, settings: TimingSettings): Promise<Opened> {
    const { createBackend = createWebGPUBackend } = this.#options;
    const { ceilings, clock, driver } = await gpuCeilings(source, settings);
    const { source: counted, meter } = metered({ ...source, release() {} });
    const tuning = new ReadOnlyStore(this.#options.tuning);
    const backend = await createBackend(counted, { tuning, backgroundTuning: false });
    const own = settingsFor(settings, backend.adapter);
    return { bench: { backend, ceilings, clock, settings: own, meter }, driver, tuned: tuning.found };
  }

  async #measure(bench: StepBench): Promise<void> {
    for (const kernelCase of this.#chosen.kernels) {
      const predicted = await this.#predict(bench, kernelCase);
      if (predicted > MOST_SECONDS) {
        this.#skip({ name: kernelCase.name, why: tooLong("it", predicted) });
        continue;
      }
      const row = await this.#attempt(kernelCase.name, () => measureKernel(bench, kernelCase));
      if (!row) continue;
      this.#kernels.push(row);
      this.#emit({ kind: "kernel", row });
    }
    for (const stepCase of this.#chosen.steps) {
      const row = await this.#attempt(stepCase.name, () => measureStepInDetail(bench, stepCase));
      if (!row) continue;
      this.#steps.push(row);
      this.#emit({ kind: "step", row });
    }
    await measureGrowth(bench, this.#chosen.growth, {
      attempt: (name, measure) => this.#attempt(name, measure),
      measured: (row) => {
        this.#growth.push(row);
        this.#emit({ kind: "growth", row });
      },
      leftOut: (left) => this.#skip(left),
    });
  }

  /** Predicts the seconds of a kernel from a smaller one, which is measured if needed; 0 if there is none. */
  async #predict(bench: StepBench, { flops, predictedBy }: KernelCase): Promise<number> {
    const smaller = kernelCases.find(({ name }) => name === predictedBy);
    if (!smaller) return 0;
    const known =
      this.#kernels.find(({ name }) => name === predictedBy) ??
      (await this.#attempt(smaller.name, () => measureKernel(bench, smaller)));
    return known ? predictKernelSeconds(flops, known) : 0;
  }

  #skip(left: LeftOut): void {
    this.#leftOut.push(left);
    this.#emit({ kind: "leftOut", left });
  }

  /** Runs a measurement. A wrong result is recorded, and the other cases continue. */
  async #attempt<Value>(name: string, measure: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await measure();
    } catch (error) {
      if (!(error instanceof ResultError)) throw error;
      const left = { name, why: `${error.where}: ${error.what}` };
      this.#wrong.push(left);
      this.#emit({ kind: "wrong", left });
      return undefined;
    }
  }

  #emit(event: BenchmarkEvent): void {
    this.#options.emit?.(event);
  }
}

/** The device to measure, with the parts of the report that depend on it. */
interface Opened extends Pick<Environment, "driver" | "tuned" | "reference"> {
  readonly bench: StepBench;
}

async function openWasm(source: WasmSource, settings: TimingSettings): Promise<Opened> {
  const { openWasmBench } = await import("./wasm.ts");
  const { reference, ...bench } = await openWasmBench(source, settings);
  return { bench, driver: "", tuned: false, reference };
}

/** Measures the ceilings on a separate device, so that its large buffers are freed before anything else is measured. */
async function gpuCeilings(source: GpuSource, settings: TimingSettings) {
  const device = await openDevice({ ...source, release() {} });
  try {
    return { ...(await measureCeilings(device, settings)), driver: device.gpu.adapterInfo?.description ?? "" };
  } finally {
    device.destroy();
  }
}

/** A read-only view of the tuner's choices, which a benchmark must not change. */
class ReadOnlyStore implements TuningStore {
  readonly #store: TuningStore | undefined;
  /** Whether there are choices for this adapter. */
  found = false;

  constructor(store: TuningStore | undefined) {
    this.#store = store;
  }

  async load(key: string): Promise<string | undefined> {
    const text = await this.#store?.load(key);
    this.found = text !== undefined;
    return text;
  }

  async save(): Promise<void> {}
}
