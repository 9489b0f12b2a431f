import { OwnBuffers } from "../src/backends/webgpu/own-buffers.ts";
import type { Region, VirtualBuffer } from "../src/compiler/regions.ts";
import type { BufferAccess } from "../src/device/pipelines.ts";

/** Elements after each buffer that a kernel must not touch. */
const GUARD_ELEMENTS = 64;

/** A NaN that no computation produces. */
const POISON = 0x7fc0dead;

/** Buffers whose results are poisoned before every submit, with guard words after them. */
export class GuardedBuffers extends OwnBuffers {
  readonly #written = new Set<VirtualBuffer>();

  /** A binding that reaches the buffer's end takes in the guard, so that a write there is not clamped. */
  override bind(region: Region, access: BufferAccess): GPUBufferBinding {
    const { buffer, offset, elements } = region;
    if (access === "read_write") this.#written.add(buffer);
    const isLast = offset + elements === buffer.elements;
    return super.bind(isLast ? { ...region, elements: elements + GUARD_ELEMENTS } : region, access);
  }

  /** Packs keep their zero padding; everything else that is written gets poison, and so do the guards. */
  override beforeSubmit(): void {
    for (const buffer of this.#written) {
      const from = buffer.label === "pack" ? buffer.elements : 0;
      const words = new Uint32Array(buffer.elements + GUARD_ELEMENTS - from).fill(POISON);
      this.device.gpu.queue.writeBuffer(this.get(buffer), 4 * from, words);
    }
  }

  /** The labels of buffers in which a kernel wrote past the end of a value. */
  async spoiled(): Promise<string[]> {
    const labels: string[] = [];
    for (const buffer of this.#written) {
      const guard = new Uint32Array(await this.device.read(this.get(buffer), 4 * buffer.elements, 4 * GUARD_ELEMENTS));
      if (guard.some((word) => word !== POISON)) labels.push(buffer.label);
    }
    return labels;
  }

  protected override create({ elements, label }: VirtualBuffer): GPUBuffer {
    return super.create({ elements: elements + GUARD_ELEMENTS, label });
  }
}
