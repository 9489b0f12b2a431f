import { OptionError } from "./errors.ts";

/*
 * Random numbers from integer arithmetic only, so that the CPU and WGSL kernels generate the same bits.
 */

/**
 * PCG-RXS-M-XS on 32 bits as a hash: a bijection of the 32-bit integers. Jarzynski and Olano, "Hash Functions for GPU
 * Rendering", JCGT 9(3), 2020, listing `pcg`; the permutation is O'Neill's (HMC-CS-2014-0905). shaders/random.wgsl
 * contains the same function.
 */
export function pcgHash(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** One 32-bit key from several integers, for the random stream of (seed, step, layer, …). The order matters. */
export function randomKey(...parts: number[]): number {
  return parts.reduce((key, part) => pcgHash((key + part) >>> 0), 0);
}

/**
 * An integer below `count` for each counter under a key, as `drawWindows` computes it on every backend. The smallest
 * integers are more probable by less than count / 2³².
 * @param key an unsigned 32-bit integer, see `randomKey`
 * @param counter an unsigned 32-bit integer
 * @param count a whole number in 1 … 2³²−1
 */
export function drawnBelow(key: number, counter: number, count: number): number {
  return pcgHash((key ^ pcgHash(counter)) >>> 0) % count;
}

/** A seeded random number generator: the hash of a counter under a key. */
export class Random {
  readonly #key: number;
  #counter = 0;

  /** @param parts integers that identify the stream, such as (seed, epoch); the same parts give the same numbers */
  constructor(...parts: number[]) {
    this.#key = randomKey(...parts);
  }

  /** A uniform integer in 0 … 2³²−1. */
  integer(): number {
    return pcgHash((this.#key ^ pcgHash(this.#counter++)) >>> 0);
  }

  /** A uniform number in [low, high), by default [0, 1), with 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.integer() / 2 ** 32);
  }

  /**
   * A uniform integer in 0 … count−1, without modulo bias.
   * @param count a whole number in 1 … 2³²
   * @throws OptionError for another count
   */
  below(count: number): number {
    if (!(Number.isInteger(count) && count >= 1 && count <= 2 ** 32)) {
      throw new OptionError({
        where: "random below",
        what: `${count} is out of range`,
        fix: "Give a whole number in 1 … 4294967296",
      });
    }
    const limit = 2 ** 32 - (2 ** 32 % count);
    let drawn = this.integer();
    while (drawn >= limit) drawn = this.integer();
    return drawn % count;
  }

  /** A normal number (Box and Muller 1958), by default with mean 0 and standard deviation 1. */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log((this.integer() + 1) / 2 ** 32));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A random permutation of 0 … count−1 (Fisher and Yates; Knuth, TAOCP 2, algorithm 3.4.2 P). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const kept = order[last]!;
      order[last] = order[other]!;
      order[other] = kept;
    }
    return order;
  }
}
