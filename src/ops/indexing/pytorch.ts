import type { PytorchOpForm } from "../forms.ts";
import { sourceOf } from "./axis-map.ts";
import type { ConcatAttributes } from "./concat.ts";
import { movedAxes, takenAlongAxis, takenAxis } from "./exported.ts";
import type { MoveAttributes } from "./move.ts";

/** PyTorch has no slices with a negative step. */
const slice: PytorchOpForm = ([x], place) =>
  movedAxes("slice", place).reduce((code, { axis, map: { start, step }, to }) => {
    const end = start + step * to;
    if (step < 0) return `${code}.index_select(${axis}, torch.arange(${start}, ${end}, ${step}, device=${x}.device))`;
    return `${code}[${":, ".repeat(axis)}${start}:${end}${step === 1 ? "" : `:${step}`}]`;
  }, x!);

/** PyTorch pads the last axes first. Its other modes pad only some axes of images, so elements are selected instead. */
const pad: PytorchOpForm = ([x], place) => {
  const axes = movedAxes("pad", place);
  if (axes[0]!.map.outside !== "fill") {
    return axes.reduce((code, axis) => {
      const positions = Array.from({ length: axis.to }, (_, position) => sourceOf(axis, position));
      return `${code}.index_select(${axis.axis}, torch.tensor([${positions.join(", ")}], device=${x}.device))`;
    }, x!);
  }
  const widths = place.shape.map((_, axis) => {
    const moved = axes.find((one) => one.axis === axis);
    return moved ? [-moved.map.start, moved.to - moved.from + moved.map.start] : [0, 0];
  });
  const { fill } = place.attributes as MoveAttributes;
  return `nn.functional.pad(${x}, (${widths.toReversed().flat().join(", ")}), value=${fill})`;
};

export const pytorch: Readonly<Record<string, PytorchOpForm>> = {
  slice,
  flip: slice,
  pad,
  concat: (inputs, { attributes }) => `torch.cat([${inputs.join(", ")}], ${(attributes as ConcatAttributes).axis})`,
  take: ([x, indices], place) => `${x}[${":, ".repeat(takenAxis(place))}${indices}]`,
  takeAlong: ([x, indices], place) => `${x}.gather(${takenAlongAxis(place)}, ${indices})`,
};
