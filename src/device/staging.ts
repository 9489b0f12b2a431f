/** The size of the smallest staging buffer in bytes; the traces of a few steps fit. */
const SMALLEST = 4096;

/** An encoded copy to the host. */
export interface Readback {
  arrived(): Promise<ArrayBuffer>;
}

/**
 * Reads buffers without stopping later work. Each read is copied, in the order of the queue, to its own staging buffer,
 * which returns to the ring after it was read.
 */
export class StagingRing {
  readonly #gpu: GPUDevice;
  readonly #free = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Encodes the copy. Call `arrived` after the encoder's commands were submitted. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, offset: number, bytes: number): Readback {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const buffer = this.#free.get(size)?.pop() ?? this.#create(size);
    encoder.copyBufferToBuffer(source, offset, buffer, 0, bytes);
    return { arrived: () => this.#read(buffer, size, bytes) };
  }

  /** Makes sure that `count` staging buffers of this size exist, so that none is created later. */
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
