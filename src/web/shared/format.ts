export { percent, scaled } from "../../text.ts";

/** Three significant digits, with an exponent only for very small and very large numbers. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-4 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}
