import { percent } from "../../text.ts";

export { percent, scaled } from "../../text.ts";

/** As wide as a digit. */
const FIGURE_SPACE = "\u2007";

/** A percentage that is always as wide as that of 1, so that nothing moves when it changes. */
export const evenPercent = (share: number, decimals = 0): string =>
  percent(share, decimals).padStart(percent(1, decimals).length, FIGURE_SPACE);

/** Three significant digits, with an exponent only for very small and very large numbers. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-4 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}
