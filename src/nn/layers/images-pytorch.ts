/*
 * PyTorch's modules for images and signals have the channels before the other axes. In wgrad they are last.
 */
import type { Shape } from "../../graph/tensor.ts";
import { sidesOf, type Pair, type Sides } from "../../ops/convolution/index.ts";
import type { LayerPlace, PytorchChainOptions, PytorchModule, PytorchPlace } from "./forms.ts";
import { channelsFirstAxes, type LayerWindows } from "./images.ts";
import type { LayerConfig } from "./layer.ts";
import { inverseAxes } from "./permute.ts";

const PERMUTE = `class Permute(nn.Module):
    def __init__(self, *axes):
        super().__init__()
        self.axes = axes
    def forward(self, x):
        return x.permute(self.axes)`;

function permute(axes: readonly number[]): PytorchModule {
  return { code: `Permute(${axes.join(", ")})`, definitions: [PERMUTE], permutes: axes };
}

/**
 * Moves the channels before the other axes.
 * @param inputShape the shape of one example, whose channel axis may be missing
 * @param axes the number of axes, including the channels
 */
export const toChannelsFirst = (inputShape: Shape, axes: number): PytorchModule =>
  inputShape.length === axes ? permute(channelsFirstAxes(axes)) : { code: `nn.Unflatten(1, (1, ${inputShape[0]}))` };

/** Moves the channels after the other axes. */
export const toChannelsLast = (axes: number): PytorchModule => permute(inverseAxes(channelsFirstAxes(axes)));

/** Wraps modules that expect channels first in permutations. The parameters are those of `toChannelsFirst`. */
export const channelsFirst = (inputShape: Shape, axes: number, modules: readonly PytorchModule[]): PytorchModule[] => [
  toChannelsFirst(inputShape, axes),
  ...modules,
  toChannelsLast(axes),
];

/**
 * A module of layers on images. If it makes the code shorter, the permutations around its convolutions are moved around
 * the whole module, where they can cancel those of other layers.
 * @param make makes the module, with modules before and after the inner layers
 */
export function shortest(
  { inputShape, outputShape }: PytorchPlace,
  make: (around?: PytorchChainOptions) => PytorchModule,
): PytorchModule[] {
  const plain = make();
  if (inputShape.length !== 3 || outputShape.length !== 3) return [plain];
  const [first, last] = [toChannelsFirst(inputShape, 3), toChannelsLast(3)];
  const permuted = make({ before: last, after: first });
  return permuted.code.length < plain.code.length ? [first, permuted, last] : [plain];
}

/** A tuple, or one number for two equal ones. */
export const pairCode = ([height, width]: Pair): string => (height === width ? `${height}` : `(${height}, ${width})`);

/** Keyword arguments, without those that have their default value. */
export const argumentsCode = (named: readonly (readonly [name: string, code: string, usual: string])[]): string =>
  named.map(([name, code, usual]) => (code === usual ? "" : `, ${name}=${code}`)).join("");

/**
 * The padding argument of a module that pads both sides equally. For other padding, a module that pads the input
 * with a value.
 * @param pooled the window of a pooling module, which refuses padding of more than half the window
 */
export function paddingCode(
  [[top, bottom], [left, right]]: Sides,
  value: string,
  pooled?: Pair,
): { readonly padding: string; readonly before: PytorchModule[] } {
  const isAllowed = !pooled || (2 * top <= pooled[0] && 2 * left <= pooled[1]);
  if (top === bottom && left === right && isAllowed) return { padding: pairCode([top, left]), before: [] };
  return { padding: "0", before: [{ code: `nn.ConstantPad2d((${left}, ${right}, ${top}, ${bottom}), ${value})` }] };
}

/** The padding on each side of a layer's images. */
export const layerSides = (
  where: string,
  { inputShape }: { readonly inputShape: Shape },
  options: LayerWindows,
): Sides => sidesOf(where, [inputShape[0]!, inputShape[1]!], options.window, options);

/** The modules of a pooling layer whose padding has a given value. */
export function poolModules(module: string, config: LayerConfig, { inputShape }: LayerPlace, value: string) {
  const windows = config as unknown as LayerWindows;
  const sides = layerSides(module, { inputShape }, windows);
  const { padding, before } = paddingCode(sides, value, windows.window);
  const more = argumentsCode([
    ["stride", pairCode(windows.stride), pairCode(windows.window)],
    ["padding", padding, "0"],
  ]);
  return channelsFirst(inputShape, 3, [...before, { code: `nn.${module}(${pairCode(windows.window)}${more})` }]);
}
