import { computed, signal } from "@preact/signals";
import { weights } from "../../state/index.ts";

/** A unit of a layer of the drawing. */
export interface UnitId {
  readonly layer: number;
  readonly unit: number;
}

/** The unit under the pointer, and the one that the visitor chose with a click or the keyboard. */
export const pointed = signal<UnitId | undefined>(undefined);
export const chosen = signal<UnitId | undefined>(undefined);

/** The unit that is shown before the visitor has chosen one: the most active one, until it is no longer drawn. */
export const initial = signal<UnitId | undefined>(undefined);

/** Whether a unit is drawn. Training may replace it by one with more influence, and only drawn units have weights here. */
export const isDrawn = (id: UnitId | undefined): boolean =>
  id !== undefined && weights.value?.layers[id.layer]?.units.includes(id.unit) === true;

/** The unit that the card shows. */
export const inspected = computed<UnitId | undefined>(() => {
  const known = [pointed.value, chosen.value, initial.value].find(isDrawn);
  const first = weights.value?.layers[0]?.units[0];
  return known ?? (first === undefined ? undefined : { layer: 0, unit: first });
});

/** A name such as "Unit 12 of hidden layer 1", or "Output 3". */
export function unitName({ layer, unit }: UnitId, layers: number): string {
  if (layer === layers - 1) return `Output ${unit}`;
  return layers === 2 ? `Hidden unit ${unit + 1}` : `Unit ${unit + 1} of hidden layer ${layer + 1}`;
}
