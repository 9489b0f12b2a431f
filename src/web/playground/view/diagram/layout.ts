/*
 * Where the diagram draws units and edges.
 */
import type { ParameterPlace } from "../../contract.ts";
import { inputCount, sourceOf, type Network, type UnitId } from "./network.ts";

/** The side of a unit's picture and the space below it, in pixels. */
const UNIT = { side: 42, gap: 8 };
/** The same if a layer has more than eight units. */
const SMALL_UNIT = { side: 32, gap: 4 };

export interface Layout {
  readonly network: Network;
  /** The side of a unit's picture. */
  readonly side: number;
  /** The distance of two units. */
  readonly row: number;
  readonly height: number;
}

export function layoutOf(network: Network): Layout {
  const most = Math.max(3, ...network.columns);
  const { side, gap } = most > 8 ? SMALL_UNIT : UNIT;
  return { network, side, row: side + gap, height: most * (side + gap) };
}

/** The center of a column, as a share of the width. */
export const shareAcross = ({ network: { columns } }: Layout, column: number): number =>
  (column + 0.5) / columns.length;

/** The center of a unit, in pixels from the top. */
export const downOf = ({ network: { columns }, row, height }: Layout, { column, unit }: UnitId): number =>
  height / 2 + (unit - (columns[column]! - 1) / 2) * row;

/** A weight, and the places between which its edge is drawn. */
export interface Edge {
  readonly place: ParameterPlace & { readonly input: number };
  readonly from: { readonly share: number; readonly down: number };
  readonly to: { readonly share: number; readonly down: number };
}

/** The edges of all weights. */
export function edgesOf(layout: Layout): Edge[] {
  const { network } = layout;
  const at = (id: UnitId) => ({ share: shareAcross(layout, id.column), down: downOf(layout, id) });
  return network.columns.slice(1).flatMap((units, layer) =>
    Array.from({ length: units }, (_, unit) =>
      Array.from({ length: inputCount(network, layer + 1) }, (_input, input) => ({
        place: { layer, unit, input },
        from: at(sourceOf(network, layer, input)),
        to: at({ column: layer + 1, unit }),
      })),
    ).flat(),
  );
}

/** How near to an edge one has to point, in pixels. */
const NEAR = 5;

/**
 * The edge at a place; undefined if none is near.
 * @param share the share of the diagram's width
 * @param down pixels from the top
 */
export function edgeAt(layout: Layout, share: number, down: number): Edge | undefined {
  const across = share * layout.network.columns.length - 0.5;
  const layer = Math.floor(across);
  const weightOfEnd = riseAt(across - layer);
  let [nearest, least]: [Edge | undefined, number] = [undefined, NEAR];
  for (const edge of edgesOf(layout)) {
    const distance = Math.abs(edge.from.down + weightOfEnd * (edge.to.down - edge.from.down) - down);
    if (edge.place.layer !== layer || distance >= least) continue;
    [nearest, least] = [edge, distance];
  }
  return nearest;
}

/**
 * The vertical share of an edge at a horizontal share. The edge is a cubic Bézier curve whose control points lie in the
 * middle: x = 1.5 t − 1.5 t² + t³ and y = 3 t² − 2 t³. x grows with t, so that bisection finds t.
 */
function riseAt(share: number): number {
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 20; halving++) {
    const t = (low + high) / 2;
    if (1.5 * t - 1.5 * t * t + t ** 3 < share) low = t;
    else high = t;
  }
  return 3 * low * low - 2 * low ** 3;
}
