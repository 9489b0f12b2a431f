import { GraphError } from "../errors.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { mean } from "../ops/reduce/index.ts";
import { onlyOf } from "./network.ts";

/**
 * The default loss for a text: the mean over the positions of −log p(next token), in nats; see `perplexity` and
 * `bitsPerCharacter`.
 * @param outputs logits [batch, context, vocabulary], as a tensor or as the only named output
 * @param batch with `targets`, uint32 [batch, context], each below the vocabulary
 * @returns one number per window, [batch]
 * @throws GraphError for other shapes, or several outputs
 */
export function nextTokenLoss(outputs: Tensor | NamedTensors, batch: Batch): Tensor {
  const { logits, targets } = fitting("nextTokenLoss", outputs, batch);
  return mean(softmaxCrossEntropy(logits, targets, "none"), { axes: 1 });
}

/**
 * The logits, which may be the only named output, with the targets that fit them.
 * @throws GraphError for other shapes, or several outputs
 */
export function fitting(
  where: string,
  outputs: Tensor | NamedTensors,
  { targets }: Batch,
): { logits: Tensor; targets: Tensor } {
  const logits = outputs instanceof Tensor ? outputs : onlyOf(outputs);
  const isVector = logits?.shape.length === 3 && targets?.dtype === "uint32";
  if (isVector && targets.shape.join() === logits.shape.slice(0, 2).join()) return { logits, targets };
  throw new GraphError({
    where,
    what: `${logits ?? "several outputs"} with the targets ${targets}`,
    fix: "Give a model with one output, [context, vocabulary], and uint32 targets [batch, context]",
  });
}
