import type { Tensor } from "../graph/tensor.ts";
import { isPack } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import type { Group } from "./fuse.ts";
import type { Region, VirtualBuffer } from "./regions.ts";

/** A value without a region, and the groups from its first to its last use. */
interface Live {
  readonly value: Tensor;
  readonly first: number;
  readonly last: number;
}

interface Slot {
  readonly elements: number;
  readonly values: Live[];
}

/**
 * Assigns buffers to all values without a region. A buffer is reused where the uses of its values do not overlap. Values are
 * placed from the largest to the smallest (greedy by size; Pisarchyk and Lee 2020, arXiv 2001.03288, section 4.2), so that no
 * small value takes a large buffer that another large one could have. Values with touching ranges never share a buffer, so the
 * inputs and outputs of a group are separate.
 * @returns the buffers
 */
export function assignSlots(groups: readonly Group[], regions: Map<Tensor, Region>): ReadonlySet<VirtualBuffer> {
  const slots: Slot[] = [];
  for (const live of liveValues(groups, regions).sort((a, b) => b.value.size - a.value.size)) {
    const slot = bestSlot(slots, live) ?? { elements: live.value.size, values: [] };
    if (slot.values.length === 0) slots.push(slot);
    slot.values.push(live);
  }
  const buffers = slots.map(({ elements, values }, position) => {
    const buffer: VirtualBuffer = { label: `slot ${position}`, elements };
    for (const { value } of values) regions.set(value, { buffer, offset: 0, elements: value.size });
    return buffer;
  });
  return new Set(buffers);
}

/** The smallest slot that is free as long as a value is alive; of several, the one that was used last, since it may be in a cache. */
function bestSlot(slots: readonly Slot[], live: Live): Slot | undefined {
  const free = slots.filter(({ values }) =>
    values.every((other) => other.last < live.first || live.last < other.first),
  );
  const lastUse = ({ values }: Slot) =>
    Math.max(-1, ...values.map(({ last }) => last).filter((last) => last < live.first));
  return free.sort((a, b) => a.elements - b.elements || lastUse(b) - lastUse(a))[0];
}

/** The values without a region, in the order of the groups. */
function liveValues(groups: readonly Group[], regions: ReadonlyMap<Tensor, Region>): Live[] {
  const lastRead = new Map<Tensor, number>();
  groups.forEach((group, position) => {
    for (const input of group.inputs) {
      lastRead.set(input, position);
      if (isPack(input)) for (const member of input.inputs) lastRead.set(rootOf(member), position);
    }
  });
  return groups.flatMap(({ outputs }, first) =>
    outputs
      .filter((value) => !regions.has(value))
      .map((value) => ({ value, first, last: lastRead.get(value) ?? first })),
  );
}
