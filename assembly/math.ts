/*
 * Functions of four float32 numbers. NaN gives NaN. Errors are given in units in the last place (ulp) of the correct
 * result and hold for all inputs, including subnormal inputs and results. test/backends/wasm-math.test.ts checks them.
 */

function multiplyAdd(a: v128, b: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(a, b), f32x4.splat(c));
}

/** x · 2ⁿ for integers n from -252 to 254, rounded once, also if the result is subnormal. */
function scale(x: v128, n: v128): v128 {
  const half = i32x4.shr_s(n, 1);
  const first = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23);
  const second = i32x4.shl(i32x4.add(i32x4.sub(n, half), i32x4.splat(127)), 23);
  return f32x4.mul(f32x4.mul(x, first), second);
}

/** Adding this to a number below 2²² leaves the nearest integer in the lowest bits. */
const ROUNDING: f32 = 12582912;

/** e^(x + rest), with rest much smaller than 1 and x between -104 and 89. */
function expOfSum(x: v128, rest: v128): v128 {
  const shifted = multiplyAdd(x, f32x4.splat(Mathf.LOG2E), ROUNDING);
  const n = f32x4.sub(shifted, f32x4.splat(ROUNDING));
  // ln 2 split in two (Cody and Waite). The first part has few enough bits that its product with n is exact.
  const high = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  const r = f32x4.add(f32x4.sub(high, f32x4.mul(n, f32x4.splat(-2.1219444e-4))), rest);
  // The polynomial of expf in Cephes.
  let y = multiplyAdd(f32x4.splat(1.98756915e-4), r, 1.3981999507e-3);
  y = multiplyAdd(y, r, 8.3334519073e-3);
  y = multiplyAdd(y, r, 4.1665795894e-2);
  y = multiplyAdd(y, r, 1.6666665459e-1);
  y = multiplyAdd(y, r, 5.0000001201e-1);
  y = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(y, r), r), r), f32x4.splat(1));
  return scale(y, i32x4.sub(shifted, f32x4.splat(ROUNDING)));
}

/** Clamps to [low, high]. NaN stays NaN. */
function clamp(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high));
}

/** e^x; error below 1 ulp. */
export function exp4(x: v128): v128 {
  return expOfSum(clamp(x, -104, 89), f32x4.splat(0));
}

/**
 * The natural logarithm: −infinity for 0, NaN for negative numbers (musl's logf, which is based on FreeBSD's). The
 * error is below 0.85 ulp.
 */
export function log4(x: v128): v128 {
  const isSubnormal = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, isSubnormal);
  // The exponent that goes with a mantissa between √½ and √2.
  const shifted = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(isSubnormal, i32x4.splat(23)));
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(mantissa, f32x4.splat(1));
  const s = f32x4.div(f, f32x4.add(f, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  const w = f32x4.mul(z, z);
  const even = f32x4.mul(w, multiplyAdd(w, f32x4.splat(0.24279078841), 0.40000972152));
  const odd = f32x4.mul(z, multiplyAdd(w, f32x4.splat(0.28498786688), 0.66666662693));
  const halfSquare = f32x4.mul(f32x4.mul(f, f), f32x4.splat(0.5));
  const k = f32x4.convert_i32x4_s(exponent);
  const series = f32x4.mul(s, f32x4.add(halfSquare, f32x4.add(even, odd)));
  const low = f32x4.sub(f32x4.add(series, f32x4.mul(k, f32x4.splat(9.0580006145e-6))), halfSquare);
  const found = f32x4.add(f32x4.add(low, f), f32x4.mul(k, f32x4.splat(6.9313812256e-1)));
  // 0, negative numbers, infinity and NaN.
  const atLimits = v128.bitselect(f32x4.splat(-Infinity), x, f32x4.eq(x, f32x4.splat(0)));
  const isOrdinary = v128.and(f32x4.gt(x, f32x4.splat(0)), f32x4.lt(x, f32x4.splat(Infinity)));
  const result = v128.bitselect(found, atLimits, isOrdinary);
  return v128.or(result, f32x4.lt(x, f32x4.splat(0)));
}

/** The hyperbolic tangent (Cephes, tanhf); error below 1.4 ulp. */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const e = exp4(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const s = f32x4.mul(x, x);
  let y = multiplyAdd(f32x4.splat(-5.70498872745e-3), s, 2.06390887954e-2);
  y = multiplyAdd(y, s, -5.37397155531e-2);
  y = multiplyAdd(y, s, 1.33314422036e-1);
  y = multiplyAdd(y, s, -3.33332819422e-1);
  const near = f32x4.add(f32x4.mul(f32x4.mul(y, s), x), x);
  const signed = v128.or(far, v128.and(x, i32x4.splat(i32.MIN_VALUE)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/**
 * The probability that a standard normal variable is below x, erfc(−x / √2) / 2. The tail is e^(−x²/2) times a
 * polynomial in (|x| − 3) / (|x| + 3), fitted by least squares at Chebyshev nodes (relative error 1.0e-8). The error is
 * below 8 ulp.
 */
export function normalBelow4(x: v128): v128 {
  const size = f32x4.pmin(f32x4.abs(x), f32x4.splat(14.5));
  const q = f32x4.div(f32x4.sub(size, f32x4.splat(3)), f32x4.add(size, f32x4.splat(3)));
  let y = multiplyAdd(f32x4.splat(5.35880608e-5), q, 0.000115250637);
  y = multiplyAdd(y, q, -0.000339574704);
  y = multiplyAdd(y, q, -0.000983490609);
  y = multiplyAdd(y, q, 0.00290465239);
  y = multiplyAdd(y, q, 0.00613198662);
  y = multiplyAdd(y, q, -0.0462133102);
  y = multiplyAdd(y, q, 0.123225041);
  y = multiplyAdd(y, q, -0.206402615);
  y = multiplyAdd(y, q, 0.121513948);
  // x² as an exact square plus a rest. Rounding x² to one number would cause a relative error of x² ulp.
  const exact = v128.and(size, i32x4.splat(-4096));
  const square = f32x4.mul(f32x4.mul(exact, exact), f32x4.splat(-0.5));
  const rest = f32x4.mul(f32x4.mul(f32x4.sub(size, exact), f32x4.add(size, exact)), f32x4.splat(-0.5));
  const tail = f32x4.mul(y, expOfSum(clamp(square, -104, 89), rest));
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}

function multiplyAdd64(a: v128, b: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(a, b), f64x2.splat(c));
}

/** Like ROUNDING, for float64 numbers below 2⁵¹. */
const ROUNDING64: f64 = 6755399441055744;

/** 2^(y · (k + log2(m))) for two mantissas from √½ to √2. Computes in float64 and returns two float32 numbers. */
function powPair(mantissa: v128, k: v128, y: v128): v128 {
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
  const z = f64x2.mul(s, s);
  // The series of artanh; z is below 0.0295.
  let sum = multiplyAdd64(f64x2.splat(1.0 / 15.0), z, 1.0 / 13.0);
  sum = multiplyAdd64(sum, z, 1.0 / 11.0);
  sum = multiplyAdd64(sum, z, 1.0 / 9.0);
  sum = multiplyAdd64(sum, z, 1.0 / 7.0);
  sum = multiplyAdd64(sum, z, 1.0 / 5.0);
  sum = multiplyAdd64(sum, z, 1.0 / 3.0);
  sum = multiplyAdd64(sum, z, 1.0);
  const logarithm = f64x2.mul(f64x2.mul(sum, s), f64x2.splat(2.0 * Math.LOG2E));
  let t = f64x2.mul(y, f64x2.add(k, logarithm));
  t = f64x2.pmin(f64x2.pmax(t, f64x2.splat(-200)), f64x2.splat(200));
  const shifted = f64x2.add(t, f64x2.splat(ROUNDING64));
  const r = f64x2.mul(f64x2.sub(t, f64x2.sub(shifted, f64x2.splat(ROUNDING64))), f64x2.splat(Math.LN2));
  // The series of e^r; |r| is below 0.35.
  let e = multiplyAdd64(f64x2.splat(1.0 / 40320.0), r, 1.0 / 5040.0);
  e = multiplyAdd64(e, r, 1.0 / 720.0);
  e = multiplyAdd64(e, r, 1.0 / 120.0);
  e = multiplyAdd64(e, r, 1.0 / 24.0);
  e = multiplyAdd64(e, r, 1.0 / 6.0);
  e = multiplyAdd64(e, r, 0.5);
  e = multiplyAdd64(e, r, 1.0);
  e = multiplyAdd64(e, r, 1.0);
  const exponent = i64x2.sub(shifted, f64x2.splat(ROUNDING64));
  const power = i64x2.shl(i64x2.add(exponent, i64x2.splat(1023)), 52);
  return f32x4.demote_f64x2_zero(f64x2.mul(e, power));
}

/**
 * x^y for y other than 0. Gives NaN for negative x and |x|^y for infinite x, like the WGSL function `power`. The error
 * is below 0.51 ulp.
 */
export function pow4(x: v128, y: v128): v128 {
  const isSubnormal = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const normal = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, isSubnormal);
  const shifted = i32x4.sub(normal, i32x4.splat(0x3f3504f3));
  const k = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(isSubnormal, i32x4.splat(23)));
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const low = powPair(f64x2.promote_low_f32x4(mantissa), f64x2.convert_low_i32x4_s(k), f64x2.promote_low_f32x4(y));
  const high = powPair(
    f64x2.promote_low_f32x4(v128.shuffle<i64>(mantissa, mantissa, 1, 1)),
    f64x2.convert_low_i32x4_s(v128.shuffle<i64>(k, k, 1, 1)),
    f64x2.promote_low_f32x4(v128.shuffle<i64>(y, y, 1, 1)),
  );
  const found = v128.shuffle<i64>(low, high, 0, 2);
  const size = f32x4.abs(x);
  const inverse = f32x4.div(f32x4.splat(1), size);
  const isNegative = f32x4.lt(y, f32x4.splat(0));
  // For |x| of 0, infinity or NaN, the power is |x|, or its inverse if y is negative.
  const atLimits = v128.bitselect(inverse, size, isNegative);
  const isOrdinary = v128.and(f32x4.gt(size, f32x4.splat(0)), f32x4.lt(size, f32x4.splat(Infinity)));
  const isUndefined = v128.and(f32x4.lt(x, f32x4.splat(0)), isOrdinary);
  return v128.or(v128.bitselect(found, atLimits, isOrdinary), isUndefined);
}

/** x − n · π/2 in float64. π/2 is split in two, and the first part has 33 bits. */
function lessTurns(x: v128, n: v128): v128 {
  const rest = f64x2.sub(x, f64x2.mul(n, f64x2.splat(1.57079632673412561417)));
  return f64x2.sub(rest, f64x2.mul(n, f64x2.splat(6.07710050650619224932e-11)));
}

/** The sine of x plus a number of quarter turns (the polynomials of sinf and cosf in Cephes). */
function sinOfTurned(x: v128, turns: i32): v128 {
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
  const lowTurns = f64x2.nearest(f64x2.mul(low, f64x2.splat(2 / Math.PI)));
  const highTurns = f64x2.nearest(f64x2.mul(high, f64x2.splat(2 / Math.PI)));
  const lowRest = f32x4.demote_f64x2_zero(lessTurns(low, lowTurns));
  const highRest = f32x4.demote_f64x2_zero(lessTurns(high, highTurns));
  const r = v128.shuffle<i64>(lowRest, highRest, 0, 2);
  const lowQuarter = i32x4.trunc_sat_f64x2_s_zero(lowTurns);
  const highQuarter = i32x4.trunc_sat_f64x2_s_zero(highTurns);
  const quarter = i32x4.add(v128.shuffle<i64>(lowQuarter, highQuarter, 0, 2), i32x4.splat(turns));
  const z = f32x4.mul(r, r);
  let sine = multiplyAdd(f32x4.splat(-1.9515295891e-4), z, 8.3321608736e-3);
  sine = multiplyAdd(sine, z, -1.6666654611e-1);
  sine = f32x4.add(f32x4.mul(f32x4.mul(sine, z), r), r);
  let cosine = multiplyAdd(f32x4.splat(2.443315711809948e-5), z, -1.388731625493765e-3);
  cosine = multiplyAdd(cosine, z, 4.166664568298827e-2);
  cosine = f32x4.add(f32x4.sub(f32x4.mul(f32x4.mul(cosine, z), z), f32x4.mul(z, f32x4.splat(0.5))), f32x4.splat(1));
  const isOdd = i32x4.eq(v128.and(quarter, i32x4.splat(1)), i32x4.splat(1));
  const sign = i32x4.shl(v128.and(quarter, i32x4.splat(2)), 30);
  return v128.xor(v128.bitselect(cosine, sine, isOdd), sign);
}

/**
 * The sine of an angle in radians. The error is below 1.5 ulp up to ±10⁶. Larger angles are reduced with a relative
 * error of 2⁻⁵³.
 */
export function sin4(x: v128): v128 {
  return sinOfTurned(x, 0);
}

/** The cosine, with the same errors as `sin4`. */
export function cos4(x: v128): v128 {
  return sinOfTurned(x, 1);
}

function remainderPair(a: v128, b: v128): v128 {
  const infinite = f64x2.eq(f64x2.abs(b), f64x2.splat(Infinity));
  const found = f64x2.sub(a, f64x2.mul(b, f64x2.trunc(f64x2.div(a, b))));
  // The remainder of a finite number divided by infinity is the number itself.
  const rest = v128.bitselect(f64x2.add(a, f64x2.sub(a, a)), found, infinite);
  const zero = f64x2.splat(0);
  const differs = v128.and(f64x2.ne(rest, zero), v128.xor(f64x2.lt(rest, zero), f64x2.lt(b, zero)));
  return f32x4.demote_f64x2_zero(v128.bitselect(f64x2.add(rest, b), rest, differs));
}

/** The remainder of a / b with the sign of b, exact up to rounding if the quotient is below 2²⁹. */
export function remainder4(a: v128, b: v128): v128 {
  const low = remainderPair(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b));
  const highA = f64x2.promote_low_f32x4(v128.shuffle<i64>(a, a, 1, 1));
  const highB = f64x2.promote_low_f32x4(v128.shuffle<i64>(b, b, 1, 1));
  return v128.shuffle<i64>(low, remainderPair(highA, highB), 0, 2);
}
