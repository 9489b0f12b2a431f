/** The median and quartiles of several samples, in their unit (seconds in reports). */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly samples: number;
}

/**
 * A quantile, interpolated linearly between samples (Hyndman and Fan 1996, definition 7).
 * @param sorted samples in ascending order, at least one
 * @param share the probability, in [0, 1]
 */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [low, high] = [sorted[below]!, sorted[Math.ceil(position)]!];
  return low + (high - low) * (position - below);
}

/** Median and quartiles of at least one sample. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    samples: samples.length,
  };
}

/** Half the interquartile range as a fraction of the median. */
export function relativeSpread({ median, lowerQuartile, upperQuartile }: Spread): number {
  return median > 0 ? (upperQuartile - lowerQuartile) / (2 * median) : 0;
}

export type Change = "slower" | "faster" | "same";

/** Compares two times: they are the same if their interquartile ranges overlap. */
export function changeOf(before: Spread, now: Spread): Change {
  if (now.lowerQuartile > before.upperQuartile) return "slower";
  return now.upperQuartile < before.lowerQuartile ? "faster" : "same";
}
