/*
 * A hundred steps of nanoGPT's recipe with a small network, for the comparison with PyTorch.
 */
import { makeStream, type DataStream } from "../../../src/data/stream.ts";
import { models } from "../../../src/nn/index.ts";
import { Random } from "../../../src/random.ts";

export const STEPS = 100;
export const BATCH = 4;
export const LEARNING_RATE = 0.01;
export const WARMUP = 10;

export const sizes = { vocabulary: 17, context: 8, layers: 2, heads: 2, width: 16, bias: true };

export const makeModel = () => models.gpt({ ...sizes, seed: 4 });

/** Texts in which a token x is followed by 3x + 1, 3x + 2 or 3x + 3 modulo 17, so the loss does not fall below ln 3. */
export function batchOf(step: number): { readonly tokens: Uint32Array; readonly targets: Uint32Array } {
  const random = new Random(15, step);
  const { vocabulary, context } = sizes;
  const [tokens, targets] = [new Uint32Array(BATCH * context), new Uint32Array(BATCH * context)];
  for (let place = 0, token = 0; place < BATCH * context; place++) {
    if (place % context === 0) token = random.below(vocabulary);
    tokens[place] = token;
    token = (3 * token + 1 + random.below(3)) % vocabulary;
    targets[place] = token;
  }
  return { tokens, targets };
}

const column = { shape: [sizes.context], dtype: "uint32" } as const;

export const batches = (): DataStream =>
  makeStream({
    name: "chains of tokens",
    tensors: { tokens: column, targets: column },
    *batches(fromStep) {
      for (let step = fromStep; ; step++) yield batchOf(step);
    },
  });
