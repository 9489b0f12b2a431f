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
   */
  take(secondsBefore: number): ProgressEvent | undefined {
    if (!this.#last) return undefined;
    const { step, seconds, epoch, learningRate, imagesPerSecond } = this.#last;
    const [losses, accuracies] = [Float32Array.from(this.#losses), Float32Array.from(this.#accuracies)];
    this.#losses = [];
    this.#accuracies = [];
    this.#last = undefined;
    return { kind: "progress", step, losses, accuracies, seconds: secondsBefore + seconds, epoch, learningRate, imagesPerSecond };
  }
}
