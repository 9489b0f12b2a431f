import { OptionError, optionName } from "../../errors.ts";
import { isPositiveFloat32 } from "../../float32.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sampleBilinear2d, type Coordinates } from "../../ops/convolution/index.ts";
import { add, cos, divide, multiply, sin, subtract } from "../../ops/elementwise/index.ts";
import type { Augmentation } from "../augmentation.ts";
import { requireNumber } from "../checks.ts";
import { drawBetween, perExample } from "./draws.ts";
import {
  changeImages,
  distanceOn,
  pixelsFrom,
  requireDistance,
  requireFill,
  stored,
  type Distance,
  type FillOptions,
} from "./images.ts";

/** The options of `affine`. Each part is left out by default. */
export interface RandomAffineOptions extends FillOptions {
  /** The largest angle in degrees: uniform in ±rotate, about the center; in [0, 180]. */
  readonly rotate?: number;
  /** The largest shift along each axis: uniform in ± this distance, not only whole pixels. */
  readonly shift?: Distance;
  /** The smallest and the largest factor of enlargement: uniform between them, about the center; both above 0. */
  readonly scale?: readonly [smallest: number, largest: number];
}

/**
 * Rotates, shifts and scales each image at random. All of it is one bilinear interpolation, so that images are blurred
 * once. `rotate` and `scale` are special cases; `shift` moves by whole pixels without interpolation.
 *
 * @example
 * ```ts
 * augmentations.affine({ rotate: 10, shift: { pixels: 2 }, scale: [0.9, 1.1], fill: -0.42 });
 * ```
 *
 * @throws OptionError for an option outside its range
 */
export function affine(options: RandomAffineOptions): Augmentation {
  return affineNamed("affine", options);
}

/** `affine` for a special case, whose range is option `as`. */
export function affineNamed(name: string, options: RandomAffineOptions, as?: string): Augmentation {
  const { rotate = 0, shift = { pixels: 0 }, scale = [1, 1] } = options;
  requireNumber(`${name} ${as ?? "rotate"}`, rotate, rotate >= 0 && rotate <= 180, "degrees in [0, 180]");
  requireDistance(`${name} shift`, shift);
  requireFactors(`${name} ${as ?? "scale"}`, scale);
  const fill = requireFill(name, options);
  return {
    name,
    apply: (batch, context) =>
      changeImages(name, batch, (images) => {
        const [down, across] = distanceOn(shift, images);
        const drawn = drawBetween(context, images.shape[0]!, [
          [-rotate * DEGREE, rotate * DEGREE],
          scale,
          [-down, down],
          [-across, across],
        ]);
        return sampleBilinear2d(stored(images), sourcesOf(images, drawn as unknown as Transformation), { fill });
      }),
  };
}

function requireFactors(where: string, factors: readonly [smallest: number, largest: number]): void {
  const isAllowed =
    Array.isArray(factors) &&
    factors.length === 2 &&
    factors.every((factor) => isPositiveFloat32(factor)) &&
    factors[0] <= factors[1];
  if (isAllowed) return;
  throw new OptionError({
    where: optionName(where),
    what: `${JSON.stringify(factors)} is out of range`,
    fix: "Give two factors above 0, the smaller one first",
  });
}

const DEGREE = Math.PI / 180;

/** A rotation about the center in radians, an enlargement, and a shift down and to the right, each [examples]. */
type Transformation = readonly [angle: Tensor, factor: Tensor, down: Tensor, across: Tensor];

/**
 * Where each pixel comes from: center + R(−angle) (pixel − center − shift) / factor. All that does not depend on the
 * pixel is computed once per example.
 */
function sourcesOf(images: Tensor, [angle, factor, down, across]: Transformation): Coordinates {
  const center = [(images.shape[1]! - 1) / 2, (images.shape[2]! - 1) / 2] as const;
  const cosine = divide(cos(angle), factor);
  const sine = divide(sin(angle), factor);
  const originRow = subtract(center[0], add(multiply(cosine, down), multiply(sine, across)));
  const originColumn = subtract(center[1], subtract(multiply(cosine, across), multiply(sine, down)));
  const [c, s, row, column] = [cosine, sine, originRow, originColumn].map((values) => perExample(values, 3)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const [y, x] = pixelsFrom(center, images.shape.slice(0, 3));
  return [add(add(multiply(c, y), multiply(s, x)), row), add(subtract(multiply(c, x), multiply(s, y)), column)];
}
