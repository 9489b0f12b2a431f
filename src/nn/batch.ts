import type { Tensor } from "../graph/tensor.ts";

/**
 * The examples of a step, as tensors by name: `features`, with `labels` for classification or `targets` for regression,
 * or the tensors of a `TensorDataset`. The first axis of each is the example.
 */
export type Batch = Readonly<Record<string, Tensor>>;
