import { aligned } from "../alignment.ts";
import { DeviceError, DeviceLostError, optionName } from "../errors.ts";
import { describeAdapter, requestAdapter, type GpuSource } from "./adapter.ts";
import { deviceFault, DeviceFaults } from "./faults.ts";
import { PipelineCache } from "./pipelines.ts";
import { StagingRing, type Readback } from "./staging.ts";

/** The limits that planning depends on. The adapter's maximum is requested for each. */
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

/** The WebGPU limits that wgrad uses, by their WebGPU names. */
export type DeviceLimits = Record<(typeof WANTED_LIMITS)[number], number>;

/** Features that are used if the adapter has them. */
const OPTIONAL_FEATURES = ["timestamp-query", "subgroups", "shader-f16"] as const;

/** It is used only if it is asked for, since products by it add in another order. */
const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix";

/** Options of opening a device. */
export interface DeviceOptions {
  /**
   * The features to use if the adapter has them: by default all but subgroup matrices. Use fewer to test the behavior on adapters
   * without them.
   */
  readonly features?: readonly ((typeof OPTIONAL_FEATURES)[number] | typeof SUBGROUP_MATRIX)[];
  /** Lower limits, to test the behavior on smaller devices. */
  readonly limits?: Partial<DeviceLimits>;
  /**
   * Whether to use the kernels for software adapters; by default as the adapter is. With false, a software adapter runs the
   * kernels for GPUs, to test them.
   */
  readonly software?: boolean;
  /** Called once with the WGSL of each kernel when it is compiled. */
  readonly onKernel?: ((name: string, code: string) => void) | undefined;
}

/** What Dawn says of subgroup matrices, which no standard describes yet. */
interface SubgroupMatrixInfo extends GPUAdapterInfo {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** The sizes of the matrices that subgroups multiply, [rows, inner] by [inner, columns], and the threads of the largest subgroup. */
export interface SubgroupMatrixSizes {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly threads: number;
}

/** A WebGPU device with its caches and its errors. */
export class Device {
  readonly gpu: GPUDevice;
  readonly adapter: { readonly name: string; readonly software: boolean };
  readonly limits: Readonly<DeviceLimits>;
  readonly pipelines: PipelineCache;
  readonly staging: StagingRing;
  /** Resolves with the reason when the device is lost other than by `destroy`. */
  readonly lost: Promise<string>;
  readonly faults = new DeviceFaults();
  /** Bytes of all storage buffers created so far, for messages. */
  #allocated = 0;
  #destroyed = false;
  /** The commands of reads that are requested, but not submitted. */
  #reads: GPUCommandEncoder | undefined;

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

  /** Throws the reason if the device is gone. */
  requireLive(): void {
    if (this.faults.gone) throw this.faults.gone;
  }

  /**
   * Reads part of a buffer, after all work submitted so far and before all work submitted later. Reads that are requested
   * together, such as those of a snapshot, are one submit.
   */
  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    if (!this.#reads) {
      this.#reads = this.gpu.createCommandEncoder({ label: "read back" });
      queueMicrotask(() => this.submitReads());
    }
    const copy = this.staging.copy(this.#reads, buffer, offset, bytes);
    // The microtask runs first: a staging buffer must not be mapped before its copy was submitted.
    await Promise.resolve();
    return this.arrived(copy);
  }

  /** Submits the requested reads. Called before anything that could change what they read. */
  submitReads(): void {
    if (this.#reads) this.submit();
  }

  /** Submits commands, after the requested reads. */
  submit(commands?: GPUCommandEncoder): void {
    const encoders = [this.#reads, commands].filter((encoder) => encoder !== undefined);
    this.#reads = undefined;
    this.gpu.queue.submit(encoders.map((encoder) => encoder.finish()));
  }

  /** Writes to a buffer, after the requested reads. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.submitReads();
    this.gpu.queue.writeBuffer(buffer, offset, data.buffer, data.byteOffset, data.byteLength);
  }

  /** Waits for a readback. If it fails because the device is gone, throws that reason. */
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

  /** The error that the device reports for `work`, if any. It is not reported elsewhere. */
  async errorOf(work: () => void): Promise<DeviceError | undefined> {
    this.gpu.pushErrorScope("validation");
    work();
    const error = await this.gpu.popErrorScope();
    return error ? deviceFault(error.message) : undefined;
  }

  /** The sizes of subgroup matrices, if the device has them with operands of float16 and sums of float32. */
  get subgroupMatrix(): SubgroupMatrixSizes | undefined {
    const { features, adapterInfo } = this.gpu;
    if (!features.has(SUBGROUP_MATRIX as GPUFeatureName) || !features.has("shader-f16")) return undefined;
    const { subgroupMatrixConfigs = [], subgroupMaxSize } = adapterInfo as SubgroupMatrixInfo;
    const found = Array.from(subgroupMatrixConfigs).find(
      ({ componentType, resultComponentType }) => componentType === "f16" && resultComponentType === "f32",
    );
    return found && { rows: found.M, columns: found.N, inner: found.K, threads: subgroupMaxSize };
  }

  /** The subgroup size, if it is fixed on this adapter and subgroup operations are available. */
  get subgroupSize(): number | undefined {
    const { subgroupMinSize, subgroupMaxSize } = this.gpu.adapterInfo;
    return this.gpu.features.has("subgroups") && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
  }

  get hasTimestamps(): boolean {
    return this.gpu.features.has("timestamp-query");
  }

  /** @throws DeviceError if float16 is not available on this adapter */
  requireFloat16(): void {
    if (this.gpu.features.has("shader-f16")) return;
    const what = `${this.adapter.name} does not have the feature shader-f16`;
    throw new DeviceError({
      where: optionName("precision", "float16"),
      what,
      fix: `Use ${optionName("precision", "float32")}, or another adapter`,
    });
  }

  /**
   * Creates a storage buffer that can be written, read and copied.
   * @param bytes rounded up to the alignment
   * @throws DeviceError with both numbers if it exceeds the device's limit
   */
  createStorage(bytes: number, label: string): GPUBuffer {
    const size = 4 * aligned(bytes / 4);
    const { maxBufferSize } = this.limits;
    if (size > maxBufferSize) {
      throw new DeviceError({
        where: label,
        what: `it needs ${megabytes(size)} in one buffer, but ${this.adapter.name} allows ${megabytes(maxBufferSize)}`,
        fix: "Use a smaller batch or network, or train on the CPU",
      });
    }
    this.#allocated += size;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    return this.gpu.createBuffer({ size, usage, label });
  }

  /**
   * Creates buffers and bind groups, and waits until the device has confirmed them.
   * @param make calls `createStorage` synchronously
   * @throws DeviceError with the requested bytes if there is not enough memory
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
        what: `there is not enough memory for another ${megabytes(this.#allocated - before)}; ${megabytes(before)} were allocated before (${shortage.message.trim()})`,
        fix: "Use a smaller batch or network, or train on the CPU",
      });
    }
    if (fault) throw deviceFault(fault.message);
    return result;
  }

  /** Releases the device. Pending work fails. */
  destroy(): void {
    this.#destroyed = true;
    this.faults.gone ??= new DeviceError({
      where: "WebGPU",
      what: "the backend was disposed of during the call",
      fix: "Await pending calls, or leave the loop, before dispose",
    });
    this.faults.stopListening(this.gpu);
    this.gpu.destroy();
  }
}

function lostError(reason: string, message: string): DeviceLostError {
  return new DeviceLostError({
    where: "WebGPU",
    what: `the device was lost (${reason}: ${message.trim()})`,
    fix: "Restart the backend or create a new one, and continue from the last snapshot",
  });
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;

/**
 * Opens the best adapter of a source with all its features.
 * @throws DeviceError if there is no adapter, or it refuses to open a device
 */
export async function openDevice(source: GpuSource, options: DeviceOptions = {}): Promise<Device> {
  const adapter = await requestAdapter(source);
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const wanted = (options.features ?? OPTIONAL_FEATURES) as readonly GPUFeatureName[];
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name));
  const gpu = await adapter.requestDevice({ requiredLimits, requiredFeatures }).catch((cause: unknown) => {
    throw new DeviceError(
      {
        where: "WebGPU",
        what: `${describeAdapter(adapter.info).name} refuses to open a device: ${String(cause)}`,
        fix: "Update the driver",
      },
      { cause },
    );
  });
  const limits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, Math.min(gpu.limits[name], options.limits?.[name] ?? Infinity)]),
  ) as DeviceLimits;
  const described = describeAdapter(gpu.adapterInfo ?? adapter.info);
  const { software = described.software } = options;
  return new Device(gpu, { ...described, software }, limits, options.onKernel);
}
