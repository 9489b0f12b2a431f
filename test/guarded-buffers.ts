import type { Executable } from "../src/backends/backend.ts";
import { CheckedExecutable } from "../src/backends/checked-session.ts";
import { WebGPUExecutable } from "../src/backends/webgpu/executable.ts";
import { OwnBuffers } from "../src/backends/webgpu/own-buffers.ts";
import type { Region, VirtualBuffer } from "../src/compiler/regions.ts";
import type { BufferAccess } from "../src/device/pipelines.ts";

/** The number of guard elements after each buffer, which kernels must not write to. */
const GUARD_ELEMENTS = 64;

/** The bits of a NaN that no computation produces. */
const POISON = 0x7fc0dead;

/** Buffers whose results are poisoned before every submit and followed by guard words. */
export class GuardedBuffers extends OwnBuffers {
  readonly #written = new Set<VirtualBuffer>();

  /** Extends a binding that reaches the end of a buffer over the guard, so that a write there is not clamped. */
  override bind(region: Region, access: BufferAccess): GPUBufferBinding {
    const { buffer, offset, elements } = region;
    if (access === "read_write") this.#written.add(buffer);
    const isLast = offset + elements === buffer.elements;
    return super.bind(isLast ? { ...region, elements: elements + GUARD_ELEMENTS } : region, access);
  }

  /** Poisons all results and guards, except packs, which keep their zero padding. */
  override beforeSubmit(): void {
    for (const buffer of this.#written) {
      const from = buffer.label === "pack" ? buffer.elements : 0;
      const words = new Uint32Array(buffer.elements + GUARD_ELEMENTS - from).fill(POISON);
      this.device.gpu.queue.writeBuffer(this.get(buffer), 4 * from, words);
    }
  }

  /** The labels of buffers whose guards were overwritten. */
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

/** Fails if a kernel of a guarded backend wrote past the end of a value. */
export async function requireIntactGuards(executable: Executable): Promise<void> {
  const work = executable instanceof CheckedExecutable ? executable.work : executable;
  if (!(work instanceof WebGPUExecutable && work.buffers instanceof GuardedBuffers)) return;
  const spoiled = await work.buffers.spoiled();
  if (spoiled.length > 0) throw new Error(`written past the end of ${spoiled.join(", ")}`);
}
