/*
 * Counts a runtime's calls of WebGPU, by wrapping the classes of the Dawn that it uses.
 */

/** @typedef {{ dispatches: number, passes: number, submits: number, bindGroups: number, buffers: number }} GpuCalls */

/** Starts counting; call it once, after opening the runtime. @returns {() => GpuCalls} returns the calls so far */
export function countGpuCalls() {
  const methods = [
    [GPUComputePassEncoder, "dispatchWorkgroups", "dispatches"],
    [GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches"],
    [GPUCommandEncoder, "beginComputePass", "passes"],
    [GPUQueue, "submit", "submits"],
    [GPUDevice, "createBindGroup", "bindGroups"],
    [GPUDevice, "createBuffer", "buffers"],
  ];
  const calls = Object.fromEntries(methods.map(([, , kind]) => [kind, 0]));
  for (const [owner, name, kind] of methods) {
    const original = owner.prototype[name];
    owner.prototype[name] = function counted(...parameters) {
      calls[kind]++;
      return original.apply(this, parameters);
    };
  }
  return () => ({ ...calls });
}

/**
 * Starts adding up the sizes of WebGPU buffers; call it once, after opening the runtime.
 * @returns {() => number} returns the largest total so far of the buffers that were made and not destroyed, in bytes
 */
export function countGpuMemory() {
  let now = 0;
  let peak = 0;
  const sizes = new WeakMap();
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function counted(descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    peak = Math.max(peak, (now += descriptor.size));
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function counted() {
    now -= sizes.get(this) ?? 0;
    sizes.delete(this);
    return destroy.call(this);
  };
  return () => peak;
}

/** @returns {GpuCalls} */
export const callsBetween = (before, after) =>
  Object.fromEntries(Object.keys(after).map((kind) => [kind, after[kind] - before[kind]]));
