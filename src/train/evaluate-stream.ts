/*
 * Evaluates a stream that has an end.
 */
import { widthOf, type Columns } from "../data/columns.ts";
import type { AnyDataset } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import { OptionError } from "../errors.ts";
import type { AnyModel } from "../nn/functional.ts";
import type { EvaluateOptions, Evaluation, Evaluator } from "./evaluate.ts";
import { StreamReader } from "./feed/reader.ts";
import { mapped } from "./snapshot.ts";

/** One batch is read while another is computed. */
const SLOTS = 2;

/**
 * Evaluates a model on the first epoch of a stream.
 * @throws OptionError for a stream without `stepsPerEpoch`, or whose batches cannot be read again; DataError if the
 * stream ends, fails, or has an invalid batch
 */
export async function evaluateStream(
  evaluator: Evaluator<AnyModel>,
  stream: DataStream,
  { batchSize, ...options }: EvaluateOptions & { readonly batchSize: number },
): Promise<Evaluation> {
  const batches = batchesOf(stream);
  const reader = new StreamReader(stream, { batchSize, stepsPerEpoch: batches, totalSteps: batches, slots: SLOTS });
  const totals = { loss: 0, accuracy: 0, metrics: {} as Readonly<Record<string, number>> };
  try {
    for (let step = 0; step < batches; step++) {
      await reader.ready(step);
      const batch = datasetOf(stream, rowsAt(reader.rows, step % SLOTS, batchSize), batchSize);
      const { loss, accuracy, metrics = {} } = await evaluator.evaluate(batch, options);
      totals.loss += loss;
      totals.accuracy += accuracy;
      totals.metrics = mapped(metrics, (value, name) => (totals.metrics[name] ?? 0) + value);
      reader.release(step + 1);
    }
  } finally {
    reader.close();
  }
  // The batches have the same size, so the mean over the examples is that over the batches.
  const metrics = mapped(totals.metrics, (total) => total / batches);
  return {
    loss: totals.loss / batches,
    accuracy: totals.accuracy / batches,
    ...(Object.keys(metrics).length > 0 && { metrics }),
    count: batches * batchSize,
  };
}

/** The number of batches of a stream that has an end, and can be read from its start at each evaluation. */
function batchesOf({ name: where, stepsPerEpoch, batches }: DataStream): number {
  if (typeof batches !== "function") {
    const what = "this stream may have been read before, and has no start to evaluate from";
    throw new OptionError({ where, what, fix: "Give batches as a function (fromStep, batchSize) => batches" });
  }
  if (stepsPerEpoch !== undefined) return stepsPerEpoch;
  const what = "this stream does not say how many batches an evaluation has";
  throw new OptionError({ where, what, fix: "Give it stepsPerEpoch" });
}

/** The rows of a slot. */
function rowsAt(rows: Columns, slot: number, count: number): Columns {
  const entries = Object.entries(rows).map(([name, column]) => {
    const length = count * widthOf(column);
    const values = column.values.subarray(slot * length, (slot + 1) * length);
    return [name, { values, shape: column.shape }] as const;
  });
  return Object.fromEntries(entries);
}

/** A batch as a data set of the same task. */
const datasetOf = ({ name, classes, outputs }: DataStream, tensors: Columns, count: number): AnyDataset => ({
  name,
  tensors,
  count,
  ...(classes && { classes }),
  ...(outputs && { outputs }),
});
