/*
 * The stages of the convolutional network, and what a pixel of a feature map depends on.
 */

/** The side of the network's input, in pixels. */
export const PICTURE_SIDE = 28;

/** A layer that computes feature maps. */
export interface Stage {
  readonly kind: "convolution" | "pooling";
  /** The number of its feature maps, and of those of its input. */
  readonly maps: number;
  readonly inputMaps: number;
  /** The side of a feature map, in pixels. */
  readonly side: number;
  /** The side of its window, and how far the window moves. */
  readonly window: number;
  readonly stride: number;
}

/** Two convolutions with pooling, as in LeNet-5 (LeCun et al. 1998). A layer of ten outputs follows them. */
export const stages: readonly Stage[] = chain([
  { kind: "convolution", maps: 8, window: 5, stride: 1 },
  { kind: "pooling", maps: 8, window: 2, stride: 2 },
  { kind: "convolution", maps: 16, window: 5, stride: 1 },
  { kind: "pooling", maps: 16, window: 2, stride: 2 },
]);

/** The units of the hidden layer of the dense network. */
export const DENSE_UNITS = 32;

function chain(parts: readonly Omit<Stage, "inputMaps" | "side">[]): Stage[] {
  let [inputMaps, side] = [1, PICTURE_SIDE];
  return parts.map((part) => {
    const stage = { ...part, inputMaps, side: Math.floor((side - part.window) / part.stride) + 1 };
    [inputMaps, side] = [stage.maps, stage.side];
    return stage;
  });
}

/** A pixel of a feature map. */
export interface Pixel {
  /** The index of the stage in `stages`. */
  readonly stage: number;
  readonly map: number;
  readonly row: number;
  readonly column: number;
}

/** A square of pixels. */
export interface Area {
  readonly row: number;
  readonly column: number;
  readonly side: number;
}

/** The pixels of the stage's input that an area of its feature maps depends on. */
function areaBefore(stage: number, { row, column, side }: Area): Area {
  const { window, stride } = stages[stage]!;
  return { row: row * stride, column: column * stride, side: (side - 1) * stride + window };
}

/** The patch of the stage's input that a pixel is computed from. */
export const patchArea = ({ stage, row, column }: Pixel): Area => areaBefore(stage, { row, column, side: 1 });

/** The part of the picture that a pixel depends on. */
export function receptiveField({ stage, row, column }: Pixel): Area {
  let area: Area = { row, column, side: 1 };
  for (let index = stage; index >= 0; index--) area = areaBefore(index, area);
  return area;
}

/** A value of feature maps in the layout [row, column, map]. */
export const valueAt = (values: ArrayLike<number>, { stage, map, row, column }: Pixel): number => {
  const { side, maps } = stages[stage]!;
  return values[(row * side + column) * maps + map]!;
};

/** The values and parameters of a network, as far as an explanation needs them. */
export interface NetworkValues {
  /** 784 bytes, 0 … 255. The network divides them by 255. */
  readonly picture: ArrayLike<number>;
  /** The feature maps of each stage, [row, column, map]. */
  readonly maps: readonly ArrayLike<number>[];
  /** The weights [row, column, input map, map] and biases of each convolution, in the order of the stages. */
  readonly filters: readonly { readonly weights: ArrayLike<number>; readonly biases: ArrayLike<number> }[];
}

/** The index of a stage's convolution in `NetworkValues.filters`. */
const convolutionIndex = (stage: number): number =>
  stages.slice(0, stage).filter(({ kind }) => kind === "convolution").length;

/** The filter of one feature map for one map of the input, row by row. */
export function filterOf({ filters }: Pick<NetworkValues, "filters">, stage: number, map: number, input: number) {
  const { window, inputMaps, maps } = stages[stage]!;
  const { weights } = filters[convolutionIndex(stage)]!;
  return Float32Array.from(
    { length: window * window },
    (_, index) => weights[(index * inputMaps + input) * maps + map]!,
  );
}

/** How a pixel is computed: the products of each patch and filter are summed, or the largest value is taken. */
export interface Explanation {
  /** The patch of each input map that counts, row by row, with its filter and the sum of their products. */
  readonly parts: readonly { readonly patch: Float32Array; readonly filter: Float32Array; readonly sum: number }[];
  /** 0 for pooling. */
  readonly bias: number;
  /** All sums and the bias, before ReLU; for pooling, the largest value. */
  readonly total: number;
}

/** Computes a pixel from the values before it. */
export function explain(network: NetworkValues, pixel: Pixel): Explanation {
  const { kind, inputMaps } = stages[pixel.stage]!;
  if (kind === "pooling") {
    const patch = patchOf(network, pixel, pixel.map);
    const largest = Math.max(...patch);
    return { parts: [{ patch, filter: new Float32Array(), sum: largest }], bias: 0, total: largest };
  }
  const parts = Array.from({ length: inputMaps }, (_, input) => {
    const patch = patchOf(network, pixel, input);
    const filter = filterOf(network, pixel.stage, pixel.map, input);
    return { patch, filter, sum: patch.reduce((sum, value, index) => sum + value * filter[index]!, 0) };
  });
  const bias = network.filters[convolutionIndex(pixel.stage)]!.biases[pixel.map]!;
  return { parts, bias, total: parts.reduce((total, { sum }) => total + sum, bias) };
}

/** The values of one input map that a pixel is computed from, row by row. */
function patchOf({ picture, maps }: NetworkValues, pixel: Pixel, input: number): Float32Array {
  const { row, column, side } = patchArea(pixel);
  const before = pixel.stage - 1;
  return Float32Array.from({ length: side * side }, (_, index) => {
    const [y, x] = [row + Math.floor(index / side), column + (index % side)];
    if (before < 0) return picture[y * PICTURE_SIDE + x]! / 255;
    return valueAt(maps[before]!, { stage: before, map: input, row: y, column: x });
  });
}
