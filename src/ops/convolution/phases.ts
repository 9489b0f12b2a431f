/*
 * Windows on images whose elements are spread, as for the gradient of a convolution with a stride, or for a transposed
 * convolution: most of their positions are in the padding between elements. The results whose windows begin at the same
 * distance from an element have their elements at the same positions. Each such phase is a convolution by these positions
 * of the weights alone.
 */
import { greatestCommonDivisor } from "../../divisors.ts";
import { constant } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { slice, stack } from "../indexing/index.ts";
import { broadcastTo, reshape, transpose } from "../layout/index.ts";
import type { Pair, Windows } from "./windows.ts";

/** The phase of the windows that begin `offset` elements after a multiple of the spread, along one axis. */
interface AxisPhase {
  /** The positions of a window with elements: the first one, and from one to the next. */
  readonly first: number;
  readonly step: number;
  readonly kernel: number;
  readonly dilation: number;
  readonly before: number;
}

/** @returns undefined if these windows are all in padding */
function axisPhase({ kernel, dilation, before, spread }: Windows, axis: 0 | 1, offset: number): AxisPhase | undefined {
  const divisor = greatestCommonDivisor(dilation[axis], spread[axis]);
  const step = spread[axis] / divisor;
  const elementOf = (position: number) => (offset + position * dilation[axis] - before[axis]) / spread[axis];
  for (let first = 0; first < Math.min(step, kernel[axis]); first++) {
    const element = elementOf(first);
    if (!Number.isInteger(element)) continue;
    const positions = Math.ceil((kernel[axis] - first) / step);
    return { first, step, kernel: positions, dilation: dilation[axis] / divisor, before: -element };
  }
  return undefined;
}

/**
 * Results of windows on spread images, which move by one element.
 * @param weights [window height, window width, …]
 * @param product computes one phase, [examples · window rows · window columns, channels], from its part of the weights
 * @returns [examples, window rows, window columns, channels]
 */
export function byPhases(
  [examples, channels]: Pair,
  weights: Tensor,
  windows: Windows,
  product: (weights: Tensor, windows: Windows) => Tensor,
): Tensor {
  const { spread, count } = windows;
  const [rows, columns] = [Math.ceil(count[0] / spread[0]), Math.ceil(count[1] / spread[1])];
  const phase = (down: number, across: number) => {
    const [y, x] = [axisPhase(windows, 0, down), axisPhase(windows, 1, across)];
    if (!y || !x) return broadcastTo(constant(0), [examples, rows, columns, channels]);
    const own = slice(
      weights,
      [y, x].map(({ first, step }) => ({ start: first, step })),
    );
    const values = product(own, {
      kernel: [y.kernel, x.kernel],
      stride: [1, 1],
      dilation: [y.dilation, x.dilation],
      before: [y.before, x.before],
      spread: [1, 1],
      count: [rows, columns],
    });
    return reshape(values, [examples, rows, columns, channels]);
  };
  const phases = Array.from({ length: spread[0] * spread[1] }, (_, place) =>
    phase(Math.floor(place / spread[1]), place % spread[1]),
  );
  const apart = reshape(stack(phases), [...spread, examples, rows, columns, channels]);
  const joined = transpose(apart, [2, 3, 0, 4, 1, 5]);
  const whole = reshape(joined, [examples, rows * spread[0], columns * spread[1], channels]);
  return slice(whole, [undefined, { end: count[0] }, { end: count[1] }]);
}
