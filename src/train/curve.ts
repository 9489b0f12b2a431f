/*
 * Shortens training curves, so that a chart of a long run has few enough points to draw.
 */

/** A point of a training curve: the means of one or more consecutive steps or events. */
export interface CurvePoint {
  /** The last step. */
  readonly step: number;
  readonly loss: number;
  /** In [0, 1]; NaN for regression. */
  readonly accuracy: number;
  /** The number of values in the means; 1 by default. */
  readonly count?: number;
}

/**
 * Joins consecutive points of a curve. Loss and accuracy are means, weighted by `count`; anything else is that of the last
 * point, such as its step.
 * @param points at least one
 */
export function joined<Point extends CurvePoint>(points: readonly Point[]): Point {
  const count = points.reduce((sum, point) => sum + (point.count ?? 1), 0);
  const mean = (name: "loss" | "accuracy") =>
    points.reduce((sum, point) => sum + point[name] * (point.count ?? 1), 0) / count;
  return { ...points.at(-1)!, loss: mean("loss"), accuracy: mean("accuracy"), count };
}

/** Joins each `size` consecutive points of a curve into one. The last one may be of fewer. */
export function thinned<Point extends CurvePoint>(points: readonly Point[], size: number): Point[] {
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    joined(points.slice(index * size, (index + 1) * size)),
  );
}
