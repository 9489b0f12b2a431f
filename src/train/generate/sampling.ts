import { DataError } from "../../errors.ts";
import { Random } from "../../random.ts";
import { requireCount, requireNumber, requireSeed } from "../../nn/checks.ts";

/** How a token is drawn from the logits of a model. */
export interface SamplingOptions {
  /**
   * The logits are divided by it: below 1 the likely tokens become more likely. 0 takes the most likely token. 1 by
   * default.
   */
  readonly temperature?: number;
  /** Only the `topK` most likely tokens can be drawn; all by default. */
  readonly topK?: number;
  /**
   * Only the most likely tokens can be drawn whose probabilities add up to at least `topP`, in (0, 1] (nucleus sampling;
   * Holtzman et al. 2020, arXiv 1904.09751). It is applied after the temperature and `topK`. 1 by default.
   */
  readonly topP?: number;
  /** The seed of the draws, a whole number in 0 … 2³²−1; 1 by default. */
  readonly seed?: number;
}

/** Separates the draws of tokens ("gn") from other uses of the same seed. */
const drawStream = 0x676e;

/** @throws OptionError for an option outside its range */
export function requireSampling({ temperature = 1, topK = 1, topP = 1, seed = 1 }: SamplingOptions): void {
  requireNumber(
    "temperature",
    temperature,
    temperature >= 0 && temperature < Infinity,
    "a finite number of at least 0",
  );
  requireCount("topK", topK);
  requireNumber("topP", topP, topP > 0 && topP <= 1, "a number in (0, 1]");
  requireSeed("seed", seed);
}

/**
 * Draws a token. The draw depends only on the logits, the options and the number of the token.
 * @param position the number of generated tokens before this one
 * @throws DataError for logits that are not finite
 */
export function sampleToken(logits: ArrayLike<number>, options: SamplingOptions, position: number): number {
  const { temperature = 1, topK = logits.length, topP = 1, seed = 1 } = options;
  const wrong = Array.prototype.findIndex.call(logits, (logit: number) => !Number.isFinite(logit));
  if (wrong >= 0) {
    const what = `the logit of token ${wrong} is ${logits[wrong]}`;
    throw new DataError({ where: "generate", what, fix: "Train the model with a smaller learning rate" });
  }
  // Equally likely tokens are in the order of their numbers.
  const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (temperature === 0) return order[0]!;
  const largest = logits[order[0]!]!;
  const weights = order.slice(0, topK).map((token) => Math.exp((logits[token]! - largest) / temperature));
  const kept = nucleus(weights, topP);
  let left = new Random(drawStream, seed, position).uniform() * kept.reduce((sum, weight) => sum + weight, 0);
  for (const [place, weight] of kept.entries()) {
    left -= weight;
    if (left < 0) return order[place]!;
  }
  return order[kept.length - 1]!;
}

/** The first weights that add up to a share of all; at least one. */
function nucleus(weights: readonly number[], share: number): readonly number[] {
  if (share === 1) return weights;
  const wanted = share * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const end = weights.findIndex((weight) => (sum += weight) >= wanted);
  return end < 0 ? weights : weights.slice(0, end + 1);
}
