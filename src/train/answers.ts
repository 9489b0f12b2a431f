import { IGNORED_TOKEN } from "../data/text/tokenizer.ts";
import { constant } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { equal, maximum } from "../ops/elementwise/index.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { argmax, min } from "../ops/reduce/index.ts";
import { fitting } from "./next-token.ts";

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
