/*
 * The results of a network on the test set.
 */
import { confusionMatrix, type ClassificationDataset, type LossName } from "../../../index.ts";
import { classShares } from "../../../train/outputs.ts";
import type { CellPictures, Mistake } from "../contract.ts";

/** The number of mistakes to show. */
const MISTAKES = 24;

/** The number of images to show for a cell of the confusion matrix. */
const CELL_PICTURES = 40;

/**
 * Outputs as values in [0, 1]: probabilities if the loss takes logits, and otherwise the clamped outputs.
 * @param outputs rows of `classes` values
 */
export function sharesOf(outputs: Float32Array, classes: number, loss: LossName): Float32Array {
  return classShares(outputs, classes, loss) ?? outputs.map((value) => Math.min(1, Math.max(0, value)));
}

/** The confusion matrix in row-major order, [actual, predicted]. */
export function confusionOf(labels: Uint32Array, predictions: Uint32Array, classes: number): Uint32Array {
  return Uint32Array.from(confusionMatrix(labels, predictions, classes).flat());
}

/** The mistakes with the highest confidence, in descending order. */
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

/** The images of the given examples, concatenated. */
export function picturesOf(
  { features, count }: ClassificationDataset,
  indices: readonly number[],
): Uint8Array<ArrayBuffer> {
  const width = features.length / count;
  const result = new Uint8Array(indices.length * width);
  indices.forEach((index, place) => result.set(features.subarray(index * width, (index + 1) * width), place * width));
  return result;
}

/** The first test images of one class for which another (or the same) class was predicted. */
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

/** Transposes weights from [inputs, units] to [units, inputs] and scales them so that the largest absolute value is 127. */
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
