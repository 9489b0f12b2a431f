import { OptionError } from "../errors.ts";
import { updatedLeaves, type Graph } from "../graph/graph.ts";
import { isStored, nameOf } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isPack, packOffsets } from "../graph/traits.ts";
import type { Region, VirtualBuffer } from "./regions.ts";

/** The location of a virtual buffer in the memory of a backend. */
export interface BufferPlace<Buffer> {
  readonly buffer: Buffer;
  /** The offset in elements of four bytes. */
  readonly offset: number;
}

/** The memory in which a backend stores leaves. */
export interface LeafMemory<Buffer> {
  /** The size of a leaf in words of four bytes. */
  wordsOf(leaf: Tensor): number;
  /**
   * Allocates a buffer for each block.
   * @throws DeviceError if there is not enough memory for all of them; none remains allocated then
   */
  allocate(blocks: readonly { readonly label: string; readonly elements: number }[]): Promise<Buffer[]>;
  /** Runs a function after all work submitted to the device before, and before all work submitted later. */
  inOrder(work: () => void): Promise<void>;
  /** Copies elements from the start of a buffer to a location. */
  copy(from: Buffer, to: BufferPlace<Buffer>, elements: number): void;
  /** Writes the initial values of a leaf after its buffer was allocated. */
  write(leaf: Tensor, values: Float32Array): void;
  free(buffer: Buffer): void;
}

/** A buffer that a graph needs in addition to the existing ones, and the leaves to store in it. */
interface Block {
  readonly label: string;
  readonly elements: number;
  readonly members: readonly { readonly leaf: Tensor; readonly offset: number }[];
}

/**
 * The leaves of a session in a device's memory. Leaves that a graph updates as one pack are stored together in the pack's
 * order, so that the pack is one region. If such a graph is compiled after others that use the leaves, the leaves move:
 * plans refer to virtual buffers, so a plan that only reads leaves stays valid. A leaf that a graph updates separately,
 * or as part of another pack, does not move, since the plan depends on which leaves share a buffer; the planner copies
 * such leaves into a pack and back.
 */
export class StoredLeaves<Buffer> {
  readonly #memory: LeafMemory<Buffer>;
  /** The region of each leaf, for future graphs. */
  readonly #regions = new Map<Tensor, Region>();
  readonly #places = new Map<VirtualBuffer, BufferPlace<Buffer>>();
  readonly #fixed = new Set<Tensor>();
  /** Resolves when the previous graph has been placed; graphs are placed one at a time. */
  #placing: Promise<unknown> = Promise.resolve();
  #moves = 0;
  #disposed = false;

  constructor(memory: LeafMemory<Buffer>) {
    this.#memory = memory;
  }

  /** How often leaves have moved, which makes earlier bind groups and addresses outdated. */
  get moves(): number {
    return this.#moves;
  }

  /**
   * Allocates memory for the leaves of a graph.
   * @throws DeviceError if the device does not have enough memory; nothing has changed then
   */
  place(graph: Graph): Promise<void> {
    const placed = this.#placing.then(() => this.#placeNow(graph));
    this.#placing = placed.catch(() => {});
    return placed;
  }

  /** The region of a leaf, or of a pack whose leaves are stored together. */
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

  /** The buffer of a leaf, and the offset of its first element. */
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
    // Leaves that moved share a buffer with others.
    const buffers = new Set([...this.#places.values()].map(({ buffer }) => buffer));
    for (const buffer of buffers) this.#memory.free(buffer);
    this.#places.clear();
    this.#regions.clear();
  }

  async #placeNow(graph: Graph): Promise<void> {
    const blocks = this.#blocksFor(graph);
    const made = await this.#memory.allocate(blocks);
    await this.#memory.inOrder(() => {
      if (this.#disposed) {
        for (const buffer of made) this.#memory.free(buffer);
        const what = "the session was disposed of during the call";
        throw new OptionError({ where: "compile", what, fix: "Await the call before you dispose of the session" });
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
      label: nameOf(leaf),
      elements: this.#memory.wordsOf(leaf),
      members: [{ leaf, offset: 0 }],
    }));
    return [...packed, ...alone];
  }

  /** Moves leaves to a new buffer with their current values. */
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

  /** Copies a leaf with its own buffer, in queue order, and redirects the virtual buffer to the new location. */
  #move(from: VirtualBuffer, to: BufferPlace<Buffer>, elements: number): void {
    const { buffer } = this.#places.get(from)!;
    this.#memory.copy(buffer, to, elements);
    this.#memory.free(buffer);
    this.#places.set(from, to);
    this.#moves++;
  }
}
