/*
 * What a character costs without a network. Runs in the worker.
 */
import { IGNORED_TOKEN } from "../../../index.ts";
import type { References } from "../contract.ts";

/** Tokens, each with the one that follows it or `IGNORED_TOKEN`. */
export interface Pairs {
  readonly tokens: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/** −Σ p log₂ p of the frequencies of counts. */
function entropy(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)), 0);
}

/**
 * The entropy, in bits per character, of the targets: uniform over the vocabulary; H(target), their unigrams; and
 * H(token, target) − H(token), their bigrams. They are those of the given text itself, so a model of unigrams or bigrams has
 * at least this loss on it.
 */
export function referencesOf({ tokens, targets }: Pairs, vocabulary: number): References {
  const [before, after] = [new Float64Array(vocabulary), new Float64Array(vocabulary)];
  const both = new Float64Array(vocabulary ** 2);
  for (let index = 0; index < tokens.length; index++) {
    const [token, target] = [tokens[index]!, targets[index]!];
    if (target === IGNORED_TOKEN) continue;
    before[token]!++;
    after[target]!++;
    both[token * vocabulary + target]!++;
  }
  return { uniform: Math.log2(vocabulary), unigram: entropy(after), bigram: entropy(both) - entropy(before) };
}
