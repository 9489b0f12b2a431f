import type { Place } from "./drawing.ts";

/** A 3, as shares of the pad's side. */
const THREE = [
  [0.3, 0.25],
  [0.4, 0.2],
  [0.6, 0.22],
  [0.66, 0.35],
  [0.58, 0.47],
  [0.48, 0.5],
  [0.6, 0.54],
  [0.68, 0.66],
  [0.6, 0.8],
  [0.42, 0.82],
  [0.3, 0.74],
] as const;

/** The strokes of the digit that the page starts with, on a pad with a side of so many pixels. */
export const sampleStrokes = (side: number): Place[][] => [THREE.map(([x, y]) => ({ x: x * side, y: y * side }))];
