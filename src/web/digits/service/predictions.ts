/*
 * The results of a network on the test set.
 */
import { confusionMatrix, type ClassificationDataset, type LossName } from "../../../index.ts";
import { classShares } from "../../../train/outputs.ts";
import type { CellPictures, Mistake } from "../contract.ts";
import type { LayerWeights } from "./shown-units.ts";

/** The number of mistakes to show. */
const MISTAKES = 24;

/** The number of images to show for a cell of the confusion matrix. */
const CELL_PICTURES = 40;

/** The number of images to show for a unit. */
const EXCITING_PICTURES = 10;

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

/** The weights of some units, 784 for each, scaled so that the largest absolute value of all units is 127. */
export function weightTiles(
  { inputs, units, values }: LayerWeights,
  chosen: Uint32Array,
): { tiles: Int8Array<ArrayBuffer>; largest: number } {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tiles = new Int8Array(chosen.length * inputs);
  chosen.forEach((unit, place) => {
    for (let input = 0; input < inputs; input++) {
      tiles[place * inputs + input] = Math.round((127 * values[input * units + unit]!) / (largest || 1));
    }
  });
  return { tiles, largest };
}

/** For each pixel 1 if some image has ink there, and otherwise 0. */
export function inkedPixels({ features, count }: ClassificationDataset): Uint8Array<ArrayBuffer> {
  const width = features.length / count;
  const inked = new Uint8Array(width);
  for (let start = 0; start < features.length; start += width) {
    for (let pixel = 0; pixel < width; pixel++) if (features[start + pixel]! > 0) inked[pixel] = 1;
  }
  return inked;
}

/** The images with the largest outputs of a unit, in descending order. */
export function excitingPictures(
  test: ClassificationDataset,
  outputs: ArrayLike<number>,
  { unit, units }: { readonly unit: number; readonly units: number },
): CellPictures {
  const outputOf = (index: number) => outputs[index * units + unit]!;
  const ranked = Array.from({ length: outputs.length / units }, (_, index) => index)
    .sort((a, b) => outputOf(b) - outputOf(a))
    .slice(0, EXCITING_PICTURES);
  return { pictures: picturesOf(test, ranked), count: ranked.length };
}
