import type { DispatchDescription } from "../../backends/backend.ts";
import type { CurvePoint } from "../../train/curve.ts";
import type { RegressionMetrics } from "../../train/metrics.ts";

/** A name and what it is. */
export type Field = readonly [name: string, value: string];

/** A curve and what it is of, such as "training". */
export interface Curve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

/** A picture as a data URI, and what it shows. */
export interface Picture {
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly caption: string;
}

/** A wrong prediction. */
export interface Mistake {
  /** The example's place in its data set, from 0. */
  readonly example: number;
  readonly label: string;
  readonly prediction: string;
  /** The probability of the prediction and of the label, where the outputs are logits. */
  readonly probabilities?: readonly [prediction: number, label: number];
  /** The example, where it is a picture. */
  readonly picture?: Picture;
}

/** What was predicted of classes. */
export interface ClassResults {
  readonly classes: readonly string[];
  /** Row by true class, column by predicted class. */
  readonly confusion: readonly (readonly number[])[];
  readonly mistakes: number;
  /** The surest ones first. */
  readonly worst: readonly Mistake[];
}

/** What was predicted of one quantity. */
export interface OutputResults {
  readonly name: string;
  readonly metrics: RegressionMetrics;
  /** Target and prediction of some examples. */
  readonly points: readonly (readonly [target: number, prediction: number])[];
}

export interface ReportFacts {
  /** What was trained on what. */
  readonly title: string;
  /** What came of it, the most important first. */
  readonly results: readonly Field[];
  /** The options, the seed among them. */
  readonly options: readonly Field[];
  readonly curves: readonly Curve[];
  /** Which examples the predictions are of, such as "the 10,000 test examples". */
  readonly examined: string;
  readonly classes?: ClassResults;
  readonly outputs?: readonly OutputResults[];
  /** The weights of the first layer that has any, a picture a unit. */
  readonly weights: { readonly pictures: readonly Picture[]; readonly units: number; readonly largest: number };
  /** The norm of the loss's gradient per layer at some steps. */
  readonly gradientNorms: readonly {
    readonly name: string;
    readonly points: readonly (readonly [step: number, norm: number])[];
  }[];
  readonly dispatches: readonly DispatchDescription[];
  /** Of each dispatch in one step, or why there are none. */
  readonly nanoseconds: readonly number[] | string;
}
