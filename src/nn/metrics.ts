import { GraphError } from "../errors.ts";
import { requirePositive } from "./checks.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import { equal, greaterEqual, toFloat } from "../ops/elementwise/index.ts";
import { reshape } from "../ops/layout/index.ts";
import { argmax } from "../ops/reduce/index.ts";

/**
 * 1 for each example whose prediction equals its label, else 0; the mean is the accuracy. With several outputs, the
 * prediction is the index of the largest one (the first among equals). A single output predicts class 1 from
 * `threshold` on, and class 0 below.
 * @param outputs [examples, classes], or [examples, 1] for two classes
 * @param labels uint32 [examples]
 * @param threshold 0.5 by default, for outputs in [0, 1]; use 0 for logits
 * @returns float32 [examples]
 * @throws GraphError for other shapes
 */
export function accuracy(outputs: Tensor, labels: Tensor, threshold = 0.5): Tensor {
  if (outputs.shape.length !== 2 || labels.shape.length !== 1 || labels.shape[0] !== outputs.shape[0]) {
    throw new GraphError({
      where: "accuracy",
      what: `outputs ${outputs} and labels ${labels} do not fit`,
      fix: "Give outputs [examples, classes] and integer labels [examples]",
    });
  }
  if (sizeOf(outputs.shape.slice(1)) > 1) return equal(argmax(outputs, { axes: -1 }), labels);
  return equal(greaterEqual(reshape(outputs, labels.shape), threshold), toFloat(labels));
}

/**
 * The perplexity of a language model, e^loss: a uniform guess among as many tokens has the same loss.
 * @param loss the mean cross-entropy of a token, in nats, as `softmaxCrossEntropy` gives it
 */
export const perplexity = (loss: number): number => Math.exp(loss);

/**
 * The information that a language model needs for a character of a text, in bits: loss · tokensPerCharacter / ln 2.
 * @param loss the mean cross-entropy of a token, in nats
 * @param tokensPerCharacter the number of tokens of the text divided by that of its characters; 1 by default, for tokens
 * that are characters
 * @throws OptionError for a number of tokens that is not above 0
 */
export function bitsPerCharacter(loss: number, tokensPerCharacter = 1): number {
  requirePositive("bitsPerCharacter tokensPerCharacter", tokensPerCharacter);
  return (loss * tokensPerCharacter) / Math.LN2;
}
