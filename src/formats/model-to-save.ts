/*
 * What the functions that write models take: a trained model, in which what has a default may be left out.
 */
import { isFunctional } from "../nn/is-functional.ts";
import type { AnyTrainedModel, TrainedFunctionalModel } from "./functional.ts";
import type { Facts } from "./metadata.ts";
import type { TrainedModel } from "./model.ts";

/** A trained model that is to be saved. */
export interface ModelToSave extends Omit<TrainedModel, "classes" | "training"> {
  /** The names of the classes; none by default, as for regression and for models of texts. */
  readonly classes?: readonly string[];
  /** The options of the training, for readers of the file; none by default. */
  readonly training?: Facts;
}

/** A trained functional model that is to be saved. */
export interface FunctionalModelToSave<Input extends string = string, Output extends string = string> extends Omit<
  TrainedFunctionalModel<Input, Output>,
  "training"
> {
  /** The options of the training, for readers of the file; none by default. */
  readonly training?: Facts;
}

/** A trained model of either kind that is to be saved. */
export type AnyModelToSave = ModelToSave | FunctionalModelToSave;

/** The model with the defaults of what was left out. */
export function withDefaults(given: AnyModelToSave): AnyTrainedModel {
  const { training = {} } = given;
  if (isFunctional(given.model)) return { ...(given as FunctionalModelToSave), training };
  const { classes = [], ...rest } = given as ModelToSave;
  return { ...rest, classes, training };
}
