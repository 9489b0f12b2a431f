/** Where a run stands. Loss and accuracy are means over the steps since the event before. */
export interface TrainingProgress {
  /** The last finished step that the event describes, counted from 1. */
  readonly step: number;
  readonly totalSteps: number;
  /** The epoch of that step, counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The mean loss, as it is, also where it is not finite. */
  readonly loss: number;
  /** The share of right predictions before each step's update, in [0, 1]; NaN of quantities. */
  readonly accuracy: number;
  /** The mean norm of the gradients before they are clipped, where the trainer measures it. */
  readonly gradientNorm?: number;
  /** The rate of that step. */
  readonly learningRate: number;
  /** Tells how far an aborted call got; the next call's first event tells of these steps again. */
  readonly interim?: true;
  /** Steps since the event before whose updates were left out, where that was asked for. */
  readonly skipped: readonly SkippedStep[];
  /**
   * Wall time of this call of fit, from its first submit to the last completion. Shuffling and uploads are inside, and
   * so is what the caller does between events if it holds training up.
   */
  readonly seconds: number;
  /** Examples of the finished steps of this call over `seconds`. */
  readonly examplesPerSecond: number;
}

/** A step whose loss or gradient was not finite, and which changed no parameter. */
export interface SkippedStep {
  /** Counted from 1. */
  readonly step: number;
  /** The first parameter whose gradient was not finite, or "loss". */
  readonly place: string;
  /** The rate of that step. */
  readonly learningRate: number;
}
