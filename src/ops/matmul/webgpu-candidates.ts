/*
 * The tilings that the tuner measures for a product.
 */
import type { LaunchLimits } from "../kernel.ts";
import type { MatmulAttributes } from "./index.ts";
import { matrixTiling, possibleTilings, usualTiling, type TileSizes, type Tiling } from "./webgpu-tilings.ts";

/**
 * The maximum number of candidates per class that a tuner measures by default: of the kernel of the rule of thumb, and of shuffles.
 * GPUs compile and run them faster.
 */
const MOST_CANDIDATES = { software: 5, hardware: 8, shuffles: 4 };

/**
 * A tiling is not a candidate if, because of padding, it would compute at least this many times the outputs of the
 * product.
 */
const MOST_PADDING = 2;

/** The outputs that a tiling computes for a product, with those outside it. */
const paddedOutputs = ({ rows, columns }: MatmulAttributes, { tileRows, tileColumns }: TileSizes) =>
  Math.ceil(rows / tileRows) * tileRows * Math.ceil(columns / tileColumns) * tileColumns;

/**
 * The tilings that compute at most `times` the outputs that the one with the fewest computes, of those with the kernel of the rule
 * of thumb.
 */
function fittingTilings(attributes: MatmulAttributes, limits: LaunchLimits, times: number): [string, Tiling][] {
  const possible = possibleTilings(attributes, limits);
  const { kernel } = possible[usualTiling(attributes, limits)]!;
  const sameKernel = Object.values(possible).filter((tiling) => tiling.kernel === kernel);
  const least = Math.min(...sameKernel.map((tiling) => paddedOutputs(attributes, tiling)));
  return Object.entries(possible).filter(([, tiling]) => paddedOutputs(attributes, tiling) <= times * least);
}

/** On GPUs, full tuning leaves out tilings that would compute more than this many times the outputs. */
const MOST_PADDING_OF_ALL = 4;

/** The names of the tilings that full tuning measures: all, but on GPUs those that mostly compute padding. */
export const tunedTilings = (attributes: MatmulAttributes, limits: LaunchLimits): string[] =>
  matrixTiling(attributes, limits)
    ? []
    : fittingTilings(attributes, limits, limits.software ? Infinity : MOST_PADDING_OF_ALL).map(([name]) => name);

/**
 * The names of the tilings that may be fastest for a product: first that of the rule of thumb, then others of the same
 * kind whose tiles fit, those closest in size first, then some with shuffles, in this order too.
 */
export function promisingTilings(attributes: MatmulAttributes, limits: LaunchLimits): string[] {
  if (matrixTiling(attributes, limits)) return [];
  const name = usualTiling(attributes, limits);
  const usual = possibleTilings(attributes, limits)[name]!;
  const area = ({ tileRows, tileColumns }: Tiling) => Math.log2(tileRows * tileColumns);
  const distance = (tiling: Tiling) => Math.abs(area(tiling) - area(usual));
  const others = fittingTilings(attributes, limits, MOST_PADDING)
    .filter(([other]) => other !== name)
    .sort(([, a], [, b]) => distance(a) - distance(b));
  const namesOf = (kernel: Tiling["kernel"]) =>
    others.filter(([, tiling]) => tiling.kernel === kernel).map(([other]) => other);
  const sameKind = [name, ...namesOf(usual.kernel)].slice(
    0,
    MOST_CANDIDATES[limits.software ? "software" : "hardware"],
  );
  return [...sameKind, ...namesOf("shuffles").slice(0, MOST_CANDIDATES.shuffles)];
}
