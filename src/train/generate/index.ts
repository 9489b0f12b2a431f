/*
 * Generates text with a model that predicts the next token.
 */
import type { Executable, NumericArray, Session } from "../../backends/backend.ts";
import { requireText, type Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError, excerpt, OptionError } from "../../errors.ts";
import { defineGraph } from "../../graph/graph.ts";
import { input } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { requireCount } from "../../nn/checks.ts";
import type { AnyModel } from "../../nn/functional.ts";
import { take } from "../../ops/indexing/index.ts";
import { reshape } from "../../ops/layout/index.ts";
import { requireModel, requireOptionsObject, requireSession } from "../given.ts";
import { networkOf, onlyOf, type Network } from "../network.ts";
import { requireSampling, sampleToken, type SamplingOptions } from "./sampling.ts";
import { GeneratedText } from "./text.ts";

export type { SamplingOptions } from "./sampling.ts";

/** The options of `createTextGenerator`. */
export interface TextGeneratorOptions {
  /**
   * A model with one input, [context] tokens, and one output, [context, vocabulary] logits, in which a position does not
   * depend on later ones, such as `models.gpt`.
   */
  readonly model: AnyModel;
  /** The session that holds the parameters: a trainer's, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The tokenizer of the training text. Its vocabulary must not be larger than the model's. */
  readonly tokenizer: Tokenizer;
}

/** The options of `TextGenerator.generate`. */
export interface GenerateOptions extends SamplingOptions {
  /** The text that is continued: at least one token, and at most the model's context. */
  readonly prompt: string;
  /** The maximum number of tokens to generate, at least 1. */
  readonly tokens: number;
  /** Texts that end the generation. They are not part of the generated text. None by default. */
  readonly stop?: string | readonly string[];
}

/** A generated token. */
export interface GeneratedToken {
  readonly token: number;
  /**
   * The text that is complete with this token. It is empty while a character, or a text that may become a stop text, is
   * incomplete. The texts of all tokens, joined, are the generated text.
   */
  readonly text: string;
}

/** Continues texts with a model. */
export interface TextGenerator {
  /**
   * Continues a prompt, a token at a time. Each token is predicted from the tokens before it, at most as many as the
   * context. The same parameters, options and device give the same tokens.
   * @throws OptionError for an option outside its range, an empty prompt, and a prompt of more tokens than the context;
   * DataError for a character of the prompt that has no token, and for logits that are not finite
   */
  generate(options: GenerateOptions): AsyncGenerator<GeneratedToken, void, undefined>;
}

/**
 * Compiles a model for generating text.
 *
 * @example
 * ```ts
 * const generator = await createTextGenerator({ model, session: trainer.session, tokenizer });
 * for await (const { text } of generator.generate({ prompt: "\n", tokens: 200, temperature: 0.8 })) process.stdout.write(text);
 * ```
 *
 * @throws OptionError for a model with other inputs or outputs, or fewer logits than the tokenizer has tokens
 */
export async function createTextGenerator(options: TextGeneratorOptions): Promise<TextGenerator> {
  requireOptionsObject("createTextGenerator", options);
  const { model, session, tokenizer } = options;
  requireModel("model", model);
  requireSession("session", session);
  const network = networkOf(model);
  requireLanguageModel(network, tokenizer);
  return new PlainGenerator(await WholeContext.compile(network, session), tokenizer);
}

/** @throws OptionError */
function requireLanguageModel({ inputs, outputs }: Network, { vocabularySize }: Tokenizer): void {
  const [context] = onlyOf(inputs)?.shape ?? [];
  const output = onlyOf(outputs);
  if (onlyOf(inputs)?.shape.length === 1 && output?.length === 2 && output[0] === context) {
    if (output[1]! >= vocabularySize) return;
    const what = `the model has ${output[1]} logits, but the tokenizer has ${vocabularySize} tokens`;
    throw new OptionError({ where: "tokenizer", what, fix: "Give the tokenizer of the training text" });
  }
  throw new OptionError({
    where: "model",
    what: "its input and output are not [context] and [context, vocabulary]",
    fix: "Give a model that predicts the next token at each position",
  });
}

/** Computes the logits of a position from all tokens of the context. */
class WholeContext {
  readonly context: number;
  readonly #session: Session;
  readonly #tokens: Tensor;
  readonly #position: Tensor;
  readonly #executable: Executable;
  readonly #isSingle: boolean;

  private constructor(
    session: Session,
    executable: Executable,
    leaves: { tokens: Tensor; position: Tensor },
    size: number,
  ) {
    this.#session = session;
    this.#executable = executable;
    this.#tokens = leaves.tokens;
    this.#position = leaves.position;
    this.#isSingle = size === 1;
    this.context = leaves.tokens.size;
  }

  static async compile(network: Network, session: Session): Promise<WholeContext> {
    const [name, { shape, dtype }] = Object.entries(network.inputs)[0]!;
    const tokens = input("tokens", [1, ...shape], dtype);
    const position = input("position", [], "uint32");
    const [context, vocabulary] = onlyOf(network.outputs) as [number, number];
    const rows = reshape(onlyOf(network.apply({ [name]: tokens }))!, [context, vocabulary]);
    const executable = await session.compile(defineGraph({ logits: take(rows, position) }));
    return new WholeContext(session, executable, { tokens, position }, vocabulary);
  }

  /**
   * The logits of the token after the given ones.
   * @param tokens at least one; only the last ones are used if there are more than the context
   */
  async logitsAfter(tokens: readonly number[]): Promise<NumericArray> {
    const used = tokens.slice(-this.context);
    const values = this.#tokens.dtype === "uint32" ? new Uint32Array(this.context) : new Float32Array(this.context);
    values.set(used);
    // Everything is queued before anything is awaited, so that no other generation comes between.
    this.#session.write(this.#tokens, values);
    this.#session.write(this.#position, Uint32Array.of(used.length - 1));
    const running = this.#executable.run(0, 1);
    const reading = this.#isSingle ? undefined : this.#executable.read("logits");
    const [scalars, logits] = await Promise.all([running, reading]);
    return logits ?? scalars["logits"]!;
  }
}

/** Implements `TextGenerator`: each token is computed from the whole context. */
class PlainGenerator implements TextGenerator {
  readonly #model: WholeContext;
  readonly #tokenizer: Tokenizer;

  constructor(model: WholeContext, tokenizer: Tokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
  }

  async *generate(options: GenerateOptions): AsyncGenerator<GeneratedToken, void, undefined> {
    requireOptionsObject("generate", options);
    requireSampling(options);
    requireCount("tokens", options.tokens);
    const tokens = promptTokens(options.prompt, this.#tokenizer, this.#model.context);
    const text = new GeneratedText(this.#tokenizer, stopTexts(options.stop));
    for (let position = 0; position < options.tokens && !text.isStopped; position++) {
      const logits = await this.#model.logitsAfter(tokens);
      const token = sampleToken(logits.subarray(0, this.#tokenizer.vocabularySize), options, position);
      tokens.push(token);
      yield { token, text: text.add(token, position === options.tokens - 1) };
    }
  }
}

/** @throws OptionError for a prompt without tokens, or with more than the context; DataError for an unknown character */
function promptTokens(prompt: string, tokenizer: Tokenizer, context: number): number[] {
  requireText("prompt", prompt);
  const tokens = Array.from(encodedPrompt(prompt, tokenizer));
  if (tokens.length >= 1 && tokens.length <= context) return tokens;
  const what = tokens.length === 0 ? "the prompt is empty" : `the prompt has ${tokens.length} tokens`;
  const fix = `Give at least one character, and at most ${context} tokens, the context of the model`;
  throw new OptionError({ where: "prompt", what, fix });
}

function encodedPrompt(prompt: string, tokenizer: Tokenizer): ArrayLike<number> {
  try {
    return tokenizer.encode(prompt);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const fix = "Use characters of the text that the model was trained on";
    throw new DataError({ where: `prompt, ${cause.where}`, what: cause.what, fix }, { cause });
  }
}

function stopTexts(stop: GenerateOptions["stop"] = []): readonly string[] {
  const stops: readonly unknown[] = typeof stop === "string" ? [stop] : stop;
  const isValid = Array.isArray(stops) && stops.every((one) => typeof one === "string" && one !== "");
  if (isValid) return stops as readonly string[];
  throw new OptionError({
    where: "stop",
    what: `${excerpt(stop)} is not a text, or a list of texts`,
    fix: "Give texts of at least one character",
  });
}
