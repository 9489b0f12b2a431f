/*
 * Losses in files, which store only their names.
 */
import { DataError, excerpt, OptionError } from "../errors.ts";
import { losses, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { NOT_A_MODEL } from "./metadata.ts";

const isLossName = (name: string): name is LossName => Object.hasOwn(losses, name);

/** @throws OptionError for a custom loss with the name of a built-in one, and for a value that is not a loss */
export function lossName(loss: LossName | TrainingLoss): string {
  if (typeof loss === "string") return loss;
  if (typeof loss !== "object" || loss === null) {
    const fix = 'Give the loss that the model was trained with, such as "softmaxCrossEntropy"';
    throw new OptionError({ where: "loss", what: `${excerpt(loss)} is not a loss that a file can name`, fix });
  }
  const { name } = loss;
  if (!isLossName(name) || losses[name] === loss) return name;
  throw new OptionError({
    where: "loss",
    what: `"${name}" is the name of a built-in loss`,
    fix: "Choose another name",
  });
}

/**
 * The loss that a file names.
 * @param own the custom losses among which it may be
 * @throws DataError for a name that is not known
 */
export function lossNamed(name: string, where: string, own: readonly TrainingLoss[] = []): LossName | TrainingLoss {
  const found = own.find((loss) => loss.name === name) ?? (isLossName(name) ? name : undefined);
  if (found !== undefined) return found;
  const what = `the metadata's entry "loss" is ${JSON.stringify(name)}, which is not a built-in loss; a custom one must be given as { losses: [loss] }`;
  throw new DataError({ where, what, fix: NOT_A_MODEL });
}
