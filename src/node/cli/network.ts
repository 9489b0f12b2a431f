import { makeDataset, standardization, unitScale, type Dataset, type Normalization } from "../../data/dataset.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { dense, flatten } from "../../nn/layers.ts";
import { sequential, type Model } from "../../nn/sequential.ts";
import type { TrainerOptions } from "../../train/index.ts";
import { optimizers, type NetworkFlags } from "./options.ts";
import { count } from "./text.ts";

/** The network that the options describe, for a data set's examples and classes. */
export function buildNetwork({ hidden, activation, seed }: NetworkFlags, { shape, classes }: Dataset): Model {
  const layers = hidden.map((width) => dense(width, { activation }));
  return sequential([flatten(), ...layers, dense(classes.length)], { inputShape: shape, seed });
}

/** Such as "784-128-10 relu, 101,770 parameters", and with what other precision than float32 it is trained. */
export function describeNetwork({ hidden, activation, precision }: NetworkFlags, model: Model): string {
  const widths = [sizeOf(model.inputShape), ...hidden, ...model.outputShape].join("-");
  const parameters = model.parameters.reduce((sum, { size }) => sum + size, 0);
  const products = precision === "float32" ? "" : `, ${precision} products`;
  return `${widths}${hidden.length > 0 ? ` ${activation}` : ", linear"}, ${count(parameters)} parameters${products}`;
}

/** What of a trainer's options the network's options settle. */
export function stepOptions(
  flags: NetworkFlags,
): Required<Pick<TrainerOptions, "loss" | "optimizer" | "batchSize" | "seed" | "precision">> {
  const { loss, optimizer, batch, seed, precision } = flags;
  return { loss, optimizer: optimizers[optimizer](), batchSize: batch, seed, precision };
}

/** How the network sees the pixels. */
export function normalizationOf({ standardize }: NetworkFlags, dataset: Dataset): Normalization {
  return standardize ? standardization(dataset.features) : unitScale;
}

/** A data set of MNIST's size, all black: for what depends on shapes alone. */
export function blankMnist(): Dataset {
  const [examples, side] = [60_000, 28];
  return makeDataset({
    name: "blank pictures",
    features: new Uint8Array(examples * side * side),
    shape: [side, side],
    labels: new Uint32Array(examples),
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  });
}
