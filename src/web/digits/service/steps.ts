import type { TrainingProgress } from "../../../index.ts";
import type { ProgressEvent } from "../contract.ts";

/** Collects finished steps until they are reported to the page. */
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
   * The steps since the previous call; undefined if there are none.
   * @param secondsBefore the time spent training before this call of `fit`
   * @param epochsAt the epochs finished at the end of a step
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
