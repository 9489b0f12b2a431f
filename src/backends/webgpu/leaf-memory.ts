import type { LeafMemory } from "../../compiler/stored-leaves.ts";
import type { Device } from "../../device/device.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { wordsOf } from "./bytes.ts";

/** GPU memory for the leaves of a session. Its queue keeps the order of commands. */
export function gpuLeafMemory(
  device: Device,
  write: (leaf: Tensor, values: Float32Array) => void,
): LeafMemory<GPUBuffer> {
  const { gpu } = device;
  return {
    wordsOf,
    write,
    async allocate(blocks) {
      const made: GPUBuffer[] = [];
      try {
        await device.allocate(() => {
          for (const { elements, label } of blocks) made.push(device.createStorage(4 * elements, label));
        });
        return made;
      } catch (error) {
        for (const buffer of made) buffer.destroy();
        throw error;
      }
    },
    inOrder: async (work) => work(),
    copy(from, to, elements) {
      const encoder = gpu.createCommandEncoder({ label: "move a leaf" });
      encoder.copyBufferToBuffer(from, 0, to.buffer, 4 * to.offset, 4 * elements);
      device.submit(encoder);
    },
    free: (buffer) => buffer.destroy(),
  };
}
