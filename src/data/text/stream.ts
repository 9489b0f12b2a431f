/*
 * The random windows of a text that training steps use.
 */
import { drawnBelow, randomKey } from "../../random.ts";
import { makeStream, type DataStream, type StreamBatch } from "../stream.ts";
import type { TextDataset } from "./dataset.ts";

/** Separates the random positions of windows ("tx") from other uses of the same seed. */
const windowStream = 0x7478;

/** The key of the positions of a run's windows. */
export const windowKey = (seed: number): number => randomKey(windowStream, seed);

/**
 * The number of the window of a step at a position in its batch. It wraps around after 2³² windows.
 */
export const windowNumber = (step: number, batchSize: number, offset: number): number =>
  (step * batchSize + offset) % 2 ** 32;

/** The batches that `drawWindows` draws, computed by the host: for texts that are too large for the device. */
export function streamOfText({ name, tokens, context }: TextDataset, seed: number): DataStream {
  const column = { shape: [context], dtype: "uint32" } as const;
  const key = windowKey(seed);
  return makeStream({
    name,
    tensors: { tokens: column, targets: column },
    *batches(fromStep, batchSize): Generator<StreamBatch> {
      for (let step = fromStep; ; step++) {
        const [inputs, targets] = [new Uint32Array(batchSize * context), new Uint32Array(batchSize * context)];
        for (let row = 0; row < batchSize; row++) {
          const start = drawnBelow(key, windowNumber(step, batchSize, row), tokens.length - context);
          inputs.set(tokens.subarray(start, start + context), row * context);
          targets.set(tokens.subarray(start + 1, start + 1 + context), row * context);
        }
        yield { tokens: inputs, targets };
      }
    },
  });
}
