import { aligned } from "../../alignment.ts";
import type { Device } from "../../device/device.ts";
import type { StepScalarAttributes } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";

/**
 * The words of a vec4, the smallest distance between elements of an array in a uniform buffer. The slot's number and its 0 have one
 * vec4, and each scalar has one.
 */
const VEC4 = 4;

/**
 * The per-step scalars of all steps of a submit. Each step has a slot, which is selected by a dynamic offset. The first
 * word of a slot is its number; the second is a 0 that the driver cannot know. The queue orders writes and submits, so
 * slots can be written again.
 */
export class ScalarRing {
  readonly bindGroup: GPUBindGroup;
  /** Bytes per slot. */
  readonly stride: number;
  readonly #device: Device;
  readonly #scalars: readonly Tensor[];
  readonly #buffer: GPUBuffer;
  readonly #integers: Uint32Array;
  readonly #floats: Float32Array;

  constructor(device: Device, scalars: readonly Tensor[], slots: number) {
    this.stride = 4 * aligned(VEC4 * (1 + scalars.length));
    this.#device = device;
    this.#scalars = scalars;
    const size = this.stride * slots;
    this.#buffer = device.gpu.createBuffer({
      size,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      label: "per-step scalars",
    });
    this.bindGroup = device.gpu.createBindGroup({
      label: "per-step scalars",
      layout: device.pipelines.scalarsLayout,
      entries: [{ binding: 0, resource: { buffer: this.#buffer, size: this.stride } }],
    });
    this.#integers = new Uint32Array(size / 4);
    this.#floats = new Float32Array(this.#integers.buffer);
  }

  /** Writes the scalars of steps to slots, from slot 0 on. */
  write(first: number, count: number): void {
    for (let slot = 0; slot < count; slot++) {
      const start = (slot * this.stride) / 4;
      this.#integers[start] = slot;
      this.#scalars.forEach(({ dtype, attributes }, position) => {
        const value = (attributes as StepScalarAttributes).valueAt(first + slot);
        (dtype === "float32" ? this.#floats : this.#integers)[start + VEC4 * (1 + position)] = value;
      });
    }
    this.#device.gpu.queue.writeBuffer(this.#buffer, 0, this.#integers.buffer as ArrayBuffer, 0, count * this.stride);
  }

  dispose(): void {
    this.#buffer.destroy();
  }
}
