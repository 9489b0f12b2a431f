/** Three decimals, with the minus sign that the page uses. */
export const numberText = (value: number): string =>
  (value + 0)
    .toFixed(3)
    .replace(/^-(0\.0*)$/, "$1")
    .replace("-", "−");

/** A factor of a product: a negative number is in parentheses. */
export const factorText = (value: number): string => (value < 0 ? `(${numberText(value)})` : numberText(value));
