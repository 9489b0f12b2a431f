/*
 * The error function in float64: W. J. Cody, "Rational Chebyshev approximations for the error function",
 * Mathematics of Computation 23 (1969), with the coefficients of his CALERF (SPECFUN); relative error about 1e-16.
 */

const SMALL = {
  numerator: [
    1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3,
  ],
  denominator: [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
};

const MIDDLE = {
  numerator: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
  ],
  denominator: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
};

const LARGE = {
  numerator: [
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
  ],
  denominator: [
    1, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
  ],
};

const polynomial = (coefficients: readonly number[], x: number) => coefficients.reduce((sum, c) => sum * x + c, 0);

const rational = ({ numerator, denominator }: typeof SMALL, x: number) =>
  polynomial(numerator, x) / polynomial(denominator, x);

/** From here on, 1 − erf(x) is 0 in float64. */
const NOTHING_LEFT = 27;

/** 1 − erf(x), accurate for small results; 0 above 26.6. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size > NOTHING_LEFT) return x < 0 ? 2 : 0;
  if (size <= 0.46875) return 1 - x * rational(SMALL, x * x);
  const tail = size <= 4 ? rational(MIDDLE, size) : largeTail(size);
  const value = expOfNegativeSquare(size) * tail;
  return x < 0 ? 2 - value : value;
}

/**
 * e^(−size²). Rounding size² would cause a relative error of size² · 2⁻⁵³, so a part with an exact square is split off.
 */
function expOfNegativeSquare(size: number): number {
  const exact = Math.trunc(size * 16) / 16;
  return Math.exp(-exact * exact) * Math.exp(-(size - exact) * (size + exact));
}

function largeTail(size: number): number {
  const inverse = 1 / (size * size);
  return (1 / Math.sqrt(Math.PI) - inverse * rational(LARGE, inverse)) / size;
}
