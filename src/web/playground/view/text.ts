/*
 * Numbers as the Playground shows them, with a constant width.
 */

/** A loss or a parameter: four decimals, or an exponent for very small and very large values. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1000)) return value.toFixed(4).replace("-", "−");
  return value.toExponential(2).replaceAll("-", "−");
}
