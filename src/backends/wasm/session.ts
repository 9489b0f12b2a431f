import { StoredLeaves } from "../../compiler/stored-leaves.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { NumericArray, Session } from "../backend.ts";
import { wordsOf } from "./bytes.ts";
import { compile } from "./compile.ts";
import type { WasmDevice } from "./device.ts";
import type { WasmExecutable } from "./executable.ts";
import type { Block } from "./memory.ts";

/** A session on WebAssembly, behind a `CheckedSession`. */
export class WasmSession implements Session {
  readonly #device: WasmDevice;
  readonly #leaves: StoredLeaves<Block>;
  readonly #executables: WasmExecutable[] = [];
  #isDisposed = false;

  constructor(device: WasmDevice) {
    const { memory, queue } = device;
    this.#device = device;
    this.#leaves = new StoredLeaves({
      wordsOf,
      allocate: (blocks) => queue.add(() => this.#allocate(blocks)),
      inOrder: (work) => queue.add(work),
      copy: ({ address }, { buffer, offset }, elements) =>
        memory.words.copyWithin(buffer.address / 4 + offset, address / 4, address / 4 + elements),
      write: (leaf, values) => this.#set(leaf, values, 0),
      free: (block) => memory.free(block),
    });
  }

  async compile(graph: Graph): Promise<WasmExecutable> {
    this.#device.requireLive();
    await this.#leaves.place(graph);
    const executable = await compile(this.#device, graph, this.#leaves);
    if (this.#isDisposed) void this.#device.queue.add(() => executable.dispose());
    else this.#executables.push(executable);
    return executable;
  }

  write(leaf: Tensor, values: NumericArray, firstElement = 0): void {
    const { queue } = this.#device;
    if (queue.isIdle) {
      this.#set(leaf, values, firstElement);
      return;
    }
    // Earlier runs read the old values, and the caller may change the array afterwards.
    const copy = values.slice();
    void queue.add(() => this.#set(leaf, copy, firstElement));
  }

  read(leaf: Tensor): Promise<NumericArray> {
    return this.#device.queue.add(() => {
      this.#device.requireLive();
      return this.#values(leaf).slice();
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    void this.#device.queue.add(() => {
      for (const executable of this.#executables) executable.dispose();
      this.#leaves.dispose();
    });
  }

  #set(leaf: Tensor, values: NumericArray, firstElement: number): void {
    this.#values(leaf).set(values, firstElement);
  }

  #values(leaf: Tensor) {
    const { buffer, offset } = this.#leaves.memoryOf(leaf);
    return this.#device.memory.valuesOf(buffer.address + 4 * offset, leaf);
  }

  #allocate(blocks: readonly { readonly label: string; readonly elements: number }[]): Block[] {
    const { memory } = this.#device;
    const made: Block[] = [];
    try {
      for (const { label, elements } of blocks) made.push(memory.allocate(4 * elements, label));
      return made;
    } catch (error) {
      for (const block of made) memory.free(block);
      throw error;
    }
  }
}
