/*
 * The reference backend: it computes every node of a graph with its plain formula, one after the other. In float64 it
 * is the reference for gradients and GPU kernels; in float32 it trains without a GPU.
 */
import { OptionError } from "../../errors.ts";
import { updatedLeaves, type Graph } from "../../graph/graph.ts";
import {
  constantOp,
  isStored,
  stepScalarOp,
  type ConstantAttributes,
  type StepScalarAttributes,
} from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { CpuKernel } from "../../ops/kernel.ts";
import type { PackAttributes } from "../../ops/layout/index.ts";
import type { Backend, DispatchDescription, Executable, NumericArray, Session } from "../backend.ts";
import { CheckedSession, Lifetime } from "../checked-session.ts";
import { collectKernels, findKernel } from "../registry.ts";

const kernels = collectKernels<CpuKernel>(import.meta.glob("../../ops/*/cpu.ts", { eager: true }));

/** Options of `createCpuBackend`. */
export interface CpuOptions {
  /** The type in which float32 tensors are computed and stored; "float32" by default, "float64" as a reference. */
  readonly precision?: "float32" | "float64";
  /** Called with each graph that is compiled. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
}

/**
 * Creates a backend on the CPU.
 * @throws OptionError for another precision
 */
export function createCpuBackend(options: CpuOptions = {}): Backend {
  const { precision = "float32" } = options;
  if (precision !== "float32" && precision !== "float64") {
    throw new OptionError({
      where: "precision",
      what: `unknown precision ${String(precision)}`,
      fix: "Choose float32 or float64",
    });
  }
  const lifetime = new Lifetime("backend");
  return {
    kind: "cpu",
    adapter: { name: `CPU reference, ${precision}`, software: true },
    maxTensorBytes: 2 ** 31,
    createSession() {
      lifetime.requireOpen("createSession");
      return new CheckedSession(
        new CpuSession(precision === "float64" ? Float64Array : Float32Array),
        lifetime,
        options.onGraph,
      );
    },
    lost: new Promise(() => {}),
    async restart() {},
    dispose: () => lifetime.end(),
  };
}

type FloatArrayConstructor = typeof Float32Array | typeof Float64Array;

/** The unchecked session; see `CheckedSession`. */
class CpuSession implements Session {
  readonly #floats: FloatArrayConstructor;
  readonly #stored = new Map<Tensor, NumericArray>();

  constructor(floats: FloatArrayConstructor) {
    this.#floats = floats;
  }

  async compile(graph: Graph): Promise<Executable> {
    const values = new Map<Tensor, NumericArray>();
    for (const node of graph.nodes) values.set(node, this.#arrayFor(node, values));
    return new CpuExecutable(graph, values);
  }

  write(leaf: Tensor, values: NumericArray, firstElement = 0): void {
    this.#storedArray(leaf).set(values, firstElement);
  }

  async read(leaf: Tensor): Promise<NumericArray> {
    return this.#storedArray(leaf).slice();
  }

  dispose(): void {
    this.#stored.clear();
  }

  #arrayFor(node: Tensor, values: ReadonlyMap<Tensor, NumericArray>): NumericArray {
    if (node.op.kind === "view") return values.get(node.inputs[0]!)!;
    if (isStored(node)) return this.#storedArray(node);
    const array = this.#allocate(node);
    if (node.op === constantOp) array.set((node.attributes as ConstantAttributes).values);
    return array;
  }

  #storedArray(leaf: Tensor): NumericArray {
    const known = this.#stored.get(leaf);
    if (known) return known;
    const array = this.#allocate(leaf);
    const { initial } = leaf.attributes as { initial?: Float32Array };
    if (initial) array.set(initial);
    this.#stored.set(leaf, array);
    return array;
  }

  #allocate({ dtype, size }: Tensor): NumericArray {
    if (dtype === "float32") return new this.#floats(size);
    return dtype === "uint32" ? new Uint32Array(size) : new Uint8Array(size);
  }
}

class CpuExecutable implements Executable {
  readonly dispatches: readonly DispatchDescription[];
  readonly #graph: Graph;
  readonly #values: ReadonlyMap<Tensor, NumericArray>;
  readonly #work: readonly (() => void)[];
  /** The outputs of the last step, copied because an output may be a leaf that the same step updates. */
  readonly #outputs: ReadonlyMap<string, NumericArray>;
  readonly #scalars: readonly { target: NumericArray; valueAt: (step: number) => number }[];

  constructor(graph: Graph, values: ReadonlyMap<Tensor, NumericArray>) {
    this.#graph = graph;
    this.#values = values;
    const computed = graph.nodes.filter((node) => node.op.kind === "compute");
    this.#work = computed.map((node) => {
      const kernel = findKernel(kernels, node.op, "cpu.ts");
      const inputs = node.inputs.map((tensor) => values.get(tensor)!);
      const output = values.get(node)!;
      return () => kernel(node, inputs, output);
    });
    this.#scalars = graph.nodes
      .filter((node) => node.op === stepScalarOp)
      .map((node) => ({ target: values.get(node)!, valueAt: (node.attributes as StepScalarAttributes).valueAt }));
    this.#outputs = new Map(Object.entries(graph.outputs).map(([name, tensor]) => [name, values.get(tensor)!.slice()]));
    this.dispatches = computed.map(describe);
  }

  async run(first: number, count: number): Promise<Record<string, NumericArray>> {
    const scalars = Object.entries(this.#graph.outputs).filter(([, tensor]) => tensor.size === 1);
    const traces = Object.fromEntries(scalars.map(([name]) => [name, new Float64Array(count)]));
    for (let position = 0; position < count; position++) {
      for (const { target, valueAt } of this.#scalars) target[0] = valueAt(first + position);
      for (const compute of this.#work) compute();
      for (const [name, array] of this.#outputs) array.set(this.#values.get(this.#graph.outputs[name]!)!);
      for (const [name] of scalars) traces[name]![position] = this.#outputs.get(name)![0]!;
      this.#update();
    }
    // Timers, signals and painting get a turn between runs, as they do while a GPU works.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return traces;
  }

  async read(output: string): Promise<NumericArray> {
    return this.#outputs.get(output)!.slice();
  }

  #update(): void {
    // All values are copied before any leaf changes, because a value may be a leaf that another update changes.
    const values = this.#graph.updates.map(({ value }) => this.#values.get(value)!.slice());
    this.#graph.updates.forEach(({ target }, position) => {
      const { offsets } = target.attributes as Partial<PackAttributes>;
      updatedLeaves(target).forEach((leaf, slice) => {
        const start = offsets?.[slice] ?? 0;
        this.#values.get(leaf)!.set(values[position]!.subarray(start, start + leaf.size));
      });
    });
  }
}

function describe(node: Tensor): DispatchDescription {
  const shape = (tensor: Tensor) => `[${tensor.shape.join(", ")}]`;
  return {
    kernel: node.op.name,
    shapes: `${node.inputs.map(shape).join(" ")} → ${shape(node)}`,
    grid: [1, 1, 1],
    flops: node.size,
    bytes: 4 * [node, ...node.inputs].reduce((sum, { size }) => sum + size, 0),
  };
}
