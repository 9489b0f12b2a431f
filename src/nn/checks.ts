import { excerpt, OptionError, optionName } from "../errors.ts";
import { FLOAT32_RANGE, isFloat32, isPositiveFloat32, POSITIVE_FLOAT32_RANGE } from "../float32.ts";
import { choiceOf } from "../choices.ts";

/**
 * Refuses a number that is not allowed.
 * @param where the option, such as "adam beta1"
 * @param range the allowed numbers, such as "a number in [0, 1)"
 * @throws OptionError if `allowed` is false or the value is not a number
 */
export function requireNumber(where: string, value: number, allowed: boolean, range: string): void {
  if (typeof value !== "number" || !allowed) {
    throw new OptionError({
      where: optionName(where),
      what: value === undefined ? "it is missing" : `${excerpt(value)} is out of range`,
      fix: `Give ${range}`,
    });
  }
}

/**
 * Requires a finite number above 0.
 * @throws OptionError
 */
export function requirePositive(where: string, value: number): void {
  requireNumber(where, value, value > 0 && value < Infinity, "a finite number above 0");
}

/**
 * Requires a number that float32 can represent.
 * @throws OptionError
 */
export function requireFloat32(where: string, value: number): void {
  requireNumber(where, value, isFloat32(value), FLOAT32_RANGE);
}

/**
 * Requires a number above 0 that float32 can represent.
 * @throws OptionError
 */
export function requirePositiveFloat32(where: string, value: number): void {
  requireNumber(where, value, isPositiveFloat32(value), POSITIVE_FLOAT32_RANGE);
}

/**
 * Requires a whole number of at least `least`.
 * @throws OptionError
 */
export function requireCount(where: string, value: number, least = 1): void {
  requireNumber(where, value, Number.isSafeInteger(value) && value >= least, `a whole number of at least ${least}`);
}

/**
 * Requires an unsigned 32-bit integer.
 * @throws OptionError
 */
export function requireSeed(where: string, value: number): void {
  const allowed = Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  requireNumber(where, value, allowed, "a whole number in 0 … 4294967295");
}

/**
 * Looks up a name in a table.
 * @param kind the kind of the table's entries, such as "activation"
 * @throws OptionError that lists the known names
 */
export function entryOf<Entry>(
  where: string,
  kind: string,
  table: Readonly<Record<string, Entry>>,
  name: unknown,
): Entry {
  if (typeof name !== "string" || !Object.hasOwn(table, name)) {
    throw new OptionError({
      where,
      what: `unknown ${kind} ${excerpt(name)}`,
      fix: choiceOf(name, Object.keys(table)),
    });
  }
  return table[name]!;
}

/** Whether a value is an object that is not an array. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
