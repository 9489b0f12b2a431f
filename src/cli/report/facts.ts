import type { DispatchDescription } from "../../backends/backend.ts";
import type { CurvePoint } from "../../train/curve.ts";
import type { Timeline } from "../../cluster/training/timeline.ts";
import type { RegressionMetrics } from "../../train/metrics.ts";

/** A name and its value. */
export type Field = readonly [name: string, value: string];

/** A curve, with a name such as "training". */
export interface Curve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

/** An image as a data URI, with a caption. */
export interface ReportImage {
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly caption: string;
}

/** A wrong prediction. */
export interface Mistake {
  /** The index of the example in its data set, from 0. */
  readonly example: number;
  readonly label: string;
  readonly prediction: string;
  /** The probabilities of the prediction and of the label, if the outputs are logits. */
  readonly probabilities?: readonly [prediction: number, label: number];
  /** The example, if it is an image. */
  readonly image?: ReportImage;
}

/** The results of classification. */
export interface ClassResults {
  readonly classes: readonly string[];
  /** Row by true class, column by predicted class. */
  readonly confusion: readonly (readonly number[])[];
  readonly mistakes: number;
  /** The area under the receiver operating characteristic, in words; absent where it has no meaning. */
  readonly rocAuc?: string;
  /** The most confident mistakes, in descending order of confidence. */
  readonly worst: readonly Mistake[];
}

/** The results of regression for one target. */
export interface OutputResults {
  readonly name: string;
  readonly metrics: RegressionMetrics;
  /** Target and prediction of the first examples. */
  readonly points: readonly (readonly [target: number, prediction: number])[];
}

/** The contents of a report. */
export interface ReportFacts {
  /** The data and the network. */
  readonly title: string;
  /** The results, most important first. */
  readonly results: readonly Field[];
  /** All options, including the seed. */
  readonly options: readonly Field[];
  readonly curves: readonly Curve[];
  /** What the workers of a shared run did. */
  readonly workers?: Timeline;
  /** Texts that the model generated during training. */
  readonly samples?: readonly { readonly step: number; readonly text: string }[];
  /** Which examples the results are for, such as "On the 10,000 test examples." */
  readonly examined: string;
  readonly classes?: ClassResults;
  readonly outputs?: readonly OutputResults[];
  /** The weights of the first layer with parameters, one image per unit; absent for text. */
  readonly weights?: { readonly images: readonly ReportImage[]; readonly units: number; readonly largest: number };
  /** The gradient norm of each layer at some steps. */
  readonly gradientNorms: readonly {
    readonly name: string;
    readonly points: readonly (readonly [step: number, norm: number])[];
  }[];
  readonly dispatches: readonly DispatchDescription[];
  /** The time of each dispatch of one step, or why there are no times. */
  readonly nanoseconds: readonly number[] | string;
}
