/*
 * Detects training that has diverged although the loss is finite: after too large steps, the network is confident but no
 * better than chance.
 */
import { rounded } from "../../shared/format.ts";

/** The number of last steps to average. */
const WINDOW = 100;

/** A network with a higher accuracy has learned something. Chance gives 0.1. */
const BETTER_THAN_CHANCE = 0.15;

/** A loss of this many times the first one has risen by more than the noise of the batches. */
const RISE = 1.1;

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Watches the training of one network. */
export class DivergenceWatch {
  #first: number | undefined;
  #losses: number[] = [];
  #accuracies: number[] = [];
  #told = false;

  /** @returns a message if the training has diverged; only once */
  add(losses: ArrayLike<number>, accuracies: ArrayLike<number>, learningRate: number): string | undefined {
    for (let index = 0; index < losses.length; index++) {
      this.#first ??= losses[index]!;
      this.#losses.push(losses[index]!);
      this.#accuracies.push(accuracies[index]!);
    }
    this.#losses = this.#losses.slice(-WINDOW);
    this.#accuracies = this.#accuracies.slice(-WINDOW);
    if (this.#told || this.#losses.length < WINDOW) return undefined;
    const [loss, first, accuracy] = [meanOf(this.#losses), this.#first!, meanOf(this.#accuracies)];
    if (accuracy > BETTER_THAN_CHANCE || !(loss > RISE * first)) return undefined;
    this.#told = true;
    return (
      `The training has diverged: over the last ${WINDOW} steps, the accuracy was ${Math.round(100 * accuracy)} %, no better than chance, ` +
      `and the loss rose from ${rounded(first)} to ${rounded(loss)}. The learning rate ${rounded(learningRate)} is too high: choose a lower one and reset.`
    );
  }
}
