/*
 * Computes the logits of the next token, in two ways.
 */
import type { Executable, NumericArray, Session } from "../../backends/backend.ts";
import { defineGraph } from "../../graph/graph.ts";
import { input, stepScalar } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { take } from "../../ops/indexing/index.ts";
import { reshape } from "../../ops/layout/index.ts";
import { onlyOf, type Network } from "../network.ts";
import { onePosition } from "./one-position.ts";

/** Predicts the token after others. */
export interface TokenPredictor {
  /**
   * The logits of the token after the given ones.
   * @param tokens at least one
   * @param owner identifies the text that the tokens belong to
   */
  logitsAfter(tokens: readonly number[], owner: object): Promise<NumericArray>;
}

/** The input of the model: a batch of one example. */
function tokensOf(network: Network): { readonly name: string; readonly tokens: Tensor } {
  const [name, { shape, dtype }] = Object.entries(network.inputs)[0]!;
  return { name, tokens: input("tokens", [1, ...shape], dtype) };
}

const numbers = ({ dtype }: Tensor, values: readonly number[]) =>
  dtype === "uint32" ? Uint32Array.from(values) : Float32Array.from(values);

/** Runs steps, and reads the logits of the last one. Both are queued before this returns. */
async function logitsOf(executable: Executable, count: number, [first, steps]: readonly [number, number]) {
  const running = executable.run(first, steps);
  // A single logit is a result of the run itself.
  if (count > 1) {
    const [logits] = await Promise.all([executable.read("logits"), running]);
    return logits;
  }
  return (await running)["logits"]!.slice(-1);
}

/** Computes each token from the whole context, of which the last tokens are used if there are more. */
export class WholeContext implements TokenPredictor {
  readonly #session: Session;
  readonly #tokens: Tensor;
  readonly #position: Tensor;
  readonly #executable: Executable;
  readonly #vocabulary: number;

  private constructor(session: Session, executable: Executable, parts: Parts) {
    this.#session = session;
    this.#executable = executable;
    this.#tokens = parts.tokens;
    this.#position = parts.position;
    this.#vocabulary = parts.vocabulary;
  }

  static async compile(network: Network, session: Session): Promise<WholeContext> {
    const { name, tokens } = tokensOf(network);
    const position = input("position", [], "uint32");
    const [context, vocabulary] = onlyOf(network.outputs) as [number, number];
    const rows = reshape(onlyOf(network.apply({ [name]: tokens }))!, [context, vocabulary]);
    const executable = await session.compile(defineGraph({ logits: take(rows, position) }));
    return new WholeContext(session, executable, { tokens, position, vocabulary });
  }

  logitsAfter(tokens: readonly number[]): Promise<NumericArray> {
    const context = this.#tokens.size;
    const used = tokens.slice(-context);
    const padding = Array<number>(context - used.length).fill(0);
    this.#session.write(this.#tokens, numbers(this.#tokens, [...used, ...padding]));
    this.#session.write(this.#position, Uint32Array.of(used.length - 1));
    return logitsOf(this.#executable, this.#vocabulary, [0, 1]);
  }
}

interface Parts {
  readonly tokens: Tensor;
  readonly position: Tensor;
  readonly vocabulary: number;
}

/**
 * Computes one position at a time, and keeps what later positions need of it on the device. The positions of tokens
 * change once there are more than the context: from then on, each token is computed from the whole context.
 */
export class CachedContext implements TokenPredictor {
  readonly #session: Session;
  readonly #executable: Executable;
  readonly #tokens: Tensor;
  readonly #caches: readonly Tensor[];
  readonly #vocabulary: number;
  readonly #compileWhole: () => Promise<WholeContext>;
  #whole: Promise<WholeContext> | undefined;
  /** The text in the cache, and the number of its tokens. */
  #owner: object | undefined;
  #known = 0;

  private constructor(session: Session, executable: Executable, parts: CachedParts) {
    this.#session = session;
    this.#executable = executable;
    this.#tokens = parts.tokens;
    this.#caches = parts.caches;
    this.#vocabulary = parts.vocabulary;
    this.#compileWhole = parts.compileWhole;
  }

  /** Undefined if a position of this model cannot be computed alone. */
  static async compile(network: Network, session: Session): Promise<CachedContext | undefined> {
    const { name, tokens } = tokensOf(network);
    const position = stepScalar("position", (step) => step, "uint32");
    const rewritten = onePosition({ tokens, position, output: onlyOf(network.apply({ [name]: tokens }))! });
    if (!rewritten) return undefined;
    const vocabulary = onlyOf(network.outputs)!.at(-1)!;
    const { caches, updates } = rewritten;
    const executable = await session.compile(defineGraph({ logits: reshape(rewritten.output, [vocabulary]) }, updates));
    session.write(tokens, numbers(tokens, Array<number>(tokens.size).fill(0)));
    const compileWhole = () => WholeContext.compile(network, session);
    return new CachedContext(session, executable, { tokens, caches, vocabulary, compileWhole });
  }

  async logitsAfter(tokens: readonly number[], owner: object): Promise<NumericArray> {
    if (tokens.length > this.#tokens.size) {
      this.#whole ??= this.#compileWhole();
      return (await this.#whole).logitsAfter(tokens);
    }
    if (owner !== this.#owner || this.#known >= tokens.length) this.#clear();
    const first = this.#known;
    this.#owner = owner;
    this.#known = tokens.length;
    this.#session.write(this.#tokens, numbers(this.#tokens, tokens.slice(first)), first);
    return logitsOf(this.#executable, this.#vocabulary, [first, tokens.length - first]);
  }

  /** Later positions have no weight in attention, but what they contain must be finite. */
  #clear(): void {
    this.#known = 0;
    for (const cache of this.#caches) this.#session.write(cache, new Float32Array(cache.size));
  }
}

interface CachedParts {
  readonly tokens: Tensor;
  readonly caches: readonly Tensor[];
  readonly vocabulary: number;
  readonly compileWhole: () => Promise<WholeContext>;
}
