/*
 * What the benchmark found, as its JSON file holds it. Times are in seconds, rates per second.
 */
import type { AdapterDescription } from "../backends/backend.ts";
import type { Spread } from "./statistics.ts";

/** What times were read from: the GPU's own clock, or the computer's around many repetitions. */
export type Clock = "timestamps" | "wall clock";

/** What the machine at its best does, measured by two kernels that do nothing else. */
export interface Ceilings {
  /** float32 operations, a multiply-add counted as two. */
  readonly flopsPerSecond: number;
  /** Bytes read and bytes written, counted together. */
  readonly bytesPerSecond: number;
  /** Size of the buffer that was copied. */
  readonly copiedBytes: number;
}

/** Which ceiling is nearer, by the operations and bytes that the work needs. */
export type Bound = "arithmetic" | "memory";

/** How fast a piece of work was. */
export interface Rates {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly boundBy: Bound;
  /** The time that the nearer ceiling would allow over the time it took; above 1 where a cache serves the memory. */
  readonly shareOfCeiling: number;
}

/** A kernel, or a few that belong together, in one shape. */
export interface KernelRow extends Rates {
  /** What `--filter` and `--compare` know it by. */
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
  /** By the wall clock, many steps to a submit. */
  readonly seconds: Spread;
  readonly imagesPerSecond: number;
  /** Compiling it, with everything that a first step needs. */
  readonly compileSeconds: number;
  /** Bytes of the buffers on the GPU that training it holds, the data set among them. */
  readonly gpuBytes: number;
}

/** CPU time of the call that submits steps, until it returns. */
export interface Encoding {
  /** What each step adds to it. */
  readonly secondsPerStep: number;
  readonly secondsPerDispatch: number;
  /** What it takes besides. */
  readonly secondsPerSubmit: number;
}

/** A training step, taken apart. */
export interface DetailedStepRow extends StepRow {
  /** Empty where the GPU's clock cannot be read. */
  readonly kernels: readonly KernelRow[];
  /** Null where the clock cannot tell. */
  readonly encoding: Encoding | null;
  /** As a user trains: `fit`, with an order of its own for each epoch and the metrics read back. */
  readonly trainingImagesPerSecond: number;
}

/** The three ways in which a step is made larger. */
export const growthAxes = ["batch", "width", "depth"] as const;

export type GrowthAxis = (typeof growthAxes)[number];

export interface GrowthRow extends StepRow {
  readonly axis: GrowthAxis;
  /** The batch, the hidden layers' width, or the number of hidden layers. */
  readonly value: number;
}

/** What was not measured, and why. */
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
  /** The driver as WebGPU names it; empty where it does not. */
  readonly driver: string;
  /** Such as "Node v22.11.0, Dawn (webgpu 0.6.2)" or a browser's name for itself. */
  readonly runtime: string;
  /** Such as "linux x64, AMD EPYC, 2 cores". */
  readonly system: string;
  /** Whether choices of `wgrad tune` for this adapter were used. */
  readonly tuned: boolean;
  /** Of WebAssembly: the ops that have no function of it, and run their plain loops. */
  readonly reference?: readonly string[];
}

/** How thoroughly it was measured. */
export interface Scope {
  readonly quick: boolean;
  readonly growth: boolean;
  readonly filter: string;
}

export interface BenchmarkReport {
  /** Of this layout; a report with another number is not compared. */
  readonly format: 1;
  readonly environment: Environment;
  readonly scope: Scope;
  /** What single kernels were timed by. */
  readonly clock: Clock;
  readonly ceilings: Ceilings;
  readonly kernels: readonly KernelRow[];
  readonly steps: readonly DetailedStepRow[];
  readonly growth: readonly GrowthRow[];
  /** Too long, or more than the device can hold. */
  readonly leftOut: readonly LeftOut[];
  /** Results that differed from the CPU's, and so were not timed. */
  readonly wrong: readonly LeftOut[];
}

/** One finding after the other, in the order of the report. */
export type BenchmarkEvent =
  | { readonly kind: "beginning"; readonly report: BenchmarkReport }
  | { readonly kind: "kernel"; readonly row: KernelRow }
  | { readonly kind: "step"; readonly row: DetailedStepRow }
  | { readonly kind: "growth"; readonly row: GrowthRow }
  | { readonly kind: "leftOut"; readonly left: LeftOut }
  | { readonly kind: "wrong"; readonly left: LeftOut };

/** The rates of work that took so long, against the ceilings. */
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
