import { GraphError } from "../../errors.ts";
import { constant, requireHeld } from "../../graph/leaves.ts";
import { requireType, type Tensor } from "../../graph/tensor.ts";
import { add, multiply } from "../elementwise/index.ts";
import { flip } from "../indexing/index.ts";
import { reshape } from "../layout/index.ts";

const BASE = 10_000;

/** The options of `rotateByPosition`. */
export interface RotationOptions {
  /** The axis of the positions; the second to last by default. Negative ones count from the last. */
  readonly axis?: number;
  /** The base of the angles, above 1; 10,000 by default. */
  readonly base?: number;
}

/**
 * Rotary positions (Su et al. 2021, equation 34): rotates each pair of adjacent elements (2i, 2i + 1) of the last axis at
 * position p by the angle p · base^(−2i / width). Products of rotated queries and keys depend only on the distance of
 * their positions.
 * @param x float32 [..., positions, ..., width], with an even width
 * @returns the same shape
 * @throws GraphError for an odd width, an axis that the tensor does not have, or a base that is not above 1
 */
export function rotateByPosition(x: Tensor, { axis = -2, base = BASE }: RotationOptions = {}): Tensor {
  const where = "rotateByPosition";
  requireType(where, x, "float32");
  requireHeld(`${where} base`, base);
  const last = x.shape.length - 1;
  const at = axis < 0 ? axis + last + 1 : axis;
  const width = x.shape[last] ?? 0;
  if (!Number.isInteger(at) || at < 0 || at >= last || width % 2 !== 0 || base <= 1) {
    throw new GraphError({
      where,
      what: `${x} along axis ${axis} with base ${base}`,
      fix: "Give an even last axis, an axis of positions before it, and a base above 1",
    });
  }
  const positions = x.shape[at]!;
  const shape = [positions, ...x.shape.slice(at + 1, last).map(() => 1), width];
  const { cosines, sines } = rotationTables(positions, width, base);
  const pairs = reshape(x, [...x.shape.slice(0, -1), width / 2, 2]);
  const exchanged = reshape(flip(pairs, -1), x.shape);
  return add(multiply(x, constant(cosines, shape)), multiply(exchanged, constant(sines, shape)));
}

/**
 * The factors of each element and of the other element of its pair, [positions, width] row-major: (x₀, x₁) becomes
 * (x₀ cos − x₁ sin, x₁ cos + x₀ sin).
 */
export function rotationTables(positions: number, width: number, base = BASE) {
  const places = Array.from({ length: positions * width }, (_, place) => place);
  const angle = (place: number) => {
    const [position, element] = [Math.floor(place / width), place % width];
    return position * base ** (-(element - (element % 2)) / width);
  };
  return {
    cosines: places.map((place) => Math.cos(angle(place))),
    sines: places.map((place) => (place % 2 === 0 ? -1 : 1) * Math.sin(angle(place))),
  };
}
