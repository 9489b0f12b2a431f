/*
 * The benchmark's report, in the form of its JSON file. Times are in seconds, rates are per second.
 */
import type { AdapterDescription } from "../backends/backend.ts";
import type { Spread } from "./statistics.ts";

/** The clock of a time: the GPU's timestamps, or the computer's clock around many repetitions. */
export type Clock = "timestamps" | "wall clock";

/** The peak rates of the machine, measured with two kernels. */
export interface Ceilings {
  /** float32 operations; a multiply-add counts as two. */
  readonly flopsPerSecond: number;
  /** Bytes read plus bytes written. */
  readonly bytesPerSecond: number;
  /** The size of the copied buffer. */
  readonly copiedBytes: number;
}

/** Which ceiling limits the work, by its FLOPs and bytes. */
export type Bound = "arithmetic" | "memory";

/** The rates of a piece of work. */
export interface Rates {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly boundBy: Bound;
  /** The time at the limiting ceiling divided by the measured time; above 1 if data comes from a cache. */
  readonly shareOfCeiling: number;
}

/** A kernel, or a few related ones, with one set of shapes. */
export interface KernelRow extends Rates {
  /** The name for `--filter` and `--compare`. */
  readonly name: string;
  readonly kernel: string;
  readonly shapes: string;
  readonly dispatches: number;
  readonly flops: number;
  readonly bytes: number;
  readonly clock: Clock;
  readonly seconds: Spread;
}

/** A whole training step. */
export interface StepRow extends Rates {
  readonly name: string;
  /** Widths of the layers, such as "784-128-10". */
  readonly network: string;
  readonly batch: number;
  readonly dispatches: number;
  readonly flops: number;
  readonly bytes: number;
  /** By the wall clock, with many steps in a submit. */
  readonly seconds: Spread;
  /** Examples per second: images, or windows of a text. */
  readonly imagesPerSecond: number;
  /** The time to compile the step and prepare the first one. */
  readonly compileSeconds: number;
  /** Bytes of the buffers on the GPU during training, including the data set. */
  readonly gpuBytes: number;
}

/** CPU time of the call that submits steps, until it returns. */
export interface Encoding {
  /** The cost of each step. */
  readonly secondsPerStep: number;
  readonly secondsPerDispatch: number;
  /** The constant cost of a submit. */
  readonly secondsPerSubmit: number;
}

/** A training step with its kernels. */
export interface DetailedStepRow extends StepRow {
  /** Empty if the GPU has no usable timestamps. */
  readonly kernels: readonly KernelRow[];
  /** Null if the clock is too coarse. */
  readonly encoding: Encoding | null;
  /** The rate of `fit`, including shuffling and reading metrics back. */
  readonly trainingImagesPerSecond: number;
}

/** The sizes of a step that are varied. */
export const growthAxes = ["batch", "width", "depth", "context", "text-width"] as const;

export type GrowthAxis = (typeof growthAxes)[number];

export interface GrowthRow extends StepRow {
  readonly axis: GrowthAxis;
  /** The batch size, the width or the number of the hidden layers; the context or the width of a GPT. */
  readonly value: number;
  /**
   * The power of the value with which the time has grown since the row before on this axis: 1 if it doubled with the
   * value, 2 if it quadrupled. Absent for the first row.
   */
  readonly slope?: number;
  /** Of a GPT. */
  readonly tokensPerSecond?: number;
}

/** A benchmark that was not timed, and why. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** Where and when the benchmark ran. */
export interface Environment {
  /** ISO 8601. */
  readonly date: string;
  /** wgrad's version. */
  readonly version: string;
  readonly adapter: AdapterDescription;
  /** WebGPU's name of the driver, or "". */
  readonly driver: string;
  /** The runtime, such as "Node v22.11.0, Dawn (webgpu 0.6.2)" or a browser's user agent. */
  readonly runtime: string;
  /** The machine, such as "linux x64, AMD EPYC, 2 cores". */
  readonly system: string;
  /** Whether choices of `wgrad tune` for this adapter were used. */
  readonly tuned: boolean;
  /** Of WebAssembly: the ops that have no function of it, and run their plain loops. */
  readonly reference?: readonly string[];
}

/** What is measured. */
export interface Scope {
  readonly quick: boolean;
  readonly growth: boolean;
  readonly filter: string;
}

/** The report of a benchmark. */
export interface BenchmarkReport {
  /** The version of this format; reports with other versions are not compared. */
  readonly format: 1;
  readonly environment: Environment;
  readonly scope: Scope;
  /** The clock of single kernels. */
  readonly clock: Clock;
  readonly ceilings: Ceilings;
  readonly kernels: readonly KernelRow[];
  readonly steps: readonly DetailedStepRow[];
  readonly growth: readonly GrowthRow[];
  /** Benchmarks that would take too long, or exceed the device's memory. */
  readonly leftOut: readonly LeftOut[];
  /** Benchmarks whose results differ from the CPU's. */
  readonly wrong: readonly LeftOut[];
}

/** A result, in the order of the report. */
export type BenchmarkEvent =
  | { readonly kind: "beginning"; readonly report: BenchmarkReport }
  | { readonly kind: "kernel"; readonly row: KernelRow }
  | { readonly kind: "step"; readonly row: DetailedStepRow }
  | { readonly kind: "growth"; readonly row: GrowthRow }
  | { readonly kind: "leftOut"; readonly left: LeftOut }
  | { readonly kind: "wrong"; readonly left: LeftOut };

/** Computes the rates of work that took `seconds`, and compares them with the ceilings. */
export function ratesOf(work: { flops: number; bytes: number }, seconds: number, ceilings: Ceilings): Rates {
  const arithmetic = work.flops / ceilings.flopsPerSecond;
  const memory = work.bytes / ceilings.bytesPerSecond;
  return {
    flopsPerSecond: work.flops / seconds,
    bytesPerSecond: work.bytes / seconds,
    boundBy: arithmetic > memory ? "arithmetic" : "memory",
    shareOfCeiling: Math.max(arithmetic, memory) / seconds,
  };
}
