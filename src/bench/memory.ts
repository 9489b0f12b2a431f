import type { GpuSource } from "../device/adapter.ts";

/** Counts the buffers that live on the GPU: made and not destroyed yet. Those for reading back are the host's. */
export class BufferMeter {
  #bytes = 0;

  /** Bytes of the buffers there are now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a device's buffers from now on. */
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
    let there = true;
    this.#bytes += bytes;
    buffer.destroy = () => {
      if (there) this.#bytes -= bytes;
      there = false;
      return destroy();
    };
  }
}

/** The same source, whose devices' buffers are counted. */
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
