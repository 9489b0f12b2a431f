/*
 * The network and the batches of the comparison: nanoGPT's for CPUs, on windows of tinyshakespeare.txt.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wgrad } from "../runtimes/wgrad.mjs";
import { generator } from "../random.mjs";

/** @typedef {{ layers: number, heads: number, width: number, context: number, bias: boolean, batch: number }} GptSizes */

/** @type {GptSizes} */
const usual = { layers: 4, heads: 4, width: 128, context: 64, bias: false, batch: 12 };

/** So many batches are used in turn. */
const READY_BATCHES = 20;

/** @returns {string} the text; the folder is TEXT_DIR */
export function readText() {
  const path = join(process.env.TEXT_DIR ?? "", "tinyshakespeare.txt");
  if (!existsSync(path)) throw new Error(`${path} is missing; give the folder of tinyshakespeare.txt as TEXT_DIR`);
  return readFileSync(path, "utf8");
}

/**
 * The sizes, the tokenizer, the model with its initial values, which are the same in each process, and the batches.
 * @param {string} text
 * @param {Partial<GptSizes>} changed sizes other than nanoGPT's
 */
export function workOf(text, changed = {}) {
  const { batch, ...sizes } = { ...usual, ...changed };
  const tokenizer = wgrad.characterTokenizer(text);
  const tokens = tokenizer.encode(text);
  const { context } = sizes;
  const draw = generator(4);
  const batches = Array.from({ length: READY_BATCHES }, () => {
    const starts = Array.from({ length: batch }, () => Math.floor(((draw() + 1) / 2) * (tokens.length - context - 1)));
    const windows = (shift) => {
      const values = new Uint32Array(batch * context);
      starts.forEach((start, row) =>
        values.set(tokens.subarray(start + shift, start + shift + context), row * context),
      );
      return values;
    };
    return { tokens: windows(0), targets: windows(1) };
  });
  const model = wgrad.models.gpt({ vocabulary: tokenizer.vocabularySize, seed: 1, ...sizes });
  return { sizes: { ...sizes, batch }, tokenizer, model, batches, batchAt: (step) => batches[step % READY_BATCHES] };
}
