/*
 * Shifted pictures. Runs in the worker.
 */
import type { ClassificationDataset } from "../../../index.ts";
import { shiftsAlong } from "../settings.ts";
import { PICTURE_SIDE } from "../stages.ts";

const PIXELS = PICTURE_SIDE ** 2;

/** Pictures of 784 bytes, concatenated. */
type Pictures = Uint8Array<ArrayBuffer>;

/** Copies a picture, shifted to the right and down. What leaves the picture is lost; what enters it is 0. */
function copyShifted(from: Uint8Array, to: Uint8Array, [right, down]: readonly [number, number]): void {
  for (let row = Math.max(0, down); row < PICTURE_SIDE + Math.min(0, down); row++) {
    const start = (row - down) * PICTURE_SIDE;
    const kept = from.subarray(start + Math.max(0, -right), start + PICTURE_SIDE - Math.max(0, right));
    to.set(kept, row * PICTURE_SIDE + Math.max(0, right));
  }
}

/** A picture, shifted to the right and down. */
export function shifted(picture: Uint8Array, by: readonly [right: number, down: number]): Pictures {
  const result = new Uint8Array(PIXELS);
  copyShifted(picture, result, by);
  return result;
}

/** A picture at every shift, in rows from the top. */
export function atEveryShift(picture: Uint8Array): Pictures {
  const shifts = shiftsAlong.flatMap((down) => shiftsAlong.map((right) => [right, down] as const));
  const result = new Uint8Array(shifts.length * PIXELS);
  shifts.forEach((by, index) => copyShifted(picture, result.subarray(index * PIXELS, (index + 1) * PIXELS), by));
  return result;
}

/** The images of a data set, each shifted by a distance: a quarter of them in each direction. */
export function shiftedImages({ features, count }: ClassificationDataset, distance: number): Pictures {
  const directions = [
    [distance, 0],
    [-distance, 0],
    [0, distance],
    [0, -distance],
  ] as const;
  const result = new Uint8Array(count * PIXELS);
  for (let index = 0; index < count; index++) {
    const [from, to] = [index * PIXELS, (index + 1) * PIXELS];
    copyShifted(features.subarray(from, to) as Uint8Array, result.subarray(from, to), directions[index % 4]!);
  }
  return result;
}

/** The first image of each digit. */
export function samplesOf({ features, labels }: ClassificationDataset): Pictures {
  const result = new Uint8Array(10 * PIXELS);
  for (let digit = 0; digit < 10; digit++) {
    const index = labels.indexOf(digit);
    result.set(features.subarray(index * PIXELS, (index + 1) * PIXELS), digit * PIXELS);
  }
  return result;
}

/** The share of predictions that equal the labels. */
export const shareCorrect = (predictions: Uint32Array, labels: Uint32Array): number =>
  predictions.filter((predicted, index) => predicted === labels[index]).length / predictions.length;
