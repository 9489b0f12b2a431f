/*
 * What a worker of a shared run does in a round: it trains on its steps from the common values, with its own state of
 * the optimizer, and returns what changed.
 */
import { OptionError } from "../../errors.ts";
import type { AnyModel } from "../../nn/functional.ts";
import type { Evaluation, FitOptions, Trainer } from "../../train/index.ts";
import { encodeChange, type ChangeType } from "./encode.ts";
import { flattened, unflattened, type ValueLayout } from "./layout.ts";
import type { Contribution, RoundTask } from "./rounds.ts";
import type { OptimizerState } from "./stored-state.ts";

/** Lets the event loop run during a round, for devices that compute in this thread. */
export interface Breaks {
  /** The number of steps between two breaks. */
  readonly every: number;
  rest(): Promise<void>;
}

export interface RoundTrainerOptions {
  /** The id of the worker. Its tasks name another one if it continues in place of a worker that was lost. */
  readonly worker: string;
  readonly trainer: Trainer<AnyModel>;
  readonly layout: ValueLayout;
  readonly changeType: ChangeType;
  /** By default there are no breaks. */
  readonly breaks?: Breaks;
}

/** Trains the rounds of one worker. */
export class RoundTrainer {
  readonly #options: RoundTrainerOptions;
  /** The state before the first round. */
  #initial: OptimizerState | undefined;
  /** The state after the last round whose change was used. */
  #accepted: OptimizerState | undefined;
  /** The state after a round of which that is not known yet. */
  #candidate: OptimizerState | undefined;

  constructor(options: RoundTrainerOptions) {
    this.#options = options;
  }

  /** The id of the worker. */
  get worker(): string {
    return this.#options.worker;
  }

  /**
   * Trains a task from the common values. The state of the optimizer is the one after the last round that was accepted:
   * the log of a run has only the changes that were used, so other rounds must leave no trace.
   * @throws DivergedError if a step was NaN or infinite; OptionError if `signal` ended the round early
   */
  async train(
    { worker, range, ...schedule }: RoundTask,
    start: Float32Array,
    signal?: AbortSignal,
  ): Promise<Contribution> {
    const { trainer, layout, changeType } = this.#options;
    const ownStep = await this.#setValues(start);
    const { scheduleStep, scheduleStride } = schedule;
    const share = { firstStep: range.first, scheduleStep, scheduleStride };
    const loss = await this.#fit(range.count, { share, ...(signal && { signal }) });
    if (trainer.step !== ownStep + range.count) {
      const what = `${trainer.step - ownStep} of ${range.count} steps were made`;
      throw new OptionError({ where: `worker ${worker}`, what, fix: "Train the round again" });
    }
    const { step, optimizer, parameters } = await trainer.snapshot();
    const end = flattened(layout, parameters);
    const change = end.map((value, index) => value - start[index]!);
    this.#candidate = { step, optimizer };
    return {
      worker,
      range,
      ownStep,
      examples: range.count * trainer.batchSize,
      loss,
      change: encodeChange(change, changeType),
    };
  }

  /** The change of the last round was used. */
  accept(): void {
    this.#accepted = this.#candidate ?? this.#accepted;
    this.#candidate = undefined;
  }

  /** Begins anew, with the optimizer as it was before the first round, or with a given state. */
  reset(state?: OptimizerState): void {
    [this.#accepted, this.#candidate] = [state, undefined];
  }

  /** The state of the optimizer after the last round. @throws OptionError if its change was used or dropped since */
  get lastState(): OptimizerState {
    if (this.#candidate) return this.#candidate;
    throw new OptionError({ where: `worker ${this.worker}`, what: "there is no round", fix: "Train one before" });
  }

  /** Makes steps. @returns their mean loss */
  async #fit(steps: number, options: Pick<FitOptions, "share" | "signal">): Promise<number> {
    const { trainer, breaks } = this.#options;
    // Without breaks, there is only the event at the end, which has the mean loss of all steps.
    const every = trainer.totalSteps + 1;
    let [sum, before] = [0, trainer.step];
    for await (const { step, loss } of trainer.fit({
      every,
      ...(breaks && { pauseEvery: breaks.every }),
      maxSteps: steps,
      ...options,
    })) {
      sum += (step - before) * loss;
      before = step;
      await breaks?.rest();
    }
    return sum / steps;
  }

  /** The loss, accuracy and metrics of given values, as `Trainer.evaluate` computes them. */
  async evaluate(values: Float32Array, dataset: Parameters<Trainer["evaluate"]>[0]): Promise<Evaluation> {
    await this.#setValues(values);
    return this.#options.trainer.evaluate(dataset);
  }

  /** Gives the trainer the common values and its own state of the optimizer. @returns its step */
  async #setValues(values: Float32Array): Promise<number> {
    const { trainer, layout } = this.#options;
    this.#initial ??= await trainer.snapshot();
    const { step, optimizer } = this.#accepted ?? this.#initial;
    trainer.restore({ step, optimizer, parameters: unflattened(layout, values) });
    return step;
  }

  dispose(): void {
    this.#options.trainer.dispose();
  }
}
