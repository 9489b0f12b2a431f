import { GraphError } from "../errors.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { reshape } from "../ops/layout/index.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { mean } from "../ops/reduce/index.ts";
import { onlyOf } from "./network.ts";

/**
 * The default loss for a text: the mean over the positions of −log p(next token), in nats. The perplexity is its
 * exponential.
 * @param outputs logits [batch, context, vocabulary], as a tensor or as the only named output
 * @param batch with `targets`, uint32 [batch, context], each below the vocabulary
 * @returns one number per window, [batch]
 * @throws GraphError for other shapes, or several outputs
 */
export function nextTokenLoss(outputs: Tensor | NamedTensors, { targets }: Batch): Tensor {
  const logits = outputs instanceof Tensor ? outputs : onlyOf(outputs);
  const [batch = 0, context = 0, vocabulary = 0] = logits?.shape ?? [];
  const fits =
    logits?.shape.length === 3 && targets?.dtype === "uint32" && targets.shape.join() === `${batch},${context}`;
  if (!fits) {
    throw new GraphError({
      where: "nextTokenLoss",
      what: `${logits ?? "several outputs"} with the targets ${targets}`,
      fix: "Give a model with one output, [context, vocabulary], and uint32 targets [batch, context]",
    });
  }
  const rows = batch * context;
  const losses = softmaxCrossEntropy(reshape(logits, [rows, vocabulary]), reshape(targets, [rows]), "none");
  return mean(reshape(losses, [batch, context]), { axes: 1 });
}
