/*
 * Positions along an axis that may be outside it: in padding, or between elements.
 */
import { choice, constantIndex, difference, quotient, remainder, type Index } from "./indices.ts";
import { bits, instruction, type Vector } from "./vectors.ts";

/** Not an element of any axis. */
const NOWHERE = 2 ** 32 - 1;

/**
 * The element (at − shift) / divisor of an axis. Positions before the first element or between two elements give a
 * number that is not an element of any axis.
 * @param shift a multiple of the divisor
 */
export function elementAt(at: Index, shift: number, divisor: number): Index {
  const element = difference(quotient(at, divisor), shift / divisor);
  return choice(remainder(at, divisor), 1, element, constantIndex(NOWHERE));
}

/** The element, or the first one if the axis has no such element. */
export function nearestOf(element: Index, size: number): Index {
  return { ...choice(element, size, element, constantIndex(0)), limit: size };
}

/** A mask that is set if an axis of `size` elements has the element. */
export const isInside = (element: Index, size: number): Vector =>
  instruction("i32x4.lt_u", { kind: "integers", index: element }, bits(size));

/** The value if all masks are set, otherwise the number. */
export function whereAll(masks: readonly Vector[], value: Vector, otherwise: number): Vector {
  const mask = masks.reduce<Vector | undefined>(
    (both, other) => (both ? instruction("v128.and", both, other) : other),
    undefined,
  );
  return mask ? instruction("v128.bitselect", value, otherwise, mask) : value;
}
