/*
 * What WGSL allows its functions of float32: the specification's section "Accuracy of Concrete Floating Point
 * Expressions" (the same numbers as Vulkan's SPIR-V environment, "Precision of SPIR-V Instructions").
 */

/** Half the distance from 1 to the next float32: the error of one rounding to nearest. */
export const UNIT_ROUNDOFF = 2 ** -24;

/** Subnormal numbers may be flushed to zero. */
export const SMALLEST_NORMAL = 2 ** -126;

/** The largest unit in the last place of a number of this size. */
export const ulp = (value: number): number => 2 ** -23 * Math.max(Math.abs(value), SMALLEST_NORMAL);

/** exp(x): 3 + 2 |x| ULP. */
export const expError = (x: number): number => (3 + 2 * Math.abs(x)) * ulp(Math.exp(x));

/** log(x): an absolute 2⁻²¹ for x in [0.5, 2], else 3 ULP. */
export const logError = (x: number): number => (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * ulp(Math.log(x)));

/** a / b = quotient: 2.5 ULP. */
export const divisionError = (quotient: number): number => 2.5 * ulp(quotient);

/** sqrt(x) is inherited from 1 / inverseSqrt(x): 2 ULP plus 2.5 for the division. */
export const sqrtError = (root: number): number => 4.5 * ulp(root);

/**
 * pow(x, y) is inherited from exp2(y · log2(x)): the absolute error of the exponent (log2 as log, and a rounded
 * product) times ln 2, and exp2's 3 + 2 |exponent| ULP.
 */
export function powError(x: number, y: number): number {
  if (x === 0) return 0;
  const logarithm = Math.log2(x);
  const exponent = y * logarithm;
  const inExponent = Math.abs(y) * (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * ulp(logarithm)) + ulp(exponent);
  const power = x ** y;
  return power * Math.LN2 * inExponent + (3 + 2 * Math.abs(exponent)) * ulp(power);
}
