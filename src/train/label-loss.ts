import type { DataDescription } from "../data/columns.ts";
import { IGNORED_TOKEN } from "../data/text/tokenizer.ts";
import { DataError, OptionError } from "../errors.ts";
import { sameShape, Tensor, type Shape } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { softmaxCrossEntropy } from "../ops/losses/index.ts";
import { onlyOf } from "./network.ts";

/**
 * softmaxCrossEntropy by its name, for a data set of tensors: the mean over all labels of −log p(label), as PyTorch's
 * nn.CrossEntropyLoss computes it.
 * @param outputs logits [batch, …, classes], as a tensor or as the only named output
 * @param batch with `labels`, uint32 [batch, …]; those that are `IGNORED_TOKEN` do not count
 * @returns a scalar, NaN if all labels are ignored
 */
export const labelLoss = (outputs: Tensor | NamedTensors, { labels }: Batch): Tensor =>
  softmaxCrossEntropy(outputs instanceof Tensor ? outputs : onlyOf(outputs)!, labels!, { ignore: IGNORED_TOKEN });

/**
 * Requires that a model has logits for each label.
 * @param output the shape of an example of the only output
 * @throws OptionError for another output; DataError for a label that is not a class
 */
export function requireLabels(output: Shape | undefined, { name, columns, labels }: DataDescription): void {
  const where = "softmaxCrossEntropy";
  const shape = columns["labels"]?.shape;
  if (!shape) {
    const fix = "Give a data set with a uint32 tensor named labels";
    throw new OptionError({ where, what: `${name} has no labels`, fix });
  }
  if (!output || output.length === 0 || !sameShape(output.slice(0, -1), shape)) {
    const found = output ? `an output of shape [${output.join(", ")}]` : "several outputs";
    const what = `the model has ${found}, but an example has labels of shape [${shape.join(", ")}]`;
    const fix = `Give a model with one output, [${[...shape, "classes"].join(", ")}], or a loss that is a function`;
    throw new OptionError({ where, what, fix });
  }
  const classes = output.at(-1)!;
  const wrong = labels?.findIndex((label) => label >= classes && label !== IGNORED_TOKEN) ?? -1;
  if (wrong < 0) return;
  const perExample = shape.reduce((product, size) => product * size, 1);
  const what = `label ${labels![wrong]} of example ${Math.floor(wrong / perExample)} is outside 0 … ${classes - 1}`;
  const fix = "Check that the labels belong to these classes; IGNORED_TOKEN marks those that do not count";
  throw new DataError({ where: name, what, fix });
}
