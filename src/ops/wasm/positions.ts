/*
 * Positions along an axis that may lie outside of it: elements of padding, and places between elements.
 */
import { choice, constantIndex, difference, quotient, remainder, type Index } from "./indices.ts";
import { bits, instruction, type Vector } from "./vectors.ts";

/** No element of any axis. */
const NOWHERE = 2 ** 32 - 1;

/**
 * The element (at − shift) / divisor of an axis. A number that no axis has stands for what lies before the first element
 * or between two.
 * @param shift a multiple of the divisor
 */
export function elementAt(at: Index, shift: number, divisor: number): Index {
  const element = difference(quotient(at, divisor), shift / divisor);
  return choice(remainder(at, divisor), 1, element, constantIndex(NOWHERE));
}

/** The element, or the first one where an axis of `size` elements has none there. */
export function nearestOf(element: Index, size: number): Index {
  return { ...choice(element, size, element, constantIndex(0)), limit: size };
}

/** A mask: whether an axis of `size` elements has an element there. */
export const isInside = (element: Index, size: number): Vector =>
  instruction("i32x4.lt_u", { kind: "integers", index: element }, bits(size));

/** The value where all masks are set, else the number. */
export function whereAll(masks: readonly Vector[], value: Vector, otherwise: number): Vector {
  const mask = masks.reduce<Vector | undefined>(
    (both, other) => (both ? instruction("v128.and", both, other) : other),
    undefined,
  );
  return mask ? instruction("v128.bitselect", value, otherwise, mask) : value;
}
