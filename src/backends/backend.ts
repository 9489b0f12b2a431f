/*
 * The contract between computations (graph, nn, train) and the backends that run them.
 */
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NumericArray } from "../ops/kernel.ts";

export type { NumericArray } from "../ops/kernel.ts";

/** The adapter that a backend runs on. */
export interface AdapterDescription {
  /** For example "NVIDIA H200 (Vulkan)", "llvmpipe (LLVM 15.0.6, 256 bits)" or "WebAssembly, 2 threads". */
  readonly name: string;
  /** Whether the adapter is a software implementation on the CPU. */
  readonly software: boolean;
}

/** One dispatch of the list that every step replays. */
export interface DispatchDescription {
  /** The ops of its kernel, such as "matmul + add + relu". If several kernels share the dispatch, "; " separates them. */
  readonly kernel: string;
  /** Shapes of the inputs and outputs, such as "[64, 784] [784, 128] → [64, 128]", of each kernel. */
  readonly shapes: string;
  /** Number of workgroups along x, y, z; for WebAssembly, x is the number of chunks that threads share. */
  readonly grid: readonly [number, number, number];
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes of the tensors that it reads and writes, each counted once for each kernel. */
  readonly bytes: number;
}

/** A compiled graph: a fixed list of dispatches that every step replays. */
export interface Executable {
  /** The dispatches of one step, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /**
   * The bytes that intermediate values, outputs and constants of a step take on the device, besides the leaves of the session;
   * undefined if the backend does not plan its memory.
   */
  readonly bytes?: number | undefined;
  /**
   * Submits the steps first, …, first + count − 1, and returns a promise at once. Runs are executed in the order of the
   * calls, also across the executables of a session.
   * @param first a whole number of at least 0
   * @param count a whole number of at least 0
   * @returns all scalar outputs of the graph, one element per step, when the steps are done
   * @throws OptionError if an input was never written, a per-step scalar is not a valid index, or the session was
   * disposed of; DeviceLostError if the device was lost, DeviceError if it refused the work
   */
  run(first: number, count: number): Promise<Readonly<Record<string, NumericArray>>>;
  /**
   * Runs one step and measures each dispatch. Present if the device can time dispatches.
   * @returns the nanoseconds of each dispatch, in the order of `dispatches`: by the GPU's clock, or by the clock of
   * the calling thread if the CPU computes
   */
  profile?(step: number): Promise<number[]>;
  /**
   * Reads an output with more than one element, as the last step left it.
   * @throws OptionError for another output, and before the first step
   */
  read(output: string): Promise<NumericArray>;
}

/** The stored values of a model, and the executables that work on them. */
export interface Session {
  /**
   * Compiles a graph. Its leaves are shared with the other graphs of the session; the order in which graphs are
   * compiled does not matter.
   * @throws GraphError for a value that is not a graph of this copy of wgrad; DeviceError if the device cannot run it
   */
  compile(graph: Graph): Promise<Executable>;
  /**
   * Writes values of a parameter, state or input, after all earlier runs: all elements or, if `firstElement` is given,
   * as many as there are values, starting there. uint8 tensors are written in whole rows; a row is one entry of the
   * first axis, or the whole tensor if it has one axis.
   * @throws OptionError for a leaf that no graph compiled in this session uses, values of another type or number, and
   * labels or indices out of range
   */
  write(leaf: Tensor, values: NumericArray, firstElement?: number): void;
  /**
   * Reads a parameter, state or input, after all earlier runs. Later runs do not change the result.
   * @throws OptionError for a leaf that no graph compiled in this session uses
   */
  read(leaf: Tensor): Promise<NumericArray>;
  /** Frees the values. Pending calls still complete; later calls throw an OptionError. */
  dispose(): void;
}

/**
 * A backend: a GPU with WebGPU, or the CPU, with WebAssembly or plain loops. Sessions of a backend share its device. All
 * backends refuse the same calls with the same errors, and a refused call changes nothing: see `CheckedSession`.
 */
export interface Backend {
  /** The kind of backend: "webgpu", "wasm", "cpu", or another. */
  readonly kind: string;
  readonly adapter: AdapterDescription;
  /** The largest size in bytes for a tensor of a batch that every op supports. */
  readonly maxTensorBytes: number;
  /** Creates a session, which has no values yet. */
  createSession(): Session;
  /** Resolves with the reason when the current device is lost without `dispose`. Never resolves for the CPU reference. */
  readonly lost: Promise<string>;
  /**
   * Opens another device if the current one is lost; otherwise, or after `dispose`, does nothing. Existing sessions
   * cannot be used afterwards.
   * @throws DeviceError if there is no adapter any more
   */
  restart(): Promise<void>;
  /** Releases the device. Pending calls fail; later calls of the backend and its sessions throw a DeviceError. */
  dispose(): void;
}
