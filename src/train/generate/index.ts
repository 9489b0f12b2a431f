/*
 * Generates text with a model that predicts the next token.
 */
import type { Session } from "../../backends/backend.ts";
import { requireText, type Tokenizer } from "../../data/text/tokenizer.ts";
import { DataError, excerpt, OptionError, optionName } from "../../errors.ts";
import { requireOptionsObject } from "../../option-names.ts";
import { requireCount } from "../../nn/checks.ts";
import type { AnyModel } from "../../nn/functional.ts";
import { requireModel, requireSession } from "../given.ts";
import { networkOf, onlyOf, type Network } from "../network.ts";
import { CachedContext, WholeContext, type TokenPredictor } from "./predictors.ts";
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
  /**
   * Whether the keys and values of earlier positions are kept on the device, so that a token is computed alone; true by
   * default. Without it, or with a model whose positions cannot be computed alone, such as a recurrent one, each token is
   * computed from the whole context. Logits may differ by rounding.
   */
  readonly cache?: boolean;
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
 * for await (const { text } of generator.generate({ prompt: "\n", tokens: 200, temperature: 0.8 })) console.log(text);
 * ```
 *
 * @throws OptionError for a model with other inputs or outputs, or fewer logits than the tokenizer has tokens
 */
export async function createTextGenerator(options: TextGeneratorOptions): Promise<TextGenerator> {
  requireOptionsObject("createTextGenerator", options);
  const { model, session, tokenizer, cache = true } = options;
  requireModel("model", model);
  requireSession("session", session);
  const network = networkOf(model);
  requireLanguageModel(network, tokenizer);
  const cached = cache ? await CachedContext.compile(network, session) : undefined;
  const predictor = cached ?? (await WholeContext.compile(network, session));
  return new PredictingGenerator(predictor, tokenizer, onlyOf(network.inputs)!.shape[0]!);
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

/** Implements `TextGenerator`. */
class PredictingGenerator implements TextGenerator {
  readonly #predictor: TokenPredictor;
  readonly #tokenizer: Tokenizer;
  readonly #context: number;

  constructor(predictor: TokenPredictor, tokenizer: Tokenizer, context: number) {
    this.#predictor = predictor;
    this.#tokenizer = tokenizer;
    this.#context = context;
  }

  async *generate(options: GenerateOptions): AsyncGenerator<GeneratedToken, void, undefined> {
    requireOptionsObject("generate", options);
    requireSampling(options);
    requireCount("tokens", options.tokens);
    const tokens = promptTokens(options.prompt, this.#tokenizer, this.#context);
    const text = new GeneratedText(this.#tokenizer, stopTexts(options.stop));
    for (let position = 0; position < options.tokens && !text.isStopped; position++) {
      const logits = await this.#predictor.logitsAfter(tokens, text);
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
  throw new OptionError({ where: optionName("prompt"), what, fix });
}

function encodedPrompt(prompt: string, tokenizer: Tokenizer): ArrayLike<number> {
  try {
    return tokenizer.encode(prompt);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const fix = "Use characters of the text that the model was trained on";
    throw new DataError({ where: `${optionName("prompt")}, ${cause.where}`, what: cause.what, fix }, { cause });
  }
}

function stopTexts(stop: GenerateOptions["stop"] = []): readonly string[] {
  const stops: readonly unknown[] = typeof stop === "string" ? [stop] : stop;
  const isValid = Array.isArray(stops) && stops.every((one) => typeof one === "string" && one !== "");
  if (isValid) return stops as readonly string[];
  throw new OptionError({
    where: optionName("stop"),
    what: `${excerpt(stop)} is not a text, or a list of texts`,
    fix: "Give texts of at least one character",
  });
}
