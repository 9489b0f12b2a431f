/*
 * Lets the network write, and finds what it computed meanwhile. Runs in the worker.
 */
import {
  createTextGenerator,
  defineGraph,
  input,
  type Executable,
  type FunctionalModel,
  type RecordedAttention,
  type Session,
  type Tensor,
  type TextGenerator,
} from "../../../index.ts";
import type { Sample } from "../contract.ts";
import type { Source } from "./source.ts";

export type Gpt = FunctionalModel<"tokens", "logits">;

const attentionName = (layer: number): string => `attention ${layer}`;

/** Writes with the parameters of a session. */
export class Writer {
  readonly session: Session;
  readonly #source: Source;
  readonly #generator: TextGenerator;
  readonly #tokens: Tensor;
  readonly #table: Tensor;
  readonly #executable: Executable;
  readonly #layers: number;

  private constructor(parts: WriterParts) {
    this.session = parts.session;
    this.#source = parts.source;
    this.#generator = parts.generator;
    this.#tokens = parts.tokens;
    this.#table = parts.table;
    this.#executable = parts.executable;
    this.#layers = parts.layers;
  }

  static async create(model: Gpt, session: Session, source: Source): Promise<Writer> {
    const generator = await createTextGenerator({ model, session, tokenizer: source.tokenizer });
    const tokens = input("written", [source.prompts.length, source.context], "uint32");
    const recorded: RecordedAttention[] = [];
    const { logits } = model.apply({ tokens }, { recordAttention: (attention) => recorded.push(attention) });
    const weights = Object.fromEntries(recorded.map((one, layer) => [attentionName(layer), one.weights]));
    const executable = await session.compile(defineGraph({ logits, ...weights }));
    // Parameters are in the order of their first use, and the vectors of tokens are used first.
    const table = model.parameters[0]!;
    return new Writer({ session, source, generator, tokens, table, executable, layers: recorded.length });
  }

  /**
   * Continues each prompt up to one token more than the context.
   * @param seed decides the draws
   */
  async write(options: { readonly temperature: number; readonly seed: number }): Promise<Omit<Sample, "step">> {
    const { prompts, tokenizer, context, answers } = this.#source;
    const length = context + 1;
    const tokens = new Uint32Array(prompts.length * length);
    let given = 0;
    for (const [row, prompt] of prompts.entries()) {
      const start = tokenizer.encode(prompt);
      given = start.length;
      tokens.set(start, row * length);
      let place = row * length + given;
      const written = this.#generator.generate({ prompt, tokens: length - given, ...options });
      for await (const { token } of written) tokens[place++] = token;
    }
    return {
      tokens,
      rows: prompts.length,
      length,
      given,
      ...(await this.#computed(tokens, length)),
      ...(answers && { answers: answers.slice() }),
    };
  }

  /** The logits and attention weights for all tokens but the last of each row, and the vectors of all tokens that there are. */
  async #computed(tokens: Uint32Array, length: number): Promise<Pick<Sample, "logits" | "attention" | "vectors">> {
    this.session.write(
      this.#tokens,
      tokens.filter((_, index) => index % length < length - 1),
    );
    const [, vectors, logits, ...attention] = await Promise.all([
      this.#executable.run(0, 1),
      this.session.read(this.#table),
      this.#executable.read("logits"),
      ...Array.from({ length: this.#layers }, (_, layer) => this.#executable.read(attentionName(layer))),
    ]);
    return {
      logits: Float32Array.from(logits),
      attention: attention.map((weights) => Uint8Array.from(weights, (weight) => Math.round(255 * weight))),
      vectors: asBytes(vectors as Float32Array),
    };
  }
}

interface WriterParts {
  readonly session: Session;
  readonly source: Source;
  readonly generator: TextGenerator;
  readonly tokens: Tensor;
  readonly table: Tensor;
  readonly executable: Executable;
  readonly layers: number;
}

/** Numbers as bytes, 127 for the largest absolute value. */
function asBytes(values: Float32Array): Int8Array {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Int8Array.from(values, (value) => Math.round((127 * value) / (largest || 1)));
}
