/*
 * Detects training that diverged with finite numbers: after steps that were too long, the network is confident but no
 * better than chance.
 */
import { rounded } from "../../shared/format.ts";

/** The number of last steps to average. */
const WINDOW = 100;

/** A network with a higher accuracy has learned something; chance alone gives 0.1. */
const BETTER_THAN_CHANCE = 0.15;

/** If the loss is this many times the first one, it has risen, and not just by the noise of the batches. */
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
      `The training has diverged: over the last ${WINDOW} steps ${Math.round(100 * accuracy)} % of the answers were right, as by chance, ` +
      `and the loss is ${rounded(loss)}, where it began with ${rounded(first)}. The learning rate ${rounded(learningRate)} is too high: choose a lower one and reset.`
    );
  }
}
