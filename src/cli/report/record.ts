import type { Backend, Session } from "../../backends/backend.ts";
import type { Normalization, Dataset } from "../../data/dataset.ts";
import { firstExamples } from "../../data/split.ts";
import { type TextDataset } from "../../data/text/dataset.ts";
import { isText } from "../../data/text/windows.ts";
import { DeviceError, DeviceLostError } from "../../errors.ts";
import type { LossName } from "../../nn/losses.ts";
import type { Model } from "../../nn/sequential.ts";
import {
  createGradientNorms,
  type Evaluation,
  type GradientNorms,
  type Trainer,
  type TrainingProgress,
} from "../../train/index.ts";
import { thinned, type CurvePoint } from "../../train/curve.ts";
import { count } from "../text/text.ts";
import { examine, firstWeights } from "./examine.ts";
import type { ReportFacts } from "./facts.ts";

/** The number of test examples that are evaluated during training. */
const TEST_EXAMPLES = 1000;

/** How often gradient norms and test examples are measured during training. */
const MARKS = 20;

/** The number of windows of a text whose gradient is measured: each has a loss at all of its tokens. */
const WINDOWS = 16;

/** The most points of a curve. Longer curves are drawn as means of consecutive points. */
const MOST_POINTS = 200;

/** The run that a report is about. */
export interface ReportSubject {
  readonly trainer: Trainer;
  readonly model: Model;
  readonly backend: Backend;
  readonly train: Dataset | TextDataset;
  /** The test set, which is also evaluated during training. */
  readonly test?: Dataset | TextDataset | undefined;
  /** The validation set of the progress events. */
  readonly validation?: Dataset | TextDataset | undefined;
  /** By default features are unchanged; not for text. */
  readonly normalization?: Normalization;
  readonly loss: LossName;
  /** The threshold between two classes. */
  readonly threshold?: number | undefined;
  /** Converts standardized targets to the units of the label; by default they are unchanged. */
  readonly inUnits?: (targets: Float32Array) => Float32Array;
}

/** What is recorded of a progress event, with the validation metrics if it has them. */
export interface RecordedProgress extends Pick<TrainingProgress, "step" | "loss" | "accuracy"> {
  readonly validation?: Evaluation;
}

/** Records the data of a report during training. */
export class ReportRecorder {
  readonly #subject: ReportSubject;
  readonly #training: CurvePoint[] = [];
  readonly #validation: CurvePoint[] = [];
  readonly #test: CurvePoint[] = [];
  readonly #samples: { step: number; text: string }[] = [];
  readonly #norms: { step: number; values: number[] }[] = [];
  #measured: { session: Session; norms: GradientNorms } | undefined;
  #nextMark: number;

  /** @param subject the run, before the first step to report on */
  constructor(subject: ReportSubject) {
    this.#subject = subject;
    this.#nextMark = subject.trainer.step;
  }

  /** Takes the measurements before the first step. */
  start(): Promise<void> {
    return this.#mark();
  }

  /** Records a progress event; call it in the training loop. */
  async progress({ step, loss, accuracy, validation }: RecordedProgress): Promise<void> {
    this.#training.push({ step, loss, accuracy });
    if (validation) this.#validation.push({ step, loss: validation.loss, accuracy: validation.accuracy });
    if (step >= this.#nextMark) await this.#mark();
  }

  /** Records a text that the model generated after a step. */
  sample(sample: { readonly step: number; readonly text: string }): void {
    this.#samples.push(sample);
  }

  /**
   * Returns the contents of the report; call it after the training loop. If the device can time dispatches, this trains one
   * more step, which changes the parameters: save the model before.
   */
  async finish(texts: Pick<ReportFacts, "title" | "results" | "options" | "workers">): Promise<ReportFacts> {
    const { trainer, test } = this.#subject;
    // If early stopping restored an earlier step, the curves already extend beyond it.
    if ((this.#norms.at(-1)?.step ?? -1) < trainer.step) await this.#mark();
    const testName = test && test.count > TEST_EXAMPLES ? `test (first ${count(TEST_EXAMPLES)})` : "test";
    const curves = [
      { name: "training", points: shortened(this.#training) },
      { name: "validation", points: shortened(this.#validation) },
      { name: testName, points: this.#test },
    ];
    return {
      ...texts,
      curves: curves.filter(({ points }) => points.length > 0),
      ...(await this.#results()),
      gradientNorms: this.#normCurves(),
      dispatches: trainer.dispatches,
      nanoseconds: await profiled(trainer),
    };
  }

  /** The results on the examples, or the samples of text. */
  async #results(): Promise<Pick<ReportFacts, "classes" | "examined" | "outputs" | "samples" | "weights">> {
    const { trainer, model, train, validation, test, loss, threshold, inUnits } = this.#subject;
    const data = test ?? validation ?? train;
    const name = test ? "test" : validation ? "validation" : "training";
    const examined = `On the ${count(data.count)} ${name} examples.`;
    if (isText(data)) return { examined, ...(this.#samples.length > 0 && { samples: this.#samples }) };
    const outputs = await trainer.predict(data.features);
    const { parameters } = await trainer.snapshot();
    return {
      examined,
      ...examine(data, outputs, { loss, threshold, inUnits }),
      weights: firstWeights(model, parameters, data.shape),
    };
  }

  async #mark(): Promise<void> {
    const { trainer, test } = this.#subject;
    this.#nextMark += Math.ceil(trainer.totalSteps / MARKS);
    const step = trainer.step;
    try {
      this.#norms.push({ step, values: await (await this.#gradientNorms()).measure() });
    } catch (error) {
      // The trainer replaces the lost device in its next step; this measurement is skipped.
      if (!(error instanceof DeviceLostError)) throw error;
    }
    if (!test || isText(test)) return;
    const { loss, accuracy } = await trainer.evaluate(firstExamples(test, TEST_EXAMPLES));
    this.#test.push({ step, loss, accuracy });
  }

  /** The measurement of gradient norms in the trainer's current session. */
  async #gradientNorms(): Promise<GradientNorms> {
    const { trainer, model, backend, train: dataset, normalization, loss } = this.#subject;
    const { session } = trainer;
    if (this.#measured?.session !== session) {
      const norms = await createGradientNorms({
        model,
        backend,
        session,
        dataset,
        loss,
        ...(normalization && { normalization }),
        ...(isText(dataset) && { examples: WINDOWS }),
      });
      this.#measured = { session, norms };
    }
    return this.#measured.norms;
  }

  #normCurves(): ReportFacts["gradientNorms"] {
    const { config } = this.#subject.model;
    const layers = this.#measured?.norms.layers ?? [];
    return layers.map((layer, position) => {
      const { type, units, outputs } = config.layers[layer]!;
      return {
        name: [`layer ${layer},`, type, units ?? outputs ?? ""].join(" ").trim(),
        points: this.#norms.map(({ step, values }) => [step, values[position]!] as const),
      };
    });
  }
}

/** At most MOST_POINTS points, each the mean of as many consecutive ones. */
const shortened = (points: readonly CurvePoint[]): CurvePoint[] =>
  thinned(points, Math.max(1, Math.ceil(points.length / MOST_POINTS)));

async function profiled(trainer: Trainer): Promise<readonly number[] | string> {
  try {
    return await trainer.profile();
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return error.what;
  }
}
