import type { GpuSource } from "../device/adapter.ts";

/** Counts the bytes of the live buffers on the GPU. Buffers for reading back are in the host's memory and not counted. */
export class BufferMeter {
  #bytes = 0;

  /** Bytes of the buffers that are not destroyed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Starts to count the buffers of a device. */
  watch(device: GPUDevice): void {
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      if ((descriptor.usage & GPUBufferUsage.MAP_READ) === 0) this.#count(buffer, descriptor.size);
      return buffer;
    };
  }

  #count(buffer: GPUBuffer, bytes: number): void {
    const destroy = buffer.destroy.bind(buffer);
    let isLive = true;
    this.#bytes += bytes;
    buffer.destroy = () => {
      if (isLive) this.#bytes -= bytes;
      isLive = false;
      return destroy();
    };
  }
}

/** Wraps a source so that the buffers of its devices are counted. */
export function metered(source: GpuSource): { source: GpuSource; meter: BufferMeter } {
  const meter = new BufferMeter();
  const requestAdapter: GPU["requestAdapter"] = async (options) => {
    const adapter = await source.gpu.requestAdapter(options);
    if (!adapter) return adapter;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      meter.watch(device);
      return device;
    };
    return adapter;
  };
  // Only requestAdapter is called on it.
  const gpu = Object.assign(Object.create(source.gpu) as GPU, { requestAdapter });
  return { source: { gpu, release: () => source.release() }, meter };
}
