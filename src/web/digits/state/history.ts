/*
 * The training curve, kept short enough to draw however long the run is.
 */

import { joined, thinned, type CurvePoint } from "../../../train/curve.ts";

/** If there are more points than this, they are joined in pairs. */
const MOST_POINTS = 2000;

/** The mean of `count` consecutive steps. */
interface Bucket extends CurvePoint {
  /** When the last of these steps ended. */
  readonly seconds: number;
  readonly count: number;
}

export interface TrainingCurve {
  readonly steps: Float64Array;
  readonly seconds: Float64Array;
  readonly losses: Float64Array;
  readonly accuracies: Float64Array;
}

/** The losses and accuracies of all steps so far. */
export class TrainingHistory {
  #buckets: Bucket[] = [];
  #bucketSteps = 1;

  /**
   * @param step the number of the last of these steps
   * @param secondsBefore when the previous steps had ended
   * @param seconds when the last of these steps ended
   */
  add(
    losses: ArrayLike<number>,
    accuracies: ArrayLike<number>,
    step: number,
    secondsBefore: number,
    seconds: number,
  ): void {
    const { length } = losses;
    for (let index = 0; index < length; index++) {
      const one = {
        step: step - length + 1 + index,
        seconds: secondsBefore + ((seconds - secondsBefore) * (index + 1)) / length,
        loss: losses[index]!,
        accuracy: accuracies[index]!,
        count: 1,
      };
      const last = this.#buckets.at(-1);
      if (last && last.count < this.#bucketSteps) this.#buckets[this.#buckets.length - 1] = joined([last, one]);
      else this.#buckets.push(one);
    }
    if (this.#buckets.length > MOST_POINTS) {
      this.#bucketSteps *= 2;
      this.#buckets = thinned(this.#buckets, 2);
    }
  }

  get secondsNow(): number {
    return this.#buckets.at(-1)?.seconds ?? 0;
  }

  curve(): TrainingCurve {
    const column = (name: "step" | "seconds" | "loss" | "accuracy") =>
      Float64Array.from(this.#buckets, (bucket) => bucket[name]);
    return {
      steps: column("step"),
      seconds: column("seconds"),
      losses: column("loss"),
      accuracies: column("accuracy"),
    };
  }
}

/**
 * An exponential moving average without a bias towards 0 at the start. Values that are not finite are skipped.
 * @param keep the weight of the previous average, in [0, 1)
 */
export function smoothed(values: ArrayLike<number>, keep: number): Float64Array {
  const result = new Float64Array(values.length);
  let [average, weight] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (Number.isFinite(value)) {
      average = keep * average + (1 - keep) * value;
      weight = keep * weight + (1 - keep);
    }
    result[index] = weight > 0 ? average / weight : value;
  }
  return result;
}
