import type { Device } from "../../device/device.ts";
import { DeviceError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { isStored } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { PackAttributes } from "../../ops/layout/index.ts";
import type { NumericArray, Session } from "../backend.ts";
import { byteRows, byteRowWords, wordsOf } from "./bytes.ts";
import { isPack } from "./kernels.ts";
import type { Region, VirtualBuffer } from "./plan.ts";
import { record, type RecordOptions, type WebGPUExecutable } from "./record.ts";

/** The stored leaves of a model in GPU memory. */
export class WebGPUSession implements Session {
  readonly #device: Device;
  readonly #options: Pick<RecordOptions, "guards" | "tilingOf">;
  readonly #regions = new Map<Tensor, Region>();
  readonly #buffers = new Map<VirtualBuffer, GPUBuffer>();
  readonly #executables: WebGPUExecutable[] = [];

  constructor(device: Device, options: Pick<RecordOptions, "guards" | "tilingOf">) {
    this.#device = device;
    this.#options = options;
  }

  async compile(graph: Graph): Promise<WebGPUExecutable> {
    await this.#device.allocate(() => this.#place(graph));
    const executable = await record(this.#device, graph, {
      storedRegion: (tensor) => this.#storedRegion(tensor),
      storedBuffer: (buffer) => this.#buffers.get(buffer),
      ...this.#options,
    });
    this.#executables.push(executable);
    return executable;
  }

  write(leaf: Tensor, values: NumericArray, firstElement = 0): void {
    const { buffer, offset } = this.#regionOf(leaf);
    const { words, firstWord } = leaf.dtype === "uint8" ? paddedRows(leaf, values as Uint8Array, firstElement) : plainWords(leaf, values, firstElement);
    this.#device.gpu.queue.writeBuffer(this.#buffers.get(buffer)!, 4 * (offset + firstWord), words.buffer as ArrayBuffer, words.byteOffset, words.byteLength);
  }

  async read(leaf: Tensor): Promise<NumericArray> {
    const { buffer, offset } = this.#regionOf(leaf);
    const { gpu, staging } = this.#device;
    const encoder = gpu.createCommandEncoder({ label: `read ${leaf}` });
    const copy = staging.copy(encoder, this.#buffers.get(buffer)!, 4 * offset, 4 * wordsOf(leaf));
    gpu.queue.submit([encoder.finish()]);
    const bytes = await this.#device.arrived(copy);
    if (leaf.dtype === "uint8") return withoutPadding(leaf, new Uint8Array(bytes));
    return leaf.dtype === "uint32" ? new Uint32Array(bytes) : new Float32Array(bytes);
  }

  dispose(): void {
    for (const executable of this.#executables) executable.dispose();
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#regions.clear();
  }

  /** Leaves that a graph updates as one pack lie together, in the pack's order, so that the pack is one region. */
  #place(graph: Graph): void {
    for (const packed of graph.updates.map(({ target }) => target).filter(isPack)) {
      if (!packed.inputs.every((member) => isStored(member) && !this.#regions.has(member))) continue;
      const buffer = this.#create(`pack of ${packed.inputs.length}`, packed.size);
      const { offsets } = packed.attributes as PackAttributes;
      packed.inputs.forEach((member, position) => {
        this.#add(member, { buffer, offset: offsets[position]!, elements: member.size });
      });
    }
    for (const leaf of graph.nodes.filter(isStored)) {
      if (this.#regions.has(leaf)) continue;
      const elements = wordsOf(leaf);
      this.#add(leaf, { buffer: this.#create(leaf.attributes.name, elements), offset: 0, elements });
    }
  }

  #create(label: string, elements: number): VirtualBuffer {
    const buffer = { label, elements };
    this.#buffers.set(buffer, this.#device.createStorage(4 * elements, label));
    return buffer;
  }

  #add(leaf: Tensor, region: Region): void {
    this.#regions.set(leaf, region);
    const { initial } = leaf.attributes as { initial?: Float32Array };
    if (initial) this.write(leaf, initial);
  }

  #storedRegion(tensor: Tensor): Region | undefined {
    if (!isPack(tensor)) return this.#regions.get(tensor);
    const { offsets } = tensor.attributes as PackAttributes;
    const regions = tensor.inputs.map((member) => this.#regions.get(member));
    const buffer = regions[0]?.buffer;
    const together = regions.every((region, position) => region?.buffer === buffer && region?.offset === offsets[position]);
    return buffer && together ? { buffer, offset: 0, elements: tensor.size } : undefined;
  }

  #regionOf(leaf: Tensor): Region {
    const region = this.#regions.get(leaf);
    if (region) return region;
    throw new DeviceError({ where: String(leaf), what: "this session keeps no such value", fix: "Compile a graph that uses it first" });
  }
}

function plainWords({ dtype }: Tensor, values: NumericArray, firstElement: number) {
  const words = dtype === "uint32" ? Uint32Array.from(values) : values instanceof Float32Array ? values : Float32Array.from(values);
  return { words, firstWord: firstElement };
}

/** Rows of bytes, each padded to whole words. */
function paddedRows(leaf: Tensor, values: Uint8Array, firstElement: number) {
  const width = leaf.size / byteRows(leaf);
  const stride = 4 * byteRowWords(leaf);
  const firstRow = firstElement / width;
  if (width === stride) return { words: values, firstWord: firstElement / 4 };
  const rows = Math.ceil(values.length / width);
  const words = new Uint8Array(rows * stride);
  for (let row = 0; row < rows; row++) words.set(values.subarray(row * width, (row + 1) * width), row * stride);
  return { words, firstWord: (firstRow * stride) / 4 };
}

function withoutPadding(leaf: Tensor, padded: Uint8Array): Uint8Array {
  const width = leaf.size / byteRows(leaf);
  const stride = 4 * byteRowWords(leaf);
  if (width === stride) return padded;
  const values = new Uint8Array(leaf.size);
  for (let row = 0; row < byteRows(leaf); row++) values.set(padded.subarray(row * stride, row * stride + width), row * width);
  return values;
}
