/*
 * A GPT that learns a task or a text. Runs in the worker.
 */
import {
  bitsPerCharacter,
  createTrainer,
  DeviceLostError,
  models,
  optimizers,
  type Backend,
  type Snapshot,
} from "../../../index.ts";
import { advance, ENDLESS_EPOCHS } from "../../shared/advance.ts";
import type { StepDispatches } from "../../shared/run-contract.ts";
import type { PreparedEvent, Sample, TextRunSettings } from "../contract.ts";
import { sourceOf, type Source } from "./source.ts";
import { Writer, type Gpt } from "./writer.ts";

export interface RunOptions {
  readonly backend: Backend;
  readonly settings: TextRunSettings;
  /** The state to continue from. */
  readonly resumeFrom: Snapshot | undefined;
  readonly onRecovery: (recovery: { readonly reason: string }) => void;
}

export class Run {
  readonly prepared: Omit<PreparedEvent, "kind" | "fresh">;
  /** Tokens of a step. */
  readonly tokensPerStep: number;
  /** Creates a new trainer of the network on any device, with initial weights. */
  readonly apart: (backend: Backend) => ReturnType<typeof trainerOf>;
  readonly #model: Gpt;
  readonly #trainer: Awaited<ReturnType<typeof trainerOf>>;
  readonly #source: Source;
  #writer: Writer | undefined;

  private constructor(settings: TextRunSettings, parts: RunParts) {
    const { source, model, trainer } = parts;
    const { layers, heads, data, batch } = settings;
    const { tokenizer, references, sizes, context } = source;
    this.#source = source;
    this.#model = model;
    this.#trainer = trainer;
    this.tokensPerStep = batch * context;
    this.apart = (backend) => trainerOf(model, source, { backend, settings });
    this.prepared = {
      data,
      layers,
      heads,
      references,
      ...sizes,
      characters: Array.from({ length: tokenizer.vocabularySize }, (_, token) => tokenizer.decode([token])),
      parameters: model.parameters.reduce((sum, { size }) => sum + size, 0),
    };
  }

  /** @throws as `createTrainer` does */
  static async create(options: RunOptions): Promise<Run> {
    const { settings } = options;
    const source = sourceOf(settings);
    const { layers, heads, width, seed } = settings;
    const { tokenizer, context } = source;
    const model = models.gpt({ vocabulary: tokenizer.vocabularySize, context, layers, heads, width, seed });
    return new Run(settings, { source, model, trainer: await trainerOf(model, source, options) });
  }

  get step(): number {
    return this.#trainer.step;
  }

  get dispatches(): readonly StepDispatches[] {
    return [{ network: "GPT", dispatches: this.#trainer.dispatches }];
  }

  /**
   * Runs steps and waits for them.
   * @returns their mean loss, in bits per character
   */
  async advance(steps: number): Promise<number> {
    return bitsPerCharacter(await advance(this.#trainer, steps));
  }

  /** Lets the network write. The draws of an own text differ from step to step. */
  async sample(temperature: number): Promise<Sample> {
    const { step } = this;
    const written = { temperature, seed: step + 1 };
    try {
      return { step, ...(await (await this.#writerNow()).write(written)) };
    } catch (failure) {
      if (!(failure instanceof DeviceLostError)) throw failure;
      // Any call of the trainer replaces the device. The writer is then compiled for the new one.
      await this.#trainer.snapshot();
      return { step, ...(await (await this.#writerNow()).write(written)) };
    }
  }

  /** The loss in bits per character on what is not trained with, and for a task the fraction of exact answers. */
  async test(): Promise<{ readonly loss: number; readonly exact?: number }> {
    const { loss, metrics } = await this.#trainer.evaluate(this.#source.test);
    return { loss: bitsPerCharacter(loss), ...(metrics && { exact: metrics.exact }) };
  }

  snapshot(): Promise<Snapshot> {
    return this.#trainer.snapshot();
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  /** The writer, compiled once for each session: a replaced device has a new one. */
  async #writerNow(): Promise<Writer> {
    const { session } = this.#trainer;
    if (this.#writer?.session !== session) this.#writer = await Writer.create(this.#model, session, this.#source);
    return this.#writer!;
  }
}

interface RunParts {
  readonly source: Source;
  readonly model: Gpt;
  readonly trainer: Awaited<ReturnType<typeof trainerOf>>;
}

function trainerOf(
  model: Gpt,
  { train, objective }: Source,
  { backend, settings, resumeFrom, onRecovery }: Pick<RunOptions, "backend" | "settings"> & Partial<RunOptions>,
) {
  return createTrainer({
    model,
    dataset: train,
    backend,
    optimizer: optimizers.adamW({ weightDecay: 0.01 }),
    learningRate: settings.rate,
    batchSize: settings.batch,
    clipNorm: 1,
    epochs: ENDLESS_EPOCHS,
    seed: settings.seed,
    ...objective,
    ...(onRecovery && { onRecovery }),
    ...(resumeFrom && { resumeFrom }),
  });
}
