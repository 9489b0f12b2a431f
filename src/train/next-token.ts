import { IGNORED_TOKEN } from "../data/text/tokenizer.ts";
import { GraphError } from "../errors.ts";
import { constant } from "../graph/leaves.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { equal, maximum } from "../ops/elementwise/index.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { argmax, mean, min } from "../ops/reduce/index.ts";
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
 * The loss for a `SequenceTask`: the mean over the tokens of the answers of −log p(token), in nats.
 * @param outputs logits [batch, context, vocabulary], as a tensor or as the only named output
 * @param batch with `targets`, uint32 [batch, context]; those that are `IGNORED_TOKEN` do not count
 * @returns a scalar
 * @throws GraphError for other shapes, or several outputs
 */
export function answerLoss(outputs: Tensor | NamedTensors, batch: Batch): Tensor {
  const { logits, targets } = fitting("answerLoss", outputs, batch);
  return softmaxCrossEntropy(logits, targets, { ignore: IGNORED_TOKEN });
}

/**
 * A metric for a `SequenceTask`: 1 for each example of which the model gives the whole answer if it always takes the most
 * likely token, else 0. Its mean is the fraction of exact answers. It is computed without generating: an answer is exact if
 * each of its tokens is the most likely one after the true tokens before it.
 * @returns [batch]
 * @throws GraphError, as `answerLoss` does
 */
export function exactAnswers(outputs: Tensor | NamedTensors, batch: Batch): Tensor {
  const { logits, targets } = fitting("exactAnswers", outputs, batch);
  const isQuestion = equal(targets, constant(IGNORED_TOKEN, [], "uint32"));
  return min(maximum(isQuestion, equal(argmax(logits, { axes: -1 }), targets)), { axes: 1 });
}

function fitting(
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
