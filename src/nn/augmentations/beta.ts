/**
 * Numbers that a variable with the distribution Beta(α, α) exceeds with equally spaced probabilities: the quantiles of
 * (i + ½) / count. A uniform choice among them has that distribution up to this resolution.
 * @param alpha above 0
 * @param count even
 */
export function betaQuantiles(alpha: number, count: number): number[] {
  // The distribution is symmetric around ½. Below ½, with x = t^(1/p), the density of t is finite at 0 for any α.
  const p = Math.min(alpha, 1);
  const density = (t: number) => t ** ((alpha - p) / p) * (2 - 2 * t ** (1 / p)) ** (alpha - 1);
  const largest = 0.5 ** p;
  const width = largest / INTERVALS;
  const areas = [0];
  for (let interval = 0; interval < INTERVALS; interval++)
    areas.push(areas.at(-1)! + density((interval + 0.5) * width) * width);
  const half = areas.at(-1)!;
  const lower: number[] = [];
  let interval = 0;
  for (let index = 0; index < count / 2; index++) {
    const wanted = ((2 * (index + 0.5)) / count) * half;
    while (areas[interval + 1]! < wanted) interval++;
    const share = (wanted - areas[interval]!) / (areas[interval + 1]! - areas[interval]!);
    lower.push(((interval + share) * width) ** (1 / p));
  }
  return [...lower, ...lower.map((value) => 1 - value).reverse()];
}

/** The number of intervals of the numerical integral. */
const INTERVALS = 2 ** 14;
