/** What several measurements of the same thing say; in the unit of the measurements, seconds throughout the report. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly samples: number;
}

/**
 * The value below which a share of the samples lies, interpolated between neighbours (Hyndman and Fan 1996,
 * definition 7).
 * @param sorted in ascending order, at least one
 * @param share in [0, 1]
 */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [low, high] = [sorted[below]!, sorted[Math.ceil(position)]!];
  return low + (high - low) * (position - below);
}

/** Median and quartiles of samples, at least one. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    samples: samples.length,
  };
}

/** Half the distance of the quartiles as a share of the median. */
export function relativeSpread({ median, lowerQuartile, upperQuartile }: Spread): number {
  return median > 0 ? (upperQuartile - lowerQuartile) / (2 * median) : 0;
}

export type Change = "slower" | "faster" | "same";

/** How a time changed: it is the same as long as the middle halves of both measurements overlap. */
export function changeOf(before: Spread, now: Spread): Change {
  if (now.lowerQuartile > before.upperQuartile) return "slower";
  return now.upperQuartile < before.lowerQuartile ? "faster" : "same";
}
