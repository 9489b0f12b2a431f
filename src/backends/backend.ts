/*
 * The contract between what is to be computed (graph, nn, train) and what computes it.
 */
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NumericArray } from "../ops/kernel.ts";

export type { NumericArray } from "../ops/kernel.ts";

/** What a backend runs on. */
export interface AdapterDescription {
  /** Such as "NVIDIA H200 (Vulkan)", "llvmpipe (LLVM 15.0.6, 256 bits)" or "WebAssembly, 2 threads". */
  readonly name: string;
  /** Whether the adapter is a program on the CPU that only behaves like a GPU. */
  readonly software: boolean;
}

/** One entry of the list that every step replays. */
export interface DispatchDescription {
  readonly kernel: string;
  /** Shapes of the inputs and outputs, such as "[64, 784] [784, 128] → [64, 128]". */
  readonly shapes: string;
  /** Workgroups along x, y, z; of WebAssembly the parts along x that threads share. */
  readonly grid: readonly [number, number, number];
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes of the tensors it reads and writes, each counted once. */
  readonly bytes: number;
}

/** A compiled graph: a fixed list of dispatches that every step replays. */
export interface Executable {
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /**
   * Submits steps first … first + count − 1 and returns at once; runs are executed in the order of the calls, also
   * across the executables of a session.
   * @param first a whole number of at least 0, as `count` is
   * @returns every scalar output of the graph, one element per step, once the steps are done
   * @throws OptionError where an input was never written, a per-step scalar is no index of what it is used for, or the
   * session was disposed of; DeviceLostError where the device was lost, DeviceError where it refused the work
   */
  run(first: number, count: number): Promise<Readonly<Record<string, NumericArray>>>;
  /**
   * Where the device can time them: runs one step dispatch by dispatch, and gives the nanoseconds of each, in the order of
   * `dispatches`; by the GPU's clock, or by the calling thread's where the CPU computes.
   */
  profile?(step: number): Promise<number[]>;
  /**
   * An output of more than one element, as the last step run so far leaves it.
   * @throws OptionError for another output, and before the first step
   */
  read(output: string): Promise<NumericArray>;
}

/** The stored values of a model, and the executables that work on them. */
export interface Session {
  /**
   * Makes everything that running the graph needs. Leaves that another graph of the session uses are shared; the order in
   * which graphs are compiled does not matter.
   * @throws GraphError for what is no graph of this copy of wgrad; DeviceError where the device cannot take it
   */
  compile(graph: Graph): Promise<Executable>;
  /**
   * Gives a parameter, state or input new values after all runs called before: all of them, or, where `firstElement` is
   * given, as many as there are from that one on. uint8 tensors are written in whole rows, the elements of an entry of the
   * first axis; one of a single axis is one row.
   * @throws OptionError for a leaf that no graph compiled in this session uses, values of another type or number, and
   * labels or indices that are too large for what the graphs use them for
   */
  write(leaf: Tensor, values: NumericArray, firstElement?: number): void;
  /**
   * The values of a parameter, state or input after all runs called before; later runs do not change them.
   * @throws OptionError for a leaf that no graph compiled in this session uses
   */
  read(leaf: Tensor): Promise<NumericArray>;
  /** Frees the values. What was called before still arrives; later calls throw an OptionError. */
  dispose(): void;
}

/**
 * What computes: a GPU by WebGPU, or the CPU, by WebAssembly or by plain loops. Sessions of one backend share its device. All backends refuse the same calls
 * with the same errors, and a call that is refused changes nothing: see `CheckedSession`.
 */
export interface Backend {
  /** The name of the kind of backend: "webgpu", "wasm", "cpu", or another. */
  readonly kind: string;
  readonly adapter: AdapterDescription;
  /** The most bytes that one tensor of a batch should have, so that every op can take it. */
  readonly maxTensorBytes: number;
  /** A place for one model's values, empty at first. */
  createSession(): Session;
  /** Settles when the present device is lost without `dispose`, with the reason. Never for the CPU's plain loops. */
  readonly lost: Promise<string>;
  /**
   * Where the device is lost, opens another one; else, or after `dispose`, does nothing. Sessions made before stay dead.
   * @throws DeviceError where there is no adapter any more
   */
  restart(): Promise<void>;
  /** Gives the device back. What is in flight fails; later calls of the backend and its sessions throw a DeviceError. */
  dispose(): void;
}
