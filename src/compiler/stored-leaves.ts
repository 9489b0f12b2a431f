import { OptionError } from "../errors.ts";
import { updatedLeaves, type Graph } from "../graph/graph.ts";
import { isStored } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack, packOffsets } from "../graph/traits.ts";
import type { Region, VirtualBuffer } from "./regions.ts";

/** Where a virtual buffer begins in the memory of a backend. */
export interface BufferPlace<Buffer> {
  readonly buffer: Buffer;
  /** In elements of four bytes. */
  readonly offset: number;
}

/** What a backend keeps leaves in. */
export interface LeafMemory<Buffer> {
  /** Words of four bytes that a leaf takes. */
  wordsOf(leaf: Tensor): number;
  /**
   * Makes a buffer for each block.
   * @throws DeviceError where there is no memory for all of them; then none is left behind
   */
  allocate(blocks: readonly { readonly label: string; readonly elements: number }[]): Promise<Buffer[]>;
  /** Does something after all work that was given to the device before, and before all that is given later. */
  inOrder(work: () => void): Promise<void>;
  /** Copies elements from the start of a buffer to a place. */
  copy(from: Buffer, to: BufferPlace<Buffer>, elements: number): void;
  /** Writes the initial values of a leaf that has its place. */
  write(leaf: Tensor, values: Float32Array): void;
  free(buffer: Buffer): void;
}

/** A buffer that a graph needs besides those there are, and the leaves that are to lie in it. */
interface Block {
  readonly label: string;
  readonly elements: number;
  readonly members: readonly { readonly leaf: Tensor; readonly offset: number }[];
}

/**
 * The leaves of a session in a device's memory. Leaves that a graph updates as one pack lie together, in the pack's order, so
 * that the pack is one region. Where such a graph comes after others that use the leaves, they move: plans know virtual
 * buffers only, and one that only reads them holds wherever they lie. A leaf that a graph updates by itself, or as part of another
 * pack, stays, since its plan counts on what shares a buffer; the planner copies such leaves into a pack and back.
 */
export class StoredLeaves<Buffer> {
  readonly #memory: LeafMemory<Buffer>;
  /** Where each leaf lies, for the graphs to come. */
  readonly #regions = new Map<Tensor, Region>();
  readonly #places = new Map<VirtualBuffer, BufferPlace<Buffer>>();
  readonly #fixed = new Set<Tensor>();
  /** Graphs are placed one after the other. */
  #placing: Promise<unknown> = Promise.resolve();
  #moves = 0;
  #disposed = false;

  constructor(memory: LeafMemory<Buffer>) {
    this.#memory = memory;
  }

  /** How often leaves have moved, which puts what was bound before out of date. */
  get moves(): number {
    return this.#moves;
  }

  /**
   * Gives each leaf of a graph a place.
   * @throws DeviceError where the device has no memory for them; then nothing has changed
   */
  place(graph: Graph): Promise<void> {
    const placed = this.#placing.then(() => this.#placeNow(graph));
    this.#placing = placed.catch(() => {});
    return placed;
  }

  /** Where a leaf lies, or a pack of leaves that lie together. */
  regionOf(tensor: Tensor): Region | undefined {
    if (!isPack(tensor)) return this.#regions.get(tensor);
    const offsets = packOffsets(tensor);
    const regions = tensor.inputs.map((member) => this.#regions.get(member));
    const first = regions[0];
    if (!first) return undefined;
    const together = regions.every(
      (region, position) => region?.buffer === first.buffer && region.offset === first.offset + offsets[position]!,
    );
    return together ? { buffer: first.buffer, offset: first.offset, elements: tensor.size } : undefined;
  }

  placeOf(buffer: VirtualBuffer): BufferPlace<Buffer> | undefined {
    return this.#places.get(buffer);
  }

  /** The buffer that holds a leaf, and the leaf's first element in it. */
  memoryOf(leaf: Tensor): BufferPlace<Buffer> {
    const region = this.#regions.get(leaf);
    if (!region)
      throw new OptionError({
        where: String(leaf),
        what: "this session does not have it",
        fix: "Compile a graph that uses it first",
      });
    const { buffer, offset } = this.#places.get(region.buffer)!;
    return { buffer, offset: offset + region.offset };
  }

  dispose(): void {
    this.#disposed = true;
    for (const { buffer } of this.#places.values()) this.#memory.free(buffer);
    this.#places.clear();
    this.#regions.clear();
  }

  async #placeNow(graph: Graph): Promise<void> {
    const blocks = this.#blocksFor(graph);
    const made = await this.#memory.allocate(blocks);
    await this.#memory.inOrder(() => {
      if (this.#disposed) {
        for (const buffer of made) this.#memory.free(buffer);
        throw new OptionError({ where: "compile", what: "the session was disposed of during the call" });
      }
      for (const leaf of graph.updates.flatMap(({ target }) => updatedLeaves(target))) this.#fixed.add(leaf);
      blocks.forEach((block, position) => this.#fill(block, made[position]!));
    });
  }

  #blocksFor(graph: Graph): Block[] {
    const packs = graph.updates.map(({ target }) => target).filter(isPack);
    const together = packs.filter(
      (pack) => !this.regionOf(pack) && pack.inputs.every((leaf) => !this.#fixed.has(leaf)),
    );
    const packed = together.map((pack): Block => {
      const { inputs, size } = pack;
      const offsets = packOffsets(pack);
      return {
        label: `pack of ${inputs.length}`,
        elements: size,
        members: inputs.map((leaf, position) => ({ leaf, offset: offsets[position]! })),
      };
    });
    const placed = new Set(packed.flatMap(({ members }) => members.map(({ leaf }) => leaf)));
    const others = graph.nodes.filter((node) => isStored(node) && !this.#regions.has(node) && !placed.has(node));
    const alone = others.map((leaf): Block => ({
      label: (leaf.attributes as { name: string }).name,
      elements: this.#memory.wordsOf(leaf),
      members: [{ leaf, offset: 0 }],
    }));
    return [...packed, ...alone];
  }

  /** Puts leaves into a new buffer, with the values that they have. */
  #fill({ label, elements, members }: Block, buffer: Buffer): void {
    const whole: VirtualBuffer = { label, elements };
    this.#places.set(whole, { buffer, offset: 0 });
    for (const { leaf, offset } of members) {
      const before = this.#regions.get(leaf);
      this.#regions.set(leaf, { buffer: whole, offset, elements: this.#memory.wordsOf(leaf) });
      const { initial } = leaf.attributes as { initial?: Float32Array };
      if (before) this.#move(before.buffer, { buffer, offset }, leaf.size);
      else if (initial) this.#memory.write(leaf, initial);
    }
  }

  /** Copies a leaf that has a buffer of its own, and makes its new place that of the buffer. */
  #move(from: VirtualBuffer, to: BufferPlace<Buffer>, elements: number): void {
    const { buffer } = this.#places.get(from)!;
    this.#memory.copy(buffer, to, elements);
    this.#memory.free(buffer);
    this.#places.set(from, to);
    this.#moves++;
  }
}
