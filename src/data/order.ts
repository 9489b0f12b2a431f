import { OptionError } from "../errors.ts";
import { Random } from "../random.ts";

/** Names the random streams of the epochs' orders ("or"), apart from those of other uses of the same seed. */
const orderStream = 0x6f72;

/**
 * The order in which an epoch visits the examples: a uniformly random permutation of 0 … count−1 that depends only on
 * its arguments, so a run that was interrupted goes on in the same order.
 * @param count number of examples.
 * @param seed the run's seed, an integer.
 * @param epoch the epoch's number, an integer from 0.
 * @throws OptionError for a count that is none
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  if (!(Number.isInteger(count) && count >= 0 && count < 2 ** 31)) {
    const fix = "Give a whole number in 0 … 2147483647";
    throw new OptionError({ where: "epochOrder", what: `${count} is no number of examples`, fix });
  }
  return new Random(orderStream, seed, epoch).permutation(count);
}
