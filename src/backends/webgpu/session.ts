import type { Device } from "../../device/device.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { NumericArray, Session } from "../backend.ts";
import { byteRowsOf, wordsOf } from "./bytes.ts";
import { compile, type CompileOptions } from "./compile.ts";
import type { WebGPUExecutable } from "./executable.ts";
import { gpuLeafMemory } from "./leaf-memory.ts";
import { StoredLeaves } from "../../compiler/stored-leaves.ts";

/** The unchecked session on a GPU; see `CheckedSession`. */
export class WebGPUSession implements Session {
  readonly #device: Device;
  readonly #options: CompileOptions;
  readonly #leaves: StoredLeaves<GPUBuffer>;
  readonly #executables: WebGPUExecutable[] = [];

  constructor(device: Device, options: CompileOptions) {
    this.#device = device;
    this.#options = options;
    this.#leaves = new StoredLeaves(gpuLeafMemory(device, (leaf, values) => this.write(leaf, values)));
  }

  async compile(graph: Graph): Promise<WebGPUExecutable> {
    await this.#leaves.place(graph);
    const executable = await compile(this.#device, graph, this.#leaves, this.#options);
    this.#executables.push(executable);
    return executable;
  }

  write(leaf: Tensor, values: NumericArray, firstElement = 0): void {
    const { buffer, offset } = this.#leaves.memoryOf(leaf);
    const { words, firstWord } =
      leaf.dtype === "uint8"
        ? paddedRows(leaf, values as Uint8Array, firstElement)
        : plainWords(leaf, values, firstElement);
    this.#device.write(buffer, 4 * (offset + firstWord), words as ArrayBufferView<ArrayBuffer>);
  }

  async read(leaf: Tensor): Promise<NumericArray> {
    const { buffer, offset } = this.#leaves.memoryOf(leaf);
    const bytes = await this.#device.read(buffer, 4 * offset, 4 * wordsOf(leaf));
    if (leaf.dtype === "uint8") return withoutPadding(leaf, new Uint8Array(bytes));
    return leaf.dtype === "uint32" ? new Uint32Array(bytes) : new Float32Array(bytes);
  }

  dispose(): void {
    this.#device.submitReads();
    for (const executable of this.#executables) executable.dispose();
    this.#leaves.dispose();
  }
}

function plainWords({ dtype }: Tensor, values: NumericArray, firstElement: number) {
  const words =
    dtype === "uint32" ? Uint32Array.from(values) : values instanceof Float32Array ? values : Float32Array.from(values);
  return { words, firstWord: firstElement };
}

/** Rows of bytes, each padded to whole words. */
function paddedRows(leaf: Tensor, values: Uint8Array, firstElement: number) {
  const { width, stride } = byteRowsOf(leaf);
  if (width === stride) return { words: values, firstWord: firstElement / 4 };
  const rows = values.length / width;
  const words = new Uint8Array(rows * stride);
  for (let row = 0; row < rows; row++) words.set(values.subarray(row * width, (row + 1) * width), row * stride);
  return { words, firstWord: ((firstElement / width) * stride) / 4 };
}

function withoutPadding(leaf: Tensor, padded: Uint8Array): Uint8Array {
  const { count, width, stride } = byteRowsOf(leaf);
  if (width === stride) return padded;
  const values = new Uint8Array(leaf.size);
  for (let row = 0; row < count; row++) values.set(padded.subarray(row * stride, row * stride + width), row * width);
  return values;
}
