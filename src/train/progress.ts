/** A progress event. Loss and accuracy are means over the steps since the previous event. */
export interface TrainingProgress<Metric extends string = string> {
  /** The last step that the event covers, counted from 1. */
  readonly step: number;
  readonly totalSteps: number;
  /** The epoch of that step, counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The mean loss; NaN or infinite if it is. */
  readonly loss: number;
  /** The fraction of correct predictions, measured before each step's update, in [0, 1]; NaN for regression. */
  readonly accuracy: number;
  /** The mean norm of the gradients before clipping, if the trainer measures it. */
  readonly gradientNorm?: number;
  /** The means of the trainer's own metrics over the same steps, if it has any. */
  readonly metrics?: Readonly<Record<Metric, number>>;
  /** The learning rate of that step. */
  readonly learningRate: number;
  /** Set in the last event of an aborted call. The first event of the next call reports its steps again. */
  readonly interim?: true;
  /** The steps since the previous event whose updates were skipped because of `onNonFinite`. */
  readonly skipped: readonly SkippedStep[];
  /**
   * Wall time of this call of `fit`, from the first submit to the last completion. It includes shuffling, uploads, and
   * the time the caller spends between events if training waits for it.
   */
  readonly seconds: number;
  /** Examples of the finished steps of this call per second. */
  readonly examplesPerSecond: number;
}

/** A step that was skipped because its loss or gradient was NaN or infinite. It changed no parameter. */
export interface SkippedStep {
  /** Counted from 1. */
  readonly step: number;
  /** The first parameter whose gradient was NaN or infinite, or "loss". */
  readonly place: string;
  /** The learning rate of that step. */
  readonly learningRate: number;
}
