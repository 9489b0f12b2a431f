/*
 * Training that went wrong with finite numbers: after steps that were too long, the network guesses, and surely so.
 */
import { rounded } from "../../shared/format.ts";

/** Steps that are looked at together. */
const WINDOW = 100;

/** The share of right answers of a network that has learned something; one of ten digits is guessed right by chance. */
const BETTER_THAN_CHANCE = 0.15;

/** A loss this many times the first one has risen, and not by the chance of its batches. */
const RISE = 1.1;

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Watches the steps of one network. */
export class DivergenceWatch {
  #first: number | undefined;
  #losses: number[] = [];
  #accuracies: number[] = [];
  #told = false;

  /** @returns what to say where the training has diverged, once */
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
