import { DeviceError } from "../errors.ts";
import type { Device } from "./device.ts";

/**
 * Measures compute passes on the GPU's own clock. Timestamps exist only at the ends of a pass, so what is to be timed
 * by itself needs a pass of its own. Browsers and Dawn round them (Dawn to 65 µs, unless its switch
 * "disable-dawn-features=timestamp_quantization" is set).
 */
export class PassTimer {
  readonly #device: Device;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #passes: number;

  /** @throws DeviceError where the device has no timestamps */
  constructor(device: Device, passes: number) {
    if (!device.hasTimestamps) {
      const what = `${device.adapter.name} offers no timestamp-query`;
      throw new DeviceError({ where: "timing", what, fix: "Measure many steps by the clock instead" });
    }
    this.#device = device;
    this.#passes = passes;
    this.#queries = device.gpu.createQuerySet({ type: "timestamp", count: 2 * passes });
    this.#resolved = device.gpu.createBuffer({
      size: 16 * passes,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** What the descriptor of pass number `pass` says about timestamps. */
  writes(pass: number): GPUComputePassTimestampWrites {
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * pass, endOfPassWriteIndex: 2 * pass + 1 };
  }

  /**
   * Finishes and submits an encoder whose passes were given `writes`.
   * @returns the time of each pass in nanoseconds
   * @throws DeviceLostError where the device is lost meanwhile
   */
  async submit(encoder: GPUCommandEncoder): Promise<number[]> {
    const { gpu, staging } = this.#device;
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved, 0);
    const copy = staging.copy(encoder, this.#resolved, 0, 16 * this.#passes);
    gpu.queue.submit([encoder.finish()]);
    const ends = new BigUint64Array(await this.#device.arrived(copy));
    return Array.from({ length: this.#passes }, (_, pass) => Number(ends[2 * pass + 1]! - ends[2 * pass]!));
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
