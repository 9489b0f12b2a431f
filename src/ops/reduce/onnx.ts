import { operator, type OnnxOpForm } from "../forms.ts";
import { oneAxis, reducedAxesOf } from "./exported-axes.ts";

/** In opset 13, only the sum takes its axes as an input. */
const byAttribute =
  (type: string): OnnxOpForm =>
  (writer, place, name, inputs) =>
    operator(type, { axes: { ints: reducedAxesOf(place) } })(writer, place, name, inputs);

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  sum: (writer, place, name, [x]) =>
    writer.applyTo("ReduceSum", name, [x!, writer.integers(`${name}.axes`, reducedAxesOf(place))]),
  mean: byAttribute("ReduceMean"),
  max: byAttribute("ReduceMax"),
  product: byAttribute("ReduceProd"),
  argmax: (writer, place, name, [x]) =>
    writer.applyTo("ArgMax", name, [x!], { axis: { int: oneAxis("argmax", place) } }),
};
