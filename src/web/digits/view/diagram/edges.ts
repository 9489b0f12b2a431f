/*
 * The edges of the drawn network. The strength of an edge is what flows through it: its weight times the value before it.
 */
import type { ShownLayer, WeightsEvent } from "../../contract.ts";
import type { DiagramLayout, Point } from "./layout.ts";

export interface Edge {
  readonly from: Point;
  readonly to: Point;
  /** In [−1, 1], relative to the strongest edge between the same layers. */
  readonly strength: number;
  /** The width of an edge of strength 1, in CSS pixels. */
  readonly width: number;
}

/** The number of pixels that are connected to a unit: those through which most flows. */
const PIXELS = 7;

/** The widths of the strongest edges: there are more of those from pixels. */
const [PIXEL_WIDTH, UNIT_WIDTH] = [1.2, 2.6];

/** Weaker edges would not be visible. */
const LEAST = 0.04;

/** Scales strengths to [−1, 1], and drops edges that would not be visible. */
function scaled(edges: readonly Edge[]): Edge[] {
  const largest = edges.reduce((most, { strength }) => Math.max(most, Math.abs(strength)), 1e-9);
  return edges
    .map((edge) => ({ ...edge, strength: edge.strength / largest }))
    .filter(({ strength }) => Math.abs(strength) > LEAST);
}

/** The indices of the values with the largest absolute values. */
function largestOf(values: Float32Array, count: number): number[] {
  const sizes = values.map(Math.abs);
  // A sorted copy of numbers is cheaper than sorting objects, of which there would be thousands a second.
  const least = sizes.toSorted()[Math.max(0, sizes.length - count)] ?? 0;
  return [...sizes.keys()].filter((index) => sizes[index]! >= least).slice(0, count);
}

/** The edges from the pixels of the drawing to the drawn units of the first layer. */
export function pixelEdges(
  { tiles, tileUnits, layers }: WeightsEvent,
  ink: Uint8Array,
  { picture, units }: DiagramLayout,
): Edge[] {
  const inked = [...ink.keys()].filter((pixel) => ink[pixel]! > 0);
  const size = picture.side / 28;
  const placeOf = (pixel: number): Point => ({
    x: picture.x + size * ((pixel % 28) + 0.5),
    y: picture.y + size * (Math.floor(pixel / 28) + 0.5),
  });
  const flows = new Float32Array(inked.length);
  const edges = [...layers[0]!.units].flatMap((unit, place) => {
    const start = 784 * tileUnits.indexOf(unit);
    inked.forEach((pixel, index) => (flows[index] = tiles[start + pixel]! * ink[pixel]!));
    return largestOf(flows, PIXELS).map((index) => ({
      from: placeOf(inked[index]!),
      to: units[0]![place]!,
      strength: flows[index]!,
      width: PIXEL_WIDTH,
    }));
  });
  return scaled(edges);
}

/**
 * The edges between the drawn units of a layer and those of the next one.
 * @param outputs the outputs of all units of the layer
 */
export function unitEdges(
  layer: ShownLayer,
  next: ShownLayer,
  outputs: Float32Array,
  from: readonly Point[],
  to: readonly Point[],
): Edge[] {
  const columns = next.units.length;
  return scaled(
    Array.from(next.weights, (weight, index) => {
      const place = Math.floor(index / columns);
      return {
        from: from[place]!,
        to: to[index % columns]!,
        strength: weight * outputs[layer.units[place]!]!,
        width: UNIT_WIDTH,
      };
    }),
  );
}
