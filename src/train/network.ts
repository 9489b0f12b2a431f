/*
 * Models of both kinds as functions of named inputs to named outputs.
 */
import type { DType, Shape, Tensor } from "../graph/tensor.ts";
import type { AnyModel, FunctionalModel, NamedTensors } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import type { ApplyOptions } from "../nn/layers/layer.ts";

/** What a model's loss and metrics get: the output of a `Model`, or the named outputs of a `FunctionalModel`. */
export type OutputsOf<Kind extends AnyModel> =
  Kind extends FunctionalModel<string, infer Output> ? NamedTensors<Output> : Tensor;

/** A model as the graphs of training use it. */
export interface Network {
  readonly model: AnyModel;
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;
  readonly outputs: Readonly<Record<string, Shape>>;
  apply(inputs: NamedTensors, options?: ApplyOptions): NamedTensors;
}

/** The name of a `Model`'s input: the column of a batch that it takes. */
export const FEATURES = "features";

const OUTPUTS = "outputs";

/** The model as a network. The output of a `Model` is named `outputs`. */
export function networkOf(model: AnyModel): Network {
  if (isFunctional(model)) {
    const { inputs, outputs } = model;
    return { model, inputs, outputs, apply: (tensors, options) => model.apply(tensors, options) };
  }
  return {
    model,
    inputs: { [FEATURES]: { shape: model.inputShape, dtype: "float32" } },
    outputs: { [OUTPUTS]: model.outputShape },
    apply: (tensors, options) => ({ [OUTPUTS]: model.apply(tensors[FEATURES]!, options) }),
  };
}

/** The outputs as functions of the user get them. */
export const shownOutputs = ({ model }: Network, outputs: NamedTensors): Tensor | NamedTensors =>
  isFunctional(model) ? outputs : outputs[OUTPUTS]!;

/** The only entry of a record; undefined if there are several. */
export function onlyOf<Value>(record: Readonly<Record<string, Value>>): Value | undefined {
  const values = Object.values(record);
  return values.length === 1 ? values[0] : undefined;
}
