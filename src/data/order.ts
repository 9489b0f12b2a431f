import { OptionError } from "../errors.ts";
import { Random } from "../random.ts";

/** Separates the random streams of the orders ("or") from other uses of the same seed. */
const orderStream = 0x6f72;

/**
 * The order in which an epoch visits the examples: a uniformly random permutation of 0 … count−1. It depends only on
 * the arguments, so an interrupted run can continue in the same order.
 * @param count number of examples
 * @param seed the seed of the run, an integer
 * @param epoch the epoch, an integer from 0
 * @throws OptionError for an invalid count
 */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  if (!(Number.isInteger(count) && count >= 0 && count < 2 ** 31)) {
    const fix = "Give a whole number in 0 … 2147483647";
    throw new OptionError({ where: "epochOrder", what: `${count} is not a number of examples`, fix });
  }
  return new Random(orderStream, seed, epoch).permutation(count);
}
