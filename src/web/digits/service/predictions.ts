/*
 * What a network's outputs say about the test set.
 */
import { confusionMatrix, type ClassificationDataset, type LossName } from "../../../index.ts";
import { classShares } from "../../../train/outputs.ts";
import type { CellPictures, Mistake } from "../contract.ts";

/** How many of the most confident mistakes are shown. */
const MISTAKES = 24;

/** How many pictures of a cell of the confusion matrix are shown. */
const CELL_PICTURES = 40;

/** Outputs as shares in [0, 1], as the loss that they were trained with reads them: rows of `classes` values. */
export function sharesOf(outputs: Float32Array, classes: number, loss: LossName): Float32Array {
  return classShares(outputs, classes, loss) ?? outputs.map((value) => Math.min(1, Math.max(0, value)));
}

/** How many pictures of each class were taken for each, row by row [actual, predicted], as it is handed over. */
export function confusionOf(labels: Uint32Array, predictions: Uint32Array, classes: number): Uint32Array {
  return Uint32Array.from(confusionMatrix(labels, predictions, classes).flat());
}

/** The mistakes that the network was surest of, the surest first. */
export function worstMistakes(
  labels: Uint32Array,
  predictions: Uint32Array,
  shares: Float32Array,
  classes: number,
): Mistake[] {
  const mistakes: Mistake[] = [];
  predictions.forEach((predicted, index) => {
    const actual = labels[index]!;
    if (predicted !== actual)
      mistakes.push({ index, actual, predicted, confidence: shares[index * classes + predicted]! });
  });
  return mistakes.sort((a, b) => b.confidence - a.confidence).slice(0, MISTAKES);
}

/** The pictures of the given examples, one after the other. */
export function picturesOf(
  { features, count }: ClassificationDataset,
  indices: readonly number[],
): Uint8Array<ArrayBuffer> {
  const width = features.length / count;
  const result = new Uint8Array(indices.length * width);
  indices.forEach((index, place) => result.set(features.subarray(index * width, (index + 1) * width), place * width));
  return result;
}

/** The first pictures of a class that were taken for one. */
export function cellOf(
  test: ClassificationDataset,
  predictions: Uint32Array,
  actual: number,
  predicted: number,
): CellPictures {
  const all = Array.from(predictions.keys()).filter(
    (index) => test.labels[index] === actual && predictions[index] === predicted,
  );
  const shown = all.slice(0, CELL_PICTURES);
  return { pictures: picturesOf(test, shown), count: shown.length };
}

/** Weights [inputs, units] as pictures, one unit after the other, in 127ths of the largest in absolute value. */
export function weightPictures(
  weights: ArrayLike<number>,
  units: number,
): { values: Int8Array<ArrayBuffer>; largest: number } {
  const inputs = weights.length / units;
  let largest = 0;
  for (let index = 0; index < weights.length; index++) largest = Math.max(largest, Math.abs(weights[index]!));
  const values = new Int8Array(weights.length);
  for (let input = 0; input < inputs; input++) {
    for (let unit = 0; unit < units; unit++) {
      values[unit * inputs + input] = Math.round((127 * weights[input * units + unit]!) / (largest || 1));
    }
  }
  return { values, largest };
}
