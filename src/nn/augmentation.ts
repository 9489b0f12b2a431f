import type { Tensor } from "../graph/tensor.ts";
import type { Batch } from "./batch.ts";

/** What an augmentation may depend on besides the batch. */
export interface AugmentationContext {
  /**
   * A key for random numbers, a uint32 scalar, for ops such as `randomUniform`. It depends on the seed, the step, the
   * part of the step, the position of the augmentation in the list, and `index`, so that a resumed run draws the same
   * numbers.
   * @param index tells apart several keys of one augmentation, from 0
   */
  keyAt(index: number): Tensor;
}

/**
 * A random change of training examples, such as a shift of images, as graph ops. It is applied in training only, after
 * the features were normalized and brought into the model's input shape.
 */
export interface Augmentation {
  readonly name: string;
  /**
   * Changes the examples of a batch.
   * @param batch its `features` are [examples, ...inputShape]
   * @returns a batch of the same number of examples
   */
  apply(batch: Batch, context: AugmentationContext): Batch;
}
