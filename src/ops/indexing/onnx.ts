import type { OnnxOpForm } from "../forms.ts";
import { movedAxes, takenAlongAxis, takenAxis } from "./exported.ts";
import type { ConcatAttributes } from "./concat.ts";
import type { MoveAttributes } from "./move.ts";

/** Before the first element, which an end of −1 does not mean. */
const BEFORE_FIRST = -(2 ** 31);

const slice: OnnxOpForm = (writer, place, name, [x]) => {
  const axes = movedAxes("slice", place);
  const list = (own: string, values: readonly number[]) => writer.integers(`${name}.${own}`, values);
  const ends = axes.map(({ map: { start, step }, to }) => {
    const end = start + step * to;
    return end < 0 ? BEFORE_FIRST : end;
  });
  writer.applyTo("Slice", name, [
    x!,
    list(
      "starts",
      axes.map(({ map }) => map.start),
    ),
    list("ends", ends),
    list(
      "axes",
      axes.map(({ axis }) => axis),
    ),
    list(
      "steps",
      axes.map(({ map }) => map.step),
    ),
  ]);
};

const padModes = { fill: "constant", edge: "edge", reflect: "reflect" };

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  slice,
  flip: slice,
  pad(writer, place, name, [x]) {
    const axes = movedAxes("pad", place);
    const before = place.shape.map((_, axis) => -(axes.find((one) => one.axis === axis)?.map.start ?? 0));
    const after = place.shape.map((_, axis) => {
      const moved = axes.find((one) => one.axis === axis);
      return moved ? moved.to - moved.from - before[axis]! : 0;
    });
    const { fill } = place.attributes as MoveAttributes;
    const widths = writer.integers(`${name}.widths`, [...before, ...after]);
    const value = writer.numbers(`${name}.value`, [fill], []);
    writer.applyTo("Pad", name, [x!, widths, value], { mode: { text: padModes[axes[0]!.map.outside] } });
  },
  concat: (writer, { attributes }, name, inputs) =>
    writer.applyTo("Concat", name, inputs, { axis: { int: (attributes as ConcatAttributes).axis } }),
  take: (writer, place, name, inputs) => writer.applyTo("Gather", name, inputs, { axis: { int: takenAxis(place) } }),
  takeAlong: (writer, place, name, inputs) =>
    writer.applyTo("GatherElements", name, inputs, { axis: { int: takenAlongAxis(place) } }),
};
