import { aligned } from "../alignment.ts";
import { DeviceError, DeviceLostError, optionName } from "../errors.ts";
import { describeAdapter, requestAdapter, type GpuSource } from "./adapter.ts";
import { deviceFault, DeviceFaults } from "./faults.ts";
import { PipelineCache } from "./pipelines.ts";
import { StagingRing, type Readback } from "./staging.ts";

/** The limits that planning depends on; each is asked for as high as the adapter goes. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** The limits of WebGPU that matter to wgrad, by their names there. */
export type DeviceLimits = Record<(typeof WANTED_LIMITS)[number], number>;

/** What is used where the adapter has it. */
const OPTIONAL_FEATURES = ["timestamp-query", "subgroups", "shader-f16"] as const;

/** How a device is opened. */
export interface DeviceOptions {
  /** Of the optional features those to use, all by default: fewer, to try what happens on a lesser adapter. */
  readonly features?: readonly (typeof OPTIONAL_FEATURES)[number][];
  /** Plan as if the device allowed only this much, to try what happens on a smaller one. */
  readonly limits?: Partial<DeviceLimits>;
  /** Takes each kernel's WGSL when it is compiled, once. */
  readonly onKernel?: ((name: string, code: string) => void) | undefined;
}

/** A WebGPU device with what is cached per device, and its faults gathered in one place. */
export class Device {
  readonly gpu: GPUDevice;
  readonly adapter: { readonly name: string; readonly software: boolean };
  readonly limits: Readonly<DeviceLimits>;
  readonly pipelines: PipelineCache;
  readonly staging: StagingRing;
  /** Settles with the reason when the device is lost other than by `destroy`. */
  readonly lost: Promise<string>;
  readonly faults = new DeviceFaults();
  /** Bytes of all storage made so far, for messages. */
  #allocated = 0;
  #destroyed = false;

  constructor(gpu: GPUDevice, adapter: Device["adapter"], limits: DeviceLimits, onKernel?: DeviceOptions["onKernel"]) {
    this.gpu = gpu;
    this.adapter = adapter;
    this.limits = limits;
    this.pipelines = new PipelineCache(gpu, onKernel);
    this.staging = new StagingRing(gpu);
    this.lost = new Promise((resolve) => {
      void gpu.lost.then(({ reason, message }) => {
        if (this.#destroyed) return;
        this.faults.gone = lostError(reason, message);
        resolve(`${reason}: ${message}`);
      });
    });
    this.faults.listenTo(gpu);
  }

  get isLost(): boolean {
    return this.faults.gone instanceof DeviceLostError;
  }

  /** Throws why the device is gone, where it is. */
  requireLive(): void {
    if (this.faults.gone) throw this.faults.gone;
  }

  /** Reads part of a buffer after all work submitted so far. */
  read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const encoder = this.gpu.createCommandEncoder({ label: "read back" });
    const copy = this.staging.copy(encoder, buffer, offset, bytes);
    this.gpu.queue.submit([encoder.finish()]);
    return this.arrived(copy);
  }

  /** Waits for a readback; where it fails because the device is gone, that is thrown. */
  async arrived(copy: Readback): Promise<ArrayBuffer> {
    let bytes: ArrayBuffer | undefined;
    try {
      bytes = await copy.arrived();
    } catch (error) {
      // A mapping can fail shortly before its device is known to be lost.
      await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, 1000))]);
      this.requireLive();
      throw deviceFault(error instanceof Error ? error.message : String(error));
    }
    this.requireLive();
    return bytes;
  }

  /** The error of what is done with the device, if there is one, which is then reported nowhere else. */
  async errorOf(work: () => void): Promise<DeviceError | undefined> {
    this.gpu.pushErrorScope("validation");
    work();
    const error = await this.gpu.popErrorScope();
    return error ? deviceFault(error.message) : undefined;
  }

  /** Threads of a subgroup, where that is one number on this adapter and WGSL may use subgroup operations. */
  get subgroupSize(): number | undefined {
    const { subgroupMinSize, subgroupMaxSize } = this.gpu.adapterInfo;
    return this.gpu.features.has("subgroups") && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
  }

  get hasTimestamps(): boolean {
    return this.gpu.features.has("timestamp-query");
  }

  /** @throws DeviceError where WGSL may not use float16 on this adapter */
  requireFloat16(): void {
    if (this.gpu.features.has("shader-f16")) return;
    const what = `${this.adapter.name} offers no shader-f16`;
    throw new DeviceError({
      where: optionName("precision", "float16"),
      what,
      fix: `Use ${optionName("precision", "float32")}, or another adapter`,
    });
  }

  /**
   * A buffer for storage that can be written, read and copied.
   * @param bytes rounded up to whole aligned elements
   * @throws DeviceError with both numbers where the device does not allow so much
   */
  createStorage(bytes: number, label: string): GPUBuffer {
    const size = 4 * aligned(bytes / 4);
    const { maxBufferSize } = this.limits;
    if (size > maxBufferSize) {
      throw new DeviceError({
        where: label,
        what: `needs ${megabytes(size)} in one buffer, and ${this.adapter.name} allows ${megabytes(maxBufferSize)}`,
        fix: "Use a smaller batch or network, or train on the CPU",
      });
    }
    this.#allocated += size;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    return this.gpu.createBuffer({ size, usage, label });
  }

  /**
   * Makes buffers and what binds them, and waits until the device has answered for them.
   * @param make calls `createStorage`, at once
   * @throws DeviceError with the bytes asked for where there was not enough memory
   */
  async allocate<Result>(make: () => Result): Promise<Result> {
    const before = this.#allocated;
    this.gpu.pushErrorScope("out-of-memory");
    this.gpu.pushErrorScope("validation");
    const settled = () => Promise.all([this.gpu.popErrorScope(), this.gpu.popErrorScope()]);
    let result: Result;
    try {
      result = make();
    } catch (error) {
      await settled();
      throw error;
    }
    const [fault, shortage] = await settled();
    if (shortage) {
      throw new DeviceError({
        where: this.adapter.name,
        what: `there is not enough memory for ${megabytes(this.#allocated - before)} more, after ${megabytes(before)} before (${shortage.message.trim()})`,
        fix: "Use a smaller batch or network, or train on the CPU",
      });
    }
    if (fault) throw deviceFault(fault.message);
    return result;
  }

  /** Gives the device back; what still waits for it fails. */
  destroy(): void {
    this.#destroyed = true;
    this.faults.gone ??= new DeviceError({
      where: "WebGPU",
      what: "the backend was disposed of while it worked",
      fix: "Wait for what was begun, or leave its loop, before dispose",
    });
    this.faults.stopListening(this.gpu);
    this.gpu.destroy();
  }
}

function lostError(reason: string, message: string): DeviceLostError {
  return new DeviceLostError({
    where: "WebGPU",
    what: `the device was lost (${reason}: ${message.trim()})`,
    fix: "Restart the backend, or acquire a new one, and continue from the last snapshot",
  });
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;

/**
 * Opens the best adapter of a source with all that it can do.
 * @throws DeviceError where there is no adapter or it refuses a device
 */
export async function openDevice(source: GpuSource, options: DeviceOptions = {}): Promise<Device> {
  const adapter = await requestAdapter(source);
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = (options.features ?? OPTIONAL_FEATURES).filter((name) => adapter.features.has(name));
  const gpu = await adapter.requestDevice({ requiredLimits, requiredFeatures }).catch((cause: unknown) => {
    throw new DeviceError(
      {
        where: "WebGPU",
        what: `${describeAdapter(adapter.info).name} gives no device: ${String(cause)}`,
        fix: "Update its driver",
      },
      { cause },
    );
  });
  const limits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, Math.min(gpu.limits[name], options.limits?.[name] ?? Infinity)]),
  ) as DeviceLimits;
  return new Device(gpu, describeAdapter(gpu.adapterInfo ?? adapter.info), limits, options.onKernel);
}
