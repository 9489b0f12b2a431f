/*
 * What the visitor points at in the diagram, and what is edited.
 */
import { signal } from "@preact/signals";
import type { ParameterPlace } from "../../contract.ts";
import type { Edge } from "./layout.ts";
import { networkOf, unitExists, unitName, type NetworkMode, type UnitId } from "./network.ts";

/** The unit that the visitor points at or has focused. The large picture shows it. */
export const enlarged = signal<UnitId | undefined>(undefined);

/** The weight whose edge the visitor points at. */
export const pointedWeight = signal<Edge["place"] | undefined>(undefined);

/** The parameter that the editor shows, of the network of a mode. */
export interface Edited {
  readonly mode: NetworkMode;
  readonly place: ParameterPlace;
  /** Whether its field is focused when it opens. */
  readonly takesFocus: boolean;
}

export const edited = signal<Edited | undefined>(undefined);

/** The unit where the Tab key stops. */
export const tabStop = signal<UnitId>({ column: 1, unit: 0 });

/** The ID of a unit's button. */
export const unitElementId = ({ column, unit }: UnitId): string => `playground-unit-${column}-${unit}`;

/** The name of the unit that the large picture shows; undefined if it shows the output. */
export function enlargedName(mode: NetworkMode): string | undefined {
  const id = enlarged.value;
  const network = networkOf(mode);
  const isShown = id && id.column < network.columns.length - 1 && unitExists(network, id);
  return isShown ? unitName(network, id) : undefined;
}
