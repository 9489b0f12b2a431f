import { tensorCode, type PytorchOpForm } from "../forms.ts";
import { oneAxis, reducedAxesOf } from "./exported-axes.ts";

const method =
  (name: string): PytorchOpForm =>
  ([x], place) =>
    `${tensorCode(x!)}.${name}((${reducedAxesOf(place).join(", ")},), keepdim=True)`;

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  sum: method("sum"),
  mean: method("mean"),
  max: method("amax"),
  // PyTorch's product takes one axis.
  product: ([x], place) =>
    reducedAxesOf(place).reduce((code, axis) => `${code}.prod(${axis}, keepdim=True)`, tensorCode(x!)),
  argmax: ([x], place) => `${tensorCode(x!)}.argmax(${oneAxis("argmax", place)}, keepdim=True)`,
};
