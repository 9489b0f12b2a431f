import type { DispatchDescription, Session } from "../backends/backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { epochOrder } from "../data/order.ts";
import { OptionError } from "../errors.ts";
import { requireCount } from "../nn/checks.ts";
import { exampleLeaves, writeExamples, type ExampleLeaves } from "./batches.ts";
import { createEvaluator, type Evaluation, type Evaluator } from "./evaluate.ts";
import { runSteps, type FitOptions, type StepStream, type TrainingProgress } from "./fit.ts";
import { planTraining, type TrainerOptions, type TrainingPlan } from "./options.ts";
import { readAll, type Snapshot } from "./snapshot.ts";
import { compileStep, type StepMetrics, type StepRunner } from "./step.ts";

/** A model in training: its parameters, the optimizer's state and the data set on a device. */
export interface Trainer {
  readonly stepsTotal: number;
  readonly stepsPerEpoch: number;
  /** Examples per step. */
  readonly batch: number;
  /** Examples whose gradient is computed at a time; `batch` where a step is not divided. */
  readonly microBatch: number;
  /** Steps submitted so far; the next call of fit begins there. */
  readonly step: number;
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /** The session that holds the parameters, for graphs of the caller's own. */
  readonly session: Session;
  /**
   * Trains, and yields where the run stands at every so many steps; steps go on while the caller looks at an event.
   * Leaving the loop waits for what is in flight; another call goes on from there.
   * @throws OptionError, at the first event, for an option outside its range or while another fit of this trainer runs;
   * DeviceError where the device is lost
   */
  fit(options?: FitOptions): AsyncGenerator<TrainingProgress, void, undefined>;
  /** Loss and accuracy of a data set, with the parameters as the steps submitted so far leave them. */
  evaluate(dataset: Dataset): Promise<Evaluation>;
  /** The model's outputs for examples, row after row. */
  predict(features: Uint8Array | Float32Array): Promise<Float32Array>;
  /** The parameters and the optimizer's state after the steps submitted so far, though training may go on meanwhile. */
  snapshot(): Promise<Snapshot>;
  /** Frees what the device holds. The trainer must not be used afterwards. */
  dispose(): void;
}

/**
 * Uploads the data set and compiles the step. An epoch visits the examples in an order of its own, which depends on
 * (seed, epoch) alone, in ⌊examples / batch⌋ steps; the examples at the end of the order that fill no batch are left
 * out in that epoch. What a step does depends on the options and its number only.
 * @throws OptionError for an option outside its range, a batch larger than the data set, or a model that does not fit
 * the data; DeviceError where the device cannot hold it
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const plan = planTraining(options);
  const { model, dataset, backend, normalization, loss } = plan;
  const session = backend.createSession();
  try {
    const leaves = exampleLeaves(dataset.count, dataset, plan.shuffled);
    const runner = await compileStep(plan, session, leaves);
    writeExamples(session, leaves, dataset, 0, dataset.count);
    const evaluator = createEvaluator({ model, backend, session, normalization, loss });
    return new SessionTrainer({ plan, session, leaves, runner, evaluator });
  } catch (error) {
    session.dispose();
    throw error;
  }
}

interface TrainerParts {
  readonly plan: TrainingPlan;
  readonly session: Session;
  readonly leaves: ExampleLeaves;
  readonly runner: StepRunner;
  readonly evaluator: Evaluator;
}

class SessionTrainer implements Trainer, StepStream {
  readonly #parts: TrainerParts;
  #step = 0;
  /** The epoch whose order the device holds or will hold after the runs so far. */
  #orderedEpoch = -1;
  #fitting = false;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
  }

  get stepsTotal(): number {
    return this.#parts.plan.stepsTotal;
  }

  get stepsPerEpoch(): number {
    return this.#parts.plan.stepsPerEpoch;
  }

  get batch(): number {
    return this.#parts.plan.batch;
  }

  get microBatch(): number {
    return this.#parts.plan.microBatch;
  }

  get step(): number {
    return this.#step;
  }

  get dispatches(): readonly DispatchDescription[] {
    return this.#parts.runner.dispatches;
  }

  get session(): Session {
    return this.#parts.session;
  }

  async *fit(options: FitOptions = {}): AsyncGenerator<TrainingProgress, void, undefined> {
    const { plan } = this.#parts;
    const { every = Math.max(1, Math.floor(plan.stepsTotal / 100)), maxSteps, stepsPerSubmit } = options;
    requireCount("fit every", every);
    if (maxSteps !== undefined) requireCount("fit maxSteps", maxSteps);
    if (stepsPerSubmit !== undefined) requireCount("fit stepsPerSubmit", stepsPerSubmit);
    if (this.#fitting) {
      throw new OptionError({
        where: "fit",
        what: "this trainer is already training",
        fix: "Finish or leave the other loop first",
      });
    }
    this.#fitting = true;
    const end = Math.min(plan.stepsTotal, this.#step + (maxSteps ?? Infinity));
    try {
      yield* runSteps(plan, this, { every, end, stepsPerSubmit });
    } finally {
      this.#fitting = false;
    }
  }

  /** Up to the end of the epoch, whose order must stay on the device until then. */
  get stepsAllowed(): number {
    const { shuffled, stepsPerEpoch } = this.#parts.plan;
    return shuffled ? stepsPerEpoch - (this.#step % stepsPerEpoch) : Infinity;
  }

  submit(steps: number): Promise<StepMetrics> {
    const { plan, session, leaves, runner } = this.#parts;
    const epoch = Math.floor(this.#step / plan.stepsPerEpoch);
    if (leaves.order && epoch !== this.#orderedEpoch) {
      session.write(leaves.order, epochOrder(plan.dataset.count, plan.seed, epoch));
      this.#orderedEpoch = epoch;
    }
    const metrics = runner.run(this.#step, steps);
    this.#step += steps;
    return metrics;
  }

  evaluate(dataset: Dataset): Promise<Evaluation> {
    return this.#parts.evaluator.evaluate(dataset);
  }

  predict(features: Uint8Array | Float32Array): Promise<Float32Array> {
    return this.#parts.evaluator.predict(features);
  }

  async snapshot(): Promise<Snapshot> {
    const { plan, session, runner } = this.#parts;
    const step = this.#step;
    const reads = [readAll(session, plan.model.parameters), readAll(session, runner.states)] as const;
    const [parameters, optimizer] = await Promise.all(reads);
    return { step, parameters, optimizer };
  }

  dispose(): void {
    this.#parts.session.dispose();
  }
}
