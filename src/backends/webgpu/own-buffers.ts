import type { Region, VirtualBuffer } from "../../compiler/regions.ts";
import type { Device } from "../../device/device.ts";
import type { BufferAccess } from "../../device/pipelines.ts";

/**
 * The GPU buffers of one executable: intermediate values, outputs, constants and the trace. Tests of kernels extend it
 * to detect writes out of bounds.
 */
export class OwnBuffers {
  protected readonly device: Device;
  readonly #buffers = new Map<VirtualBuffer, GPUBuffer>();

  constructor(device: Device) {
    this.device = device;
  }

  /** The GPU buffer of a virtual buffer, created on first use. */
  get(buffer: VirtualBuffer): GPUBuffer {
    let real = this.#buffers.get(buffer);
    if (!real) this.#buffers.set(buffer, (real = this.create(buffer)));
    return real;
  }

  /** The binding of a region. */
  bind({ buffer, offset, elements }: Region, _access: BufferAccess): GPUBufferBinding {
    return { buffer: this.get(buffer), offset: 4 * offset, size: 4 * elements };
  }

  /** Called before the steps of each submit are encoded. */
  beforeSubmit(): void {}

  dispose(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  protected create({ elements, label }: VirtualBuffer): GPUBuffer {
    return this.device.createStorage(4 * elements, label);
  }
}
