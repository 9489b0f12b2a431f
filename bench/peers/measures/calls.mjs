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

/** @returns {GpuCalls} */
export const callsBetween = (before, after) =>
  Object.fromEntries(Object.keys(after).map((kind) => [kind, after[kind] - before[kind]]));
