/*
 * Runs single kernels of assembly/ in one thread, with what they must not touch around them.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileAssembly, KERNELS } from "../../scripts/assembly/compile.ts";
import { collectKernels, findKernel } from "../../src/backends/registry.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { CpuKernel, NumericArray } from "../../src/ops/kernel.ts";
import type {
  WasmAnchorKernel,
  WasmArgument,
  WasmCall,
  WasmKernel,
  WasmOperand,
  WasmPointwiseKernel,
  WasmResult,
} from "../../src/ops/wasm-kernel.ts";

const wasmKernels = collectKernels<WasmKernel>(import.meta.glob("../../src/ops/*/wasm.ts", { eager: true }));
const cpuKernels = collectKernels<CpuKernel>(import.meta.glob("../../src/ops/*/cpu.ts", { eager: true }));

type Fill = (kernels: { elements: Kernel; rows: Kernel }, args: number, to: number) => void;

type Kernel = (args: number, start: number, end: number, scratch: number) => void;

/** Words before and after each region. */
const GUARD_WORDS = 16;
const GUARD = 0x7fa5_a5a5;

/** A word of a result before the kernel runs: a NaN that nothing computes. */
const UNWRITTEN = 0x7fab_cdef;

/** Where its functions are in the table of a machine. */
const FILL_DOUBLED = 1;
const FILL_COPIED = 2;
const FINISH_NEGATED = 3;

/** How a kernel is run: which operands a function computes, whether another takes the results, and between which units. */
export interface RunOptions {
  /** One for each operand; those that are absent lie in memory. */
  readonly fills?: readonly boolean[];
  readonly finish?: boolean;
  /** Where the units are divided, in ascending order. */
  readonly cuts?: readonly number[];
  /** The address from which on memory is used. */
  readonly first?: number;
}

/** A node of one kernel, and the values of its inputs. */
export interface Example {
  readonly node: Tensor;
  readonly values: readonly NumericArray[];
}

export class Machine {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Record<string, Kernel>;
  /** Regions' first and last bytes. */
  #regions: { start: number; end: number }[] = [];
  #next = 0;

  private constructor(kernels: WebAssembly.Module, functions: WebAssembly.Module, bytes: number) {
    this.#memory = new WebAssembly.Memory({ initial: bytes / 2 ** 16, maximum: 65_536, shared: true });
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 4 });
    const imports = { env: { memory: this.#memory, table } };
    this.#kernels = new WebAssembly.Instance(kernels, imports).exports as Record<string, Kernel>;
    const { exports } = new WebAssembly.Instance(functions, imports);
    table.set(FILL_DOUBLED, exports["fillDoubled"] as Kernel);
    table.set(FILL_COPIED, exports["fillCopied"] as Kernel);
    table.set(FINISH_NEGATED, exports["finishNegated"] as Kernel);
  }

  /** @param bytes of its memory */
  static async create(bytes = 2 ** 26): Promise<Machine> {
    const folder = fileURLToPath(new URL("functions", import.meta.url));
    const files = await Promise.all([compileAssembly(KERNELS), compileAssembly(folder)]);
    const [kernels, functions] = files.map((file) => new WebAssembly.Module(readFileSync(file)));
    return new Machine(kernels!, functions!, bytes);
  }

  /**
   * The results of a node's kernel.
   * @throws Error where it wrote outside its results and its scratch memory, a part of the units wrote what another one
   * wrote too, or a result was not finished exactly once
   */
  run({ node, values }: Example, { fills = [], finish = false, cuts = [], first = 0 }: RunOptions = {}): NumericArray {
    this.#regions = [];
    this.#next = first;
    const operands = values.map((array, position) => this.#operand(array, fills[position] ?? false));
    const address = this.#region(4 * node.size);
    this.#words(address, node.size).fill(UNWRITTEN);
    const counts = this.#region(4 * node.size);
    this.#words(counts, node.size).fill(0);
    const result: WasmResult = {
      address,
      finish: finish ? FINISH_NEGATED : 0,
      finishArguments: finish ? this.#block([address, counts]) : 0,
    };
    this.#call(callOf(node, operands, result), cuts, this.#words(address, node.size));
    this.#checkGuards();
    if (finish && this.#words(counts, node.size).some((count) => count !== 1)) {
      throw new Error("a result was not finished once");
    }
    const results = this.#words(address, node.size).slice();
    return node.dtype === "float32" ? new Float32Array(results.buffer) : results;
  }

  /** Elements [start, end) of a pointwise node, as the kernel of its op writes them. @throws Error where it wrote more */
  elementsOf(given: Example, start: number, end: number): NumericArray {
    return this.#filled(given, end - start, (kernels, args, to) => kernels.elements(args, start, end, to));
  }

  /** Columns [column, columnEnd) of the rows [row, rowEnd), at least two elements. */
  rowsOf(given: Example, row: number, rowEnd: number, column: number, columnEnd: number): NumericArray {
    return this.#filled(given, (rowEnd - row) * (columnEnd - column), (kernels, args, to) => {
      this.#words(to, 2).set([column, columnEnd]);
      kernels.rows(args, row, rowEnd, to);
    });
  }

  #filled({ node, values }: Example, size: number, run: Fill): NumericArray {
    this.#regions = [];
    this.#next = 0;
    const addresses = values.map((array) => this.#operand(array, false).address);
    const made = (findKernel(wasmKernels, node.op, "wasm.ts") as WasmPointwiseKernel).fill!(node, addresses);
    const args = this.#block(made.arguments);
    const to = this.#region(4 * size);
    run({ elements: this.#kernels[made.elements]!, rows: this.#kernels[made.rows]! }, args, to);
    this.#checkGuards();
    const words = this.#words(to, size).slice();
    return node.dtype === "float32" ? new Float32Array(words.buffer) : words;
  }

  #call(call: WasmCall, cuts: readonly number[], results: Uint32Array): void {
    const args = this.#block(call.arguments);
    const ends = [...cuts, call.units];
    ends.forEach((end, part) => {
      const start = ends[part - 1] ?? 0;
      if (start % call.grain !== 0) throw new Error(`${start} is no multiple of the grain ${call.grain}`);
      const before = results.slice();
      const scratch = this.#region(call.scratchBytes);
      this.#kernels[call.kernel]!(args, start, end, scratch);
      const twice = results.findIndex((word, index) => word !== before[index] && before[index] !== UNWRITTEN);
      if (twice >= 0) throw new Error(`units ${start} to ${end} changed result ${twice} of other units`);
    });
    const missing = results.indexOf(UNWRITTEN);
    if (missing >= 0) throw new Error(`result ${missing} was not written`);
  }

  #operand(values: NumericArray, filled: boolean): WasmOperand {
    const address = this.#region(4 * values.length);
    const words = values instanceof Uint32Array ? values : new Uint32Array(Float32Array.from(values).buffer);
    this.#words(address, values.length).set(words);
    if (!filled) return { address, fill: 0, fillRows: 0, fillArguments: 0 };
    const isInteger = values instanceof Uint32Array;
    if (!isInteger) new Float32Array(this.#memory.buffer, address, values.length).set(values.map((value) => value / 2));
    return {
      address: 0,
      fill: isInteger ? FILL_COPIED : FILL_DOUBLED,
      fillRows: 0,
      fillArguments: this.#block([address]),
    };
  }

  #block(words: readonly WasmArgument[]): number {
    const address = this.#region(4 * words.length);
    const view = new DataView(this.#memory.buffer, address);
    words.forEach((word, index) => {
      if (typeof word === "number") view.setUint32(4 * index, word, true);
      else view.setFloat32(4 * index, word.float, true);
    });
    return address;
  }

  #words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, address, count);
  }

  /** Memory with guards around it; regions begin at odd multiples of 4, since slices of packs do. */
  #region(bytes: number): number {
    const start = this.#next + 4 * GUARD_WORDS + 4;
    const end = start + 4 * Math.ceil(bytes / 4);
    this.#next = 16 * Math.ceil((end + 4 * GUARD_WORDS) / 16);
    if (this.#next > this.#memory.buffer.byteLength) throw new Error("the memory is too small for this example");
    this.#words(start - 4 * GUARD_WORDS, GUARD_WORDS).fill(GUARD);
    this.#words(end, GUARD_WORDS).fill(GUARD);
    this.#regions.push({ start, end });
    return start;
  }

  #checkGuards(): void {
    for (const { start, end } of this.#regions) {
      const guards = [...this.#words(start - 4 * GUARD_WORDS, GUARD_WORDS), ...this.#words(end, GUARD_WORDS)];
      if (guards.some((word) => word !== GUARD)) throw new Error(`something was written around ${start} … ${end}`);
    }
  }
}

function callOf(node: Tensor, operands: readonly WasmOperand[], result: WasmResult): WasmCall {
  const call = (findKernel(wasmKernels, node.op, "wasm.ts") as WasmAnchorKernel).call(node, operands, result);
  if (!call) throw new Error(`${node} has no kernel`);
  return call;
}

/** What cpu.ts computes in float64. */
export function reference({ node, values }: Example): Float64Array {
  const output = new Float64Array(node.size);
  const inputs = values.map((array) => (array instanceof Float32Array ? Float64Array.from(array) : array));
  findKernel(cpuKernels, node.op, "cpu.ts")(node, inputs, output);
  return output;
}

/** The number and size of a node's units. */
export function unitsOf({ node, values }: Example): Pick<WasmCall, "units" | "grain"> {
  const operand = { address: 0, fill: 0, fillRows: 0, fillArguments: 0 };
  return callOf(
    node,
    values.map(() => operand),
    { address: 0, finish: 0, finishArguments: 0 },
  );
}
