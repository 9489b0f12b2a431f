import type { TrainingProgress } from "../../../index.ts";
import type { ProgressEvent } from "../contract.ts";

/** Steps that were made and not yet told of. */
export class NewSteps {
  #losses: number[] = [];
  #accuracies: number[] = [];
  #last: TrainingProgress | undefined;

  add(progress: TrainingProgress): void {
    this.#losses.push(progress.loss);
    this.#accuracies.push(progress.accuracy);
    this.#last = progress;
  }

  /**
   * What is new, once.
   * @param secondsBefore time spent training before this call of fit
   * @param epochsAt the epochs made with a step
   */
  take(secondsBefore: number, epochsAt: (step: number) => number): ProgressEvent | undefined {
    if (!this.#last) return undefined;
    const { step, seconds, learningRate, examplesPerSecond } = this.#last;
    const epoch = Math.max(1, Math.ceil(epochsAt(step) - 1e-9));
    const [losses, accuracies] = [Float32Array.from(this.#losses), Float32Array.from(this.#accuracies)];
    this.#losses = [];
    this.#accuracies = [];
    this.#last = undefined;
    return {
      kind: "progress",
      step,
      losses,
      accuracies,
      seconds: secondsBefore + seconds,
      epoch,
      learningRate,
      examplesPerSecond,
    };
  }
}
