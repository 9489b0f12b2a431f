/*
 * Small synthetic data sets: two classes in the plane, and noisy curves. All values lie in about −1 … 1 along each
 * axis. Points are drawn from the seed, so another seed gives a test set of the same problem. The random numbers do not
 * depend on the noise level, so changing only the noise moves each point along a fixed direction.
 */
import { OptionError } from "../errors.ts";
import { Random } from "../random.ts";
import {
  makeClassificationDataset,
  makeRegressionDataset,
  type ClassificationDataset,
  type RegressionDataset,
} from "./dataset.ts";

/** Options of all generators. */
export interface PointsOptions {
  /** Number of points, at least 1; 200 by default. A larger set starts with the same points. */
  readonly count?: number;
  /** Standard deviation of the normal noise, at least 0; 0.1 by default, and 0 for `linear`. */
  readonly noise?: number;
  /** An integer in 0 … 2³²−1; 1 by default. */
  readonly seed?: number;
}

/** Separates the random streams of points ("po") from other uses of the same seed. */
const POINTS_STREAM = 0x706f;

function checked({ count = 200, noise = 0.1, seed = 1 }: PointsOptions): Required<PointsOptions> {
  const refuse = (where: string, value: unknown, fix: string) =>
    new OptionError({ where: `points ${where}`, what: `${String(value)} is out of range`, fix });
  if (!Number.isSafeInteger(count) || count < 1) throw refuse("count", count, "Give a whole number of at least 1");
  if (!(noise >= 0 && noise < Infinity)) throw refuse("noise", noise, "Give a finite number of at least 0");
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw refuse("seed", seed, "Give a whole number in 0 … 4294967295");
  }
  return { count, noise, seed };
}

/** Draws a point of a class, without noise. */
type Draw = (label: number, random: Random) => readonly [x: number, y: number];

/** Points of the two classes in alternation, with independent noise on both coordinates. */
function classes(name: string, options: PointsOptions, draw: Draw): ClassificationDataset {
  const { count, noise, seed } = checked(options);
  const random = new Random(POINTS_STREAM, seed);
  const labels = Uint32Array.from({ length: count }, (_, index) => index % 2);
  const features = new Float32Array(2 * count);
  labels.forEach((label, index) => {
    const place = draw(label, random);
    features.set(
      place.map((value) => value + random.normal(0, noise)),
      2 * index,
    );
  });
  return makeClassificationDataset({ name, features, shape: [2], labels, classes: ["0", "1"] });
}

/**
 * The line between the classes of `linear`: its normal, its distance from the origin, and half the width of the gap.
 */
const boundary = { normal: [0.6, 0.8], distance: 0.15, margin: 0.12 } as const;

/**
 * Two classes separated by the line 0.6 x + 0.8 y = 0.15, uniform in the square −1 … 1 except for a gap of width 0.24.
 * Without noise, the default, the classes are linearly separable; noise moves points across the line.
 * @returns shape [2], classes "0" (below the line) and "1" (above) in alternation
 * @throws OptionError for an option outside its range
 */
export function linear(options: PointsOptions = {}): ClassificationDataset {
  return classes("linear", { noise: 0, ...options }, (label, random) => {
    for (;;) {
      const place = [random.uniform(-1, 1), random.uniform(-1, 1)] as const;
      const above = boundary.normal[0] * place[0] + boundary.normal[1] * place[1] - boundary.distance;
      if ((label === 1 ? above : -above) >= boundary.margin) return place;
    }
  });
}

/**
 * The four quadrants of the square −1 … 1, with a margin of 0.1 along both axes: class "1" where x and y have different
 * signs. The classes are not linearly separable, so a single neuron cannot learn them (Minsky and Papert 1969).
 * @returns shape [2], the two classes in alternation
 * @throws OptionError for an option outside its range
 */
export function xor(options: PointsOptions = {}): ClassificationDataset {
  return classes("xor", options, (label, random) => {
    const side = random.below(2) === 0 ? -1 : 1;
    return [side * random.uniform(0.1, 1), (label === 1 ? -side : side) * random.uniform(0.1, 1)];
  });
}

/**
 * Two circles around the origin, with radius 0.9 (class "0") and 0.4 (class "1").
 * @returns shape [2], the two classes in alternation
 * @throws OptionError for an option outside its range
 */
export function circles(options: PointsOptions = {}): ClassificationDataset {
  return classes("circles", options, (label, random) => {
    const angle = random.uniform(0, 2 * Math.PI);
    const radius = label === 1 ? 0.4 : 0.9;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/**
 * Two interleaving half circles: the upper one (class "0") centered at (−1/3, −1/6) and the lower one (class "1") at
 * (1/3, 1/6), both with radius 2/3. The shape is that of scikit-learn's make_moons, centered and scaled to the square.
 * @returns shape [2], the two classes in alternation
 * @throws OptionError for an option outside its range
 */
export function moons(options: PointsOptions = {}): ClassificationDataset {
  return classes("moons", options, (label, random) => {
    const angle = random.uniform(0, Math.PI);
    const side = label === 1 ? -1 : 1;
    return [side * ((2 / 3) * Math.cos(angle) - 1 / 3), side * ((2 / 3) * Math.sin(angle) - 1 / 6)];
  });
}

/** Options of `spirals`. */
export interface SpiralsOptions extends PointsOptions {
  /** Number of turns of each arm, above 0; 1.25 by default. */
  readonly turns?: number;
}

/**
 * Two spiral arms from radius 0.1 to 1, half a turn apart (Archimedean spirals; after the two-spirals problem of Lang
 * and Witbrock 1988).
 * @returns shape [2], the two classes in alternation
 * @throws OptionError for an option outside its range
 */
export function spirals({ turns = 1.25, ...options }: SpiralsOptions = {}): ClassificationDataset {
  if (!(turns > 0 && turns < Infinity)) {
    const what = `${String(turns)} is out of range`;
    throw new OptionError({ where: "points turns", what, fix: "Give a finite number above 0" });
  }
  return classes("spirals", options, (label, random) => {
    const along = random.uniform();
    const angle = 2 * Math.PI * turns * along + label * Math.PI;
    const radius = 0.1 + 0.9 * along;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/** Points of a function of x in −1 … 1, with noise on y. */
function curve(name: string, options: PointsOptions, valueAt: (x: number) => number): RegressionDataset {
  const { count, noise, seed } = checked(options);
  const random = new Random(POINTS_STREAM, seed);
  const features = new Float32Array(count);
  const targets = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    const x = random.uniform(-1, 1);
    features[index] = x;
    targets[index] = valueAt(x) + random.normal(0, noise);
  }
  return makeRegressionDataset({ name, features, shape: [1], targets, outputs: ["y"] });
}

/** Options of `line`. */
export interface LineOptions extends PointsOptions {
  /** 0.7 by default. */
  readonly slope?: number;
  /** The value at x = 0; 0.2 by default. */
  readonly intercept?: number;
}

/**
 * y = slope · x + intercept, with x uniform in −1 … 1.
 * @returns shape [1], output "y"
 * @throws OptionError for an option outside its range, DataError for a slope or intercept that is not finite
 */
export function line({ slope = 0.7, intercept = 0.2, ...options }: LineOptions = {}): RegressionDataset {
  return curve("line", options, (x) => slope * x + intercept);
}

/** Options of `polynomial`. */
export interface PolynomialOptions extends PointsOptions {
  /** The coefficients of x⁰, x¹, x², …; 0.1 − 1.1 x − 0.4 x² + 1.8 x³ by default. */
  readonly coefficients?: readonly number[];
}

/**
 * A polynomial of x, with x uniform in −1 … 1.
 * @returns shape [1], output "y"
 * @throws OptionError for an option outside its range, DataError for a coefficient that is not finite
 */
export function polynomial(options: PolynomialOptions = {}): RegressionDataset {
  const { coefficients = [0.1, -1.1, -0.4, 1.8], ...rest } = options;
  return curve("polynomial", rest, (x) => coefficients.reduceRight((value, coefficient) => value * x + coefficient, 0));
}

/** Options of `sine`. */
export interface SineOptions extends PointsOptions {
  /** Number of periods between x = −1 and 1; 1.5 by default. */
  readonly waves?: number;
  /** 0.8 by default. */
  readonly amplitude?: number;
}

/**
 * y = amplitude · sin(π · waves · x), with x uniform in −1 … 1.
 * @returns shape [1], output "y"
 * @throws OptionError for an option outside its range, DataError for waves or an amplitude that is not finite
 */
export function sine({ waves = 1.5, amplitude = 0.8, ...options }: SineOptions = {}): RegressionDataset {
  return curve("sine", options, (x) => amplitude * Math.sin(Math.PI * waves * x));
}
