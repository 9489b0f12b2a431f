/* Numbers as the tab writes them, of constant width where they change. */

/** A loss or a parameter: four digits after the point, or a power of ten where that says nothing. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1000)) return value.toFixed(4).replace("-", "−");
  return value.toExponential(2).replaceAll("-", "−");
}
