/*
 * The data sets, and their points as the pictures draw them.
 */
import { points, type Dataset } from "../../index.ts";

/** Two classes in the plane. */
export const planes = {
  circles: points.circles,
  xor: points.xor,
  moons: points.moons,
  spirals: points.spirals,
  linear: points.linear,
};

/** Noisy curves. */
export const curves = { sine: points.sine, polynomial: points.polynomial, line: points.line };

/** The points of a data set as rows of x, y, class. For a curve, the class is 0. */
export function rowsOf(data: Dataset): Float32Array {
  const rows = Array.from({ length: data.count }, (_, index) =>
    "targets" in data
      ? [data.features[index]!, data.targets[index]!, 0]
      : [data.features[2 * index]!, data.features[2 * index + 1]!, data.labels[index]!],
  );
  return Float32Array.from(rows.flat());
}
