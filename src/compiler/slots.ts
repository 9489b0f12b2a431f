import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import type { Group } from "./fuse.ts";
import type { Region, VirtualBuffer } from "./regions.ts";

interface Slot {
  buffer: VirtualBuffer;
  /** The last group that uses the slot. */
  busyUntil: number;
}

/**
 * Assigns buffers to all values without a region. A buffer is reused after the last read of its value (linear scan over
 * live ranges; Poletto and Sarkar 1999). Values with touching ranges never share a buffer, so the inputs and outputs of
 * a group are separate.
 */
export function assignSlots(groups: readonly Group[], regions: Map<Tensor, Region>): void {
  const lastRead = new Map<Tensor, number>();
  groups.forEach((group, position) => {
    for (const input of group.inputs) {
      lastRead.set(input, position);
      if (isPack(input)) for (const member of input.inputs) lastRead.set(rootOf(member), position);
    }
  });
  const slots: Slot[] = [];
  groups.forEach((group, position) => {
    for (const output of group.outputs) {
      if (regions.has(output)) continue;
      const slot = takeSlot(slots, output.size, position);
      slot.busyUntil = lastRead.get(output) ?? position;
      regions.set(output, { buffer: slot.buffer, offset: 0, elements: output.size });
    }
  });
}

/** The smallest free slot that is large enough; else the largest free slot, enlarged; else a new slot. */
function takeSlot(slots: Slot[], elements: number, position: number): Slot {
  const free = slots
    .filter(({ busyUntil }) => busyUntil < position)
    .sort((a, b) => a.buffer.elements - b.buffer.elements);
  const slot = free.find(({ buffer }) => buffer.elements >= elements) ?? free.at(-1);
  if (slot) {
    slot.buffer.elements = Math.max(slot.buffer.elements, elements);
    return slot;
  }
  const fresh = { buffer: { label: `slot ${slots.length}`, elements }, busyUntil: position };
  slots.push(fresh);
  return fresh;
}
