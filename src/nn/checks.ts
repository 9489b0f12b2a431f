import { excerpt, OptionError, optionName } from "../errors.ts";
import { FLOAT32_RANGE, isFloat32, isPositiveFloat32, POSITIVE_FLOAT32_RANGE } from "../float32.ts";

/**
 * Refuses a number that is not allowed.
 * @param where the option, such as "adam beta1"
 * @param range what would be allowed, such as "a number in [0, 1)"
 * @throws OptionError where `allowed` is false or the value is no number
 */
export function requireNumber(where: string, value: number, allowed: boolean, range: string): void {
  if (typeof value !== "number" || !allowed) {
    throw new OptionError({
      where: optionName(where),
      what: `${excerpt(value)} is out of range`,
      fix: `Give ${range}`,
    });
  }
}

/**
 * Refuses anything but a finite number above 0.
 * @throws OptionError
 */
export function requirePositive(where: string, value: number): void {
  requireNumber(where, value, value > 0 && value < Infinity, "a finite number above 0");
}

/**
 * Refuses anything but a number that a graph can compute with.
 * @throws OptionError
 */
export function requireFloat32(where: string, value: number): void {
  requireNumber(where, value, isFloat32(value), FLOAT32_RANGE);
}

/**
 * Refuses anything but a number above 0 that a graph can compute with.
 * @throws OptionError
 */
export function requirePositiveFloat32(where: string, value: number): void {
  requireNumber(where, value, isPositiveFloat32(value), POSITIVE_FLOAT32_RANGE);
}

/**
 * Refuses anything but a whole number of at least `least`.
 * @throws OptionError
 */
export function requireCount(where: string, value: number, least = 1): void {
  requireNumber(where, value, Number.isSafeInteger(value) && value >= least, `a whole number of at least ${least}`);
}

/**
 * Refuses a seed that is no unsigned 32-bit integer, the numbers that name random streams.
 * @throws OptionError
 */
export function requireSeed(where: string, value: number): void {
  const allowed = Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  requireNumber(where, value, allowed, "a whole number in 0 … 4294967295");
}

/**
 * The entry of a table under a name.
 * @param kind what the table holds, such as "activation"
 * @throws OptionError listing the known names
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
      what: `there is no ${kind} ${excerpt(name)}`,
      fix: `Choose one of ${Object.keys(table).join(", ")}`,
    });
  }
  return table[name]!;
}
