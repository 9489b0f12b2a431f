/*
 * Generated functions without threads and without the runtime: one memory, one thread, anchors by their reference loops.
 */
import { compileString } from "assemblyscript/asc";
import { readFileSync } from "node:fs";
import type { Backend, Executable, NumericArray, Session } from "../../src/backends/backend.ts";
import type { BackendRules } from "../../src/compiler/backend-rules.ts";
import { fuse, nodesOf, type Group } from "../../src/compiler/fuse.ts";
import { isStepScalar } from "../../src/compiler/nodes.ts";
import { plan, type Plan } from "../../src/compiler/plan.ts";
import { wholeBuffer, type Region, type VirtualBuffer } from "../../src/compiler/regions.ts";
import { collectKernels, findKernel } from "../../src/backends/registry.ts";
import {
  chainFunction,
  encodeModule,
  fillFunction,
  type ChainFunction,
} from "../../src/backends/wasm/functions/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { constantOp, isStored, type ConstantAttributes, type StepScalarAttributes } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { rootOf } from "../../src/graph/views.ts";
import type { CpuKernel } from "../../src/ops/kernel.ts";

const cpuKernels = collectKernels<CpuKernel>(import.meta.glob("../../src/ops/*/cpu.ts", { eager: true }));

const rules: BackendRules = {
  mostBindings: Infinity,
  oneAccessPerBuffer: false,
  recomputes: true,
  canFuse: () => false,
  makesTotals: () => false,
};

let mathBytes: Promise<Uint8Array<ArrayBuffer>> | undefined;

async function compileMath(): Promise<Uint8Array<ArrayBuffer>> {
  const source = readFileSync(new URL("../../assembly/math.ts", import.meta.url), "utf8");
  const options = { runtime: "stub", noAssert: true, optimizeLevel: 3, enable: ["simd"], disableWarning: [112] };
  const { error, binary, stderr } = await compileString(source, options as never);
  if (error) throw new Error(stderr.toString());
  return new Uint8Array(binary!);
}

/** The functions of assembly/math.ts. */
export async function mathFunctions(): Promise<WebAssembly.Exports> {
  mathBytes ??= compileMath();
  const { instance } = await WebAssembly.instantiate(await mathBytes, {});
  return instance.exports;
}

export type Run = (args: number, start: number, end: number, scratch: number) => void;

const PAGES = 4096;

/** Instantiates functions over one memory. */
export async function instantiate(
  functions: readonly ChainFunction[],
  memory: WebAssembly.Memory,
  shared = false,
): Promise<Run[]> {
  const TABLE_START = 3;
  const { bytes, hostFunctions } = encodeModule(functions, TABLE_START, { maximum: PAGES, shared });
  const table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_START + functions.length });
  const host = Object.fromEntries(hostFunctions.map((f, index) => [String(index), f]));
  await WebAssembly.instantiate(bytes, { env: { memory, table }, kernels: await mathFunctions(), host });
  return functions.map((_, index) => table.get(TABLE_START + index) as Run);
}

export const newMemory = (shared = false): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared });

/** Where things lie in a memory that only grows. */
export class Layout {
  readonly memory: WebAssembly.Memory;
  #end = 64;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  reserve(bytes: number): number {
    const address = this.#end;
    this.#end += Math.ceil((bytes + 16) / 16) * 16;
    const missing = Math.ceil(this.#end / 65536) - this.memory.buffer.byteLength / 65536;
    if (missing > 0) this.memory.grow(missing);
    return address;
  }

  view({ dtype, size }: Tensor, address: number): Float32Array | Uint32Array | Uint8Array {
    const { buffer } = this.memory;
    if (dtype === "float32") return new Float32Array(buffer, address, size);
    return dtype === "uint32" ? new Uint32Array(buffer, address, size) : new Uint8Array(buffer, address, size);
  }
}

/** How a range of elements is divided among calls. */
export type Division = (size: number) => readonly number[];

/** A backend of one thread. @param divide the ends of the ranges by which every function is called */
export function createHarness(divide: Division = (size) => [size]): Backend {
  return {
    kind: "cpu",
    adapter: { name: "generated functions", software: true },
    maxTensorBytes: 2 ** 28,
    createSession: () => new HarnessSession(divide),
    lost: new Promise(() => {}),
    async restart() {},
    dispose() {},
  };
}

class HarnessSession implements Session {
  readonly layout = new Layout(newMemory());
  readonly divide: Division;
  readonly #regions = new Map<Tensor, Region>();
  readonly #addresses = new Map<VirtualBuffer, number>();

  constructor(divide: Division) {
    this.divide = divide;
  }

  addressOf({ buffer, offset }: Region): number {
    let address = this.#addresses.get(buffer);
    if (address === undefined) this.#addresses.set(buffer, (address = this.layout.reserve(4 * buffer.elements)));
    return address + 4 * offset;
  }

  #leafRegion(leaf: Tensor): Region {
    let region = this.#regions.get(leaf);
    if (!region) {
      this.#regions.set(leaf, (region = wholeBuffer(String(leaf), leaf.size)));
      const { initial } = leaf.attributes as { initial?: Float32Array };
      if (initial) this.write(leaf, initial);
    }
    return region;
  }

  async compile(graph: Graph): Promise<Executable> {
    const fusion = fuse(graph, rules);
    const planned = plan(graph, fusion, rules, (leaf) => (isStored(leaf) ? this.#leafRegion(leaf) : undefined));
    const executable = new HarnessExecutable(this, planned, graph);
    await executable.prepare();
    return executable;
  }

  write(leaf: Tensor, values: NumericArray, firstElement = 0): void {
    this.layout.view(leaf, this.addressOf(this.#leafRegion(leaf))).set(values, firstElement);
  }

  async read(leaf: Tensor): Promise<NumericArray> {
    return this.layout.view(leaf, this.addressOf(this.#leafRegion(leaf))).slice();
  }

  dispose(): void {}
}

class HarnessExecutable implements Executable {
  readonly dispatches = [];
  readonly #session: HarnessSession;
  readonly #plan: Plan;
  readonly #scalars: Tensor[];
  readonly #places = new Map<Tensor, number>();
  readonly #functions: ChainFunction[] = [];
  readonly #work: { readonly group: Group; readonly work: () => void }[] = [];
  #runs: Run[] = [];

  constructor(session: HarnessSession, planned: Plan, { nodes }: Graph) {
    this.#session = session;
    this.#plan = planned;
    this.#scalars = nodes.filter(isStepScalar);
    for (const node of nodes)
      if (node.op === constantOp) this.#view(node).set((node.attributes as ConstantAttributes).values);
    for (const group of planned.groups) this.#lower(group);
  }

  async prepare(): Promise<void> {
    this.#runs = await instantiate(this.#functions, this.#session.layout.memory);
  }

  async run(first: number, count: number): Promise<Record<string, NumericArray>> {
    const { traces } = this.#plan;
    const results = Object.fromEntries(traces.map(({ name }) => [name, new Float64Array(count)]));
    for (let step = 0; step < count; step++) {
      for (const scalar of this.#scalars)
        this.#view(scalar)[0] = (scalar.attributes as StepScalarAttributes).valueAt(first + step);
      for (const { group, work } of this.#work) {
        work();
        // A later group may use the same place.
        for (const { name, tensor } of traces)
          if (group.outputs.includes(tensor)) results[name]![step] = this.#view(tensor)[0]!;
      }
    }
    return results;
  }

  async read(output: string): Promise<NumericArray> {
    return this.#view(this.#plan.kept.get(output)!).slice();
  }

  dispose(): void {}

  #place(tensor: Tensor): number {
    const region = this.#plan.regions.get(tensor);
    if (region) return this.#session.addressOf(region);
    let place = this.#places.get(tensor);
    if (place === undefined) this.#places.set(tensor, (place = this.#session.layout.reserve(4 * tensor.size)));
    return place;
  }

  #view = (tensor: Tensor) => this.#session.layout.view(tensor, this.#place(rootOf(tensor)));

  #lower(group: Group): void {
    const { inlined } = this.#plan.fusion;
    for (const member of group.members) {
      if (member.anchor) this.#runReference(group, member.anchor);
      if (member.chain.length > 0)
        this.#call(group, chainFunction(member, group.outputs, inlined), nodesOf(group)[0]!.size);
    }
  }

  #runReference(group: Group, node: Tensor): void {
    const { inlined } = this.#plan.fusion;
    for (const root of node.inputs.map(rootOf))
      if (inlined.has(root)) this.#call(group, fillFunction(root, inlined), root.size, this.#place(root));
    const kernel = findKernel(cpuKernels, node.op, "cpu.ts");
    for (const tensor of [node, ...node.inputs]) this.#place(rootOf(tensor));
    this.#work.push({ group, work: () => kernel(node, node.inputs.map(this.#view), this.#view(node)) });
  }

  #call(group: Group, generated: ChainFunction, size: number, scratch = 0): void {
    const index = this.#functions.push(generated) - 1;
    const args = this.#session.layout.reserve(4 * generated.tensors.length);
    const addresses = generated.tensors.map((tensor) => this.#place(tensor));
    const ends = this.#session.divide(size);
    const work = () => {
      new Uint32Array(this.#session.layout.memory.buffer, args, addresses.length).set(addresses);
      let start = 0;
      for (const end of ends) {
        this.#runs[index]!(args, start, end, scratch + 4 * start);
        start = end;
      }
    };
    this.#work.push({ group, work });
  }
}
