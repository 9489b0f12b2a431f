/** Bytes of the smallest staging buffer: traces of a few steps share it. */
const SMALLEST = 4096;

/** A copy to the host that was encoded. */
export interface Readback {
  arrived(): Promise<ArrayBuffer>;
}

/**
 * Reads buffers back without stopping the work after them: each read is copied, in the order of the queue, to a
 * staging buffer of its own, which comes back to the ring once it was read.
 */
export class StagingRing {
  readonly #gpu: GPUDevice;
  readonly #free = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Encodes the copy; `arrived` must be called after the encoder's commands were submitted. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, offset: number, bytes: number): Readback {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const buffer = this.#free.get(size)?.pop() ?? this.#create(size);
    encoder.copyBufferToBuffer(source, offset, buffer, 0, bytes);
    return { arrived: () => this.#read(buffer, size, bytes) };
  }

  /** Makes sure that `count` buffers for reads of so many bytes are there, so that none is made later. */
  reserve(bytes: number, count: number): void {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    while (free.length < count) free.push(this.#create(size));
  }

  #create(size: number): GPUBuffer {
    return this.#gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, label: "staging" });
  }

  async #read(buffer: GPUBuffer, size: number, bytes: number): Promise<ArrayBuffer> {
    await buffer.mapAsync(GPUMapMode.READ, 0, bytes);
    const copy = buffer.getMappedRange(0, bytes).slice(0);
    buffer.unmap();
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    free.push(buffer);
    return copy;
  }
}
