/*
 * Generated functions without threads and without the runtime: one memory, in which everything else must stay as it is.
 */
import { readFileSync } from "node:fs";
import { compileAssembly, KERNELS } from "../../scripts/assembly/compile.ts";
import { encodeModule, type ChainFunction } from "../../src/backends/wasm/functions/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { NumericArray } from "../../src/ops/kernel.ts";

type Run = (args: number, start: number, end: number, scratch: number) => void;

const PAGES = 65_536;

/** The functions of the table before the generated ones. */
const TABLE_START = 3;

let kernels: Promise<WebAssembly.Exports> | undefined;

async function instantiateKernels(): Promise<WebAssembly.Exports> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared: true });
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  const bytes = readFileSync(await compileAssembly(KERNELS));
  return (await WebAssembly.instantiate(bytes, { env: { memory, table } })).instance.exports;
}

type Runnable = Pick<ChainFunction, "code" | "tensors"> & { readonly key?: string };

/** A memory, and the functions that were instantiated over it. */
class Machine {
  readonly shared: boolean;
  readonly memory: WebAssembly.Memory;
  readonly #runs = new Map<string | undefined, Promise<Run>>();

  constructor(shared: boolean) {
    this.shared = shared;
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared });
  }

  run(generated: Runnable): Promise<Run> {
    const run = (generated.key !== undefined && this.#runs.get(generated.key)) || this.#instantiate(generated);
    this.#runs.set(generated.key, run);
    return run;
  }

  /** The bytes up to an address. */
  bytes(end: number): Uint8Array {
    const missing = Math.ceil(end / 65_536) - this.memory.buffer.byteLength / 65_536;
    if (missing > 0) this.memory.grow(missing);
    return new Uint8Array(this.memory.buffer, 0, end);
  }

  async #instantiate(generated: Runnable): Promise<Run> {
    const { bytes, hostFunctions } = encodeModule([generated], TABLE_START, { maximum: PAGES, shared: this.shared });
    const table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_START + 1 });
    const host = Object.fromEntries(hostFunctions.map((compute, index) => [String(index), compute]));
    kernels ??= instantiateKernels();
    await WebAssembly.instantiate(bytes, { env: { memory: this.memory, table }, kernels: await kernels, host });
    return table.get(TABLE_START) as Run;
  }
}

const machines = { plain: new Machine(false), shared: new Machine(true) };

/** Values of the tensors that a function reads. */
export type Values = ReadonlyMap<Tensor, NumericArray>;

/** How a function is called. */
export interface CallOptions {
  /** Where the elements are divided among calls, in ascending order. */
  readonly cuts?: readonly number[];
  /** Tensors that lie where others do. */
  readonly inPlaceOf?: ReadonlyMap<Tensor, Tensor>;
  readonly shared?: boolean;
}

/** A byte that nothing has written. */
const UNTOUCHED = 0xa5;
/** Between tensors, so that they begin at any multiple of four. */
const GAP = 20;

/**
 * Runs a function for all elements of a chain.
 * @param results what it stores: tensors, or one result of so many elements in scratch memory
 * @returns the results, as the bits of four bytes an element
 * @throws Error where it wrote anything else
 */
export async function call(
  generated: Runnable,
  size: number,
  values: Values,
  results: readonly Tensor[] | "scratch",
  { cuts = [], inPlaceOf = new Map(), shared = false }: CallOptions = {},
): Promise<Uint32Array[]> {
  const { tensors } = generated;
  const places = new Map<Tensor | string, number>();
  let end = 64;
  const place = (key: Tensor | string, bytes: number) => {
    places.set(key, end);
    end += Math.ceil(bytes / 4) * 4 + GAP;
  };
  place("arguments", 4 * tensors.length);
  place("scratch", results === "scratch" ? 4 * size : 0);
  for (const tensor of tensors)
    if (!inPlaceOf.has(tensor)) place(tensor, tensor.size * (tensor.dtype === "uint8" ? 1 : 4));
  for (const [tensor, other] of inPlaceOf) places.set(tensor, places.get(other)!);

  const machine = shared ? machines.shared : machines.plain;
  const run = await machine.run(generated);
  const bytes = machine.bytes(end + 64).fill(UNTOUCHED);
  for (const tensor of tensors) {
    const given = values.get(tensor);
    if (given) bytes.set(new Uint8Array(given.buffer, given.byteOffset, given.byteLength), places.get(tensor)!);
  }
  const addresses = tensors.map((tensor) => places.get(tensor)!);
  new Uint32Array(bytes.buffer, places.get("arguments")!, tensors.length).set(addresses);

  const before = bytes.slice();
  const bounds = [0, ...cuts, size];
  bounds.slice(1).forEach((next, part) => {
    const start = bounds[part]!;
    run(places.get("arguments")!, start, next, places.get("scratch")! + 4 * start);
  });
  const regions = (results === "scratch" ? ["scratch"] : results).map((key) => places.get(key)!);
  const found = regions.map((region) => new Uint32Array(bytes.slice(region, region + 4 * size).buffer));
  for (const region of regions) bytes.set(before.subarray(region, region + 4 * size), region);
  const spoiled = Buffer.compare(bytes, before) === 0 ? -1 : bytes.findIndex((byte, index) => byte !== before[index]);
  if (spoiled >= 0) throw new Error(`byte ${spoiled} was written, outside of the results`);
  return found;
}
