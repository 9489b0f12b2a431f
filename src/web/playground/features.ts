/*
 * The inputs that a network can be given: functions of the coordinates of a point.
 */

export interface InputFeature {
  /** The formula. */
  readonly label: string;
  valueAt(x: number, y: number): number;
}

/** Over the points, from −1 to 1, the sines have as many periods as those of TensorFlow Playground have over its points. */
const FREQUENCY = 5;

const ofX = {
  x: { label: "x", valueAt: (x: number) => x },
  xx: { label: "x²", valueAt: (x: number) => x * x },
  sinx: { label: `sin ${FREQUENCY}x`, valueAt: (x: number) => Math.sin(FREQUENCY * x) },
};

/** The inputs of a network that separates points of the plane, by their names in the address. */
export const planeFeatures = {
  x: ofX.x,
  y: { label: "y", valueAt: (_x: number, y: number) => y },
  xx: ofX.xx,
  yy: { label: "y²", valueAt: (_x: number, y: number) => y * y },
  xy: { label: "xy", valueAt: (x: number, y: number) => x * y },
  sinx: ofX.sinx,
  siny: { label: `sin ${FREQUENCY}y`, valueAt: (_x: number, y: number) => Math.sin(FREQUENCY * y) },
} as const satisfies Readonly<Record<string, InputFeature>>;

/** The inputs of a network that fits a curve. */
export const curveFeatures = {
  x: ofX.x,
  xx: ofX.xx,
  xxx: { label: "x³", valueAt: (x: number) => x ** 3 },
  sinx: ofX.sinx,
} as const satisfies Readonly<Record<string, InputFeature>>;

export type PlaneFeature = keyof typeof planeFeatures;
export type CurveFeature = keyof typeof curveFeatures;

/** A point's coordinates; y is not used for a curve. */
export type Place = readonly [x: number, y: number];

/** The values of features at some places, in rows of one value per feature. */
export const featureRows = (features: readonly InputFeature[], places: readonly Place[]): Float32Array =>
  Float32Array.from(places.flatMap(([x, y]) => features.map((feature) => feature.valueAt(x, y))));
