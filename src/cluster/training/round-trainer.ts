/*
 * What a worker of a shared run does in a round: it trains on its steps from the common values, with its own state of
 * the optimizer, and returns what changed.
 */
import { OptionError } from "../../errors.ts";
import type { AnyModel } from "../../nn/functional.ts";
import type { Evaluation, Snapshot, Trainer } from "../../train/index.ts";
import { encodeChange, type ChangeType } from "./encode.ts";
import { flattened, unflattened, type ValueLayout } from "./layout.ts";
import type { Contribution, RoundTask } from "./rounds.ts";

/** Trains the rounds of one worker. */
export class RoundTrainer {
  readonly worker: string;
  readonly #trainer: Trainer<AnyModel>;
  readonly #layout: ValueLayout;
  readonly #changeType: ChangeType;
  /** The state after the last round. */
  #last: Snapshot | undefined;

  constructor(worker: string, trainer: Trainer<AnyModel>, layout: ValueLayout, changeType: ChangeType) {
    this.worker = worker;
    this.#trainer = trainer;
    this.#layout = layout;
    this.#changeType = changeType;
  }

  /** The number of steps that the trainer has made. */
  get step(): number {
    return this.#trainer.step;
  }

  /**
   * Trains a task from the common values.
   * @throws DivergedError if a step was NaN or infinite; OptionError if `signal` ended the round early
   */
  async train({ range, ...schedule }: RoundTask, start: Float32Array, signal?: AbortSignal): Promise<Contribution> {
    const trainer = this.#trainer;
    const ownStep = await this.#setValues(start);
    const { scheduleStep, scheduleStride } = schedule;
    const share = { firstStep: range.first, scheduleStep, scheduleStride };
    // Only the event at the end of the call, which has the mean loss of all its steps.
    const options = { every: trainer.totalSteps + 1, maxSteps: range.count, share };
    let loss = NaN;
    for await (const event of trainer.fit(signal ? { ...options, signal } : options)) ({ loss } = event);
    if (trainer.step !== ownStep + range.count) {
      const what = `${trainer.step - ownStep} of ${range.count} steps were made`;
      throw new OptionError({ where: `worker ${this.worker}`, what, fix: "Train the round again" });
    }
    const last = await trainer.snapshot();
    const end = flattened(this.#layout, last.parameters);
    const change = end.map((value, index) => value - start[index]!);
    this.#last = last;
    return {
      worker: this.worker,
      range,
      ownStep,
      examples: range.count * trainer.batchSize,
      loss,
      change: encodeChange(change, this.#changeType),
    };
  }

  /** The loss, accuracy and metrics of given values, as `Trainer.evaluate` computes them. */
  async evaluate(values: Float32Array, dataset: Parameters<Trainer["evaluate"]>[0]): Promise<Evaluation> {
    await this.#setValues(values);
    return this.#trainer.evaluate(dataset);
  }

  /** Gives the trainer the common values and its own state of the optimizer. @returns its step */
  async #setValues(values: Float32Array): Promise<number> {
    const { step, optimizer } = (this.#last ??= await this.#trainer.snapshot());
    this.#trainer.restore({ step, optimizer, parameters: unflattened(this.#layout, values) });
    return step;
  }

  dispose(): void {
    this.#trainer.dispose();
  }
}
