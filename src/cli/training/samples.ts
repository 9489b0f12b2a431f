/*
 * Text that a model generates during training.
 */
import type { Session } from "../../backends/backend.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError, DeviceLostError } from "../../errors.ts";
import { createTextGenerator, type TextGenerator } from "../../train/index.ts";
import { usualPrompt } from "../data/text-model.ts";
import type { Run, Subject } from "./training-run.ts";

/** A text that a model generated after a step. */
export interface Sample {
  readonly step: number;
  readonly text: string;
}

/** The default number of samples of a run. */
const SAMPLES = 5;

/** The most tokens of a sample. A sample is not longer than the context. */
const MOST_TOKENS = 200;

const TEMPERATURE = 0.8;

interface Settings {
  readonly seed: number;
  readonly tokenizer: Tokenizer;
  readonly context: number;
}

/** Generates a text after regular steps, and after the last step, with the same draws each time. */
export class Sampler {
  /** Steps between samples. */
  readonly every: number;
  readonly #subject: Subject;
  readonly #seed: number;
  readonly #tokenizer: Tokenizer;
  readonly #prompt: string;
  readonly #tokens: number;
  #compiled: { readonly session: Session; readonly generator: TextGenerator } | undefined;

  private constructor(every: number, { seed, tokenizer, context }: Settings, subject: Subject) {
    this.every = every;
    this.#subject = subject;
    this.#seed = seed;
    this.#tokenizer = tokenizer;
    this.#prompt = usualPrompt(tokenizer);
    this.#tokens = Math.min(MOST_TOKENS, context);
  }

  /** @returns undefined for data other than text, and if the options ask for no samples */
  static of({ data, flags }: Run, subject: Subject): Sampler | undefined {
    const { sampleEvery = Math.ceil(subject.trainer.totalSteps / SAMPLES), seed } = flags;
    if (data.kind !== "text" || sampleEvery === 0) return undefined;
    return new Sampler(sampleEvery, { ...data.train, seed }, subject);
  }

  /**
   * Generates the sample of a step; call it during the event of a step at which training pauses.
   * @returns undefined if none is due, if the device was lost, and for a model whose outputs are not finite
   */
  async sampleAt(step: number): Promise<Sample | undefined> {
    if (step % this.every !== 0 && step !== this.#subject.trainer.totalSteps) return undefined;
    try {
      return { step, text: await this.#generate() };
    } catch (error) {
      // The trainer replaces a lost device in its next step, and handles outputs that are not finite.
      if (error instanceof DeviceLostError || error instanceof DataError) return undefined;
      throw error;
    }
  }

  async #generate(): Promise<string> {
    const generator = await this.#generator();
    const options = { prompt: this.#prompt, tokens: this.#tokens, temperature: TEMPERATURE, seed: this.#seed };
    let text = "";
    for await (const { text: piece } of generator.generate(options)) text += piece;
    return text;
  }

  /** The generator in the trainer's current session. */
  async #generator(): Promise<TextGenerator> {
    const { model, trainer } = this.#subject;
    const { session } = trainer;
    if (this.#compiled?.session !== session) {
      const generator = await createTextGenerator({ model, session, tokenizer: this.#tokenizer });
      this.#compiled = { session, generator };
    }
    return this.#compiled.generator;
  }
}
