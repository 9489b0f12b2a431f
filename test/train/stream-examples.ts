import { epochOrder } from "../../src/data/order.ts";
import { makeStream, type DataStream, type SavingBatches, type StreamBatch } from "../../src/data/stream.ts";
import type { TrainingProgress } from "../../src/train/index.ts";
import { clouds } from "./examples.ts";

/** The data set whose batches the streams have. */
export const dataset = clouds(60);
export const run = { learningRate: 0.02, batchSize: 10, epochs: 4 };

/** The batches that training takes of a data set, in the same order. */
export function batchesOf(data: ReturnType<typeof clouds>, step: number, size: number): StreamBatch {
  const stepsPerEpoch = Math.floor(data.count / size);
  const order = epochOrder(data.count, 1, Math.floor(step / stepsPerEpoch));
  const first = (step % stepsPerEpoch) * size;
  const examples = order.subarray(first, first + size);
  const width = data.features.length / data.count;
  const Type = data.features.constructor as typeof Float32Array;
  const features = Type.from({ length: size * width }, (_, index) => {
    return data.features[examples[Math.floor(index / width)]! * width + (index % width)]!;
  });
  return { features, labels: examples.map((example) => data.labels[example]!) };
}

export const described = (data: ReturnType<typeof clouds>) => ({
  name: "stream",
  tensors: {
    features: { shape: data.shape, dtype: data.features instanceof Uint8Array ? "uint8" : "float32" },
    labels: { shape: [], dtype: "uint32" },
  } as DataStream["tensors"],
  classes: data.classes,
});

export const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

/** A stream with the batches of a data set. Some of them are late. */
export const streamOf = (data: ReturnType<typeof clouds>, stepsPerEpoch?: number) =>
  makeStream({
    ...described(data),
    ...(stepsPerEpoch && { stepsPerEpoch }),
    async *batches(fromStep, size) {
      for (let step = fromStep; ; step++) {
        if (step % 5 === 3) await pause();
        yield batchesOf(data, step, size);
      }
    },
  });

/** The same batches, from a source that saves its position. */
export function saving(change = (_step: number, features: Float32Array) => features): SavingBatches {
  let position = 0;
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const { features, labels } = batchesOf(dataset, position, 10);
        if (position % 5 === 3) await pause();
        const changed = change(position++, features as Float32Array);
        yield { features: changed, labels: labels! };
      }
    },
    saveState: () => ({ position }),
    restoreState(state) {
      ({ position } = state as { position: number });
    },
  };
}

export const logOf = (events: readonly TrainingProgress[]) =>
  events.map(({ step, epoch, loss, accuracy }) => ({ step, epoch, loss, accuracy }));
