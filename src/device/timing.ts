import { DeviceError } from "../errors.ts";
import type { Device } from "./device.ts";

/**
 * Measures compute passes by the GPU's clock. Timestamps exist only at the start and end of a pass, so everything that
 * is measured separately needs its own pass. Browsers and Dawn round timestamps (Dawn to 65 µs, unless its toggle
 * "disable-dawn-features=timestamp_quantization" is set).
 */
export class PassTimer {
  readonly #device: Device;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #passes: number;

  /** @throws DeviceError if the device has no timestamps */
  constructor(device: Device, passes: number) {
    if (!device.hasTimestamps) {
      const what = `${device.adapter.name} does not have the feature timestamp-query`;
      throw new DeviceError({ where: "timing", what, fix: "Measure the wall time of many steps instead" });
    }
    this.#device = device;
    this.#passes = passes;
    this.#queries = device.gpu.createQuerySet({ type: "timestamp", count: 2 * passes });
    this.#resolved = device.gpu.createBuffer({
      size: 16 * passes,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** The timestamp writes for the descriptor of a pass. */
  writes(pass: number): GPUComputePassTimestampWrites {
    return { querySet: this.#queries, beginningOfPassWriteIndex: 2 * pass, endOfPassWriteIndex: 2 * pass + 1 };
  }

  /**
   * Finishes and submits an encoder whose passes used `writes`.
   * @returns the time of each pass in nanoseconds
   * @throws DeviceLostError if the device is lost meanwhile
   */
  async submit(encoder: GPUCommandEncoder): Promise<number[]> {
    const { staging } = this.#device;
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved, 0);
    const copy = staging.copy(encoder, this.#resolved, 0, 16 * this.#passes);
    this.#device.submit(encoder);
    const ends = new BigUint64Array(await this.#device.arrived(copy));
    return Array.from({ length: this.#passes }, (_, pass) => Number(ends[2 * pass + 1]! - ends[2 * pass]!));
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
