import type { AnyDataset } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import { isFloat32 } from "../float32.ts";
import type { AnyTrainerOptions } from "./options.ts";

/**
 * The weight of each class; undefined if all are 1.
 * @throws OptionError for weights that do not fit the classes of the data set
 */
export function classWeightsOf(
  data: AnyDataset | DataStream,
  given: AnyTrainerOptions["classWeights"],
): readonly number[] | undefined {
  if (given === undefined) return undefined;
  const where = optionName("classWeights");
  if (!("classes" in data) || data.classes === undefined) {
    const what = "the data set has no classes";
    throw new OptionError({ where, what, fix: "Give the data set weights, one per example" });
  }
  if (given === "balanced" && !("labels" in data)) {
    const what = "the numbers of examples in the classes of a stream are not known";
    throw new OptionError({ where, what, fix: "Give a list of numbers" });
  }
  if (given === "balanced" && "labels" in data) return balancedWeights(data.labels, data.classes.length);
  const { length } = data.classes;
  if (!Array.isArray(given) || given.length !== length) {
    const what = `${excerpt(given)} for ${length} classes`;
    throw new OptionError({ where, what, fix: `Give a list of ${length} numbers, or "balanced"` });
  }
  const wrong = given.findIndex((weight) => !isFloat32(weight) || weight < 0);
  if (wrong < 0) return given;
  const what = `the weight of class ${wrong} is ${excerpt(given[wrong])}`;
  throw new OptionError({ where, what, fix: "Give finite numbers of at least 0" });
}

/**
 * Weights with which all classes contribute equally: examples / (classes · examples of the class), as scikit-learn's
 * `compute_class_weight("balanced")`. Classes without examples do not count, and have weight 0.
 */
export function balancedWeights(labels: Uint32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (present * count)));
}
