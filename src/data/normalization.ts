import { excerpt, optionName, OptionError } from "../errors.ts";
import { FLOAT32_RANGE, isFloat32 } from "../float32.ts";
import type { Normalization } from "./dataset.ts";

const constants = ["scale", "offset"] as const;

/** Whether a value is a valid normalization for this number of features. */
export const isNormalization = (value: unknown, features: number): value is Normalization =>
  isObject(value) && constants.every((name) => faultOf(value[name], features) === undefined);

/**
 * @throws OptionError if scale or offset is not a number that float32 can represent, or a list with one such number per
 * feature
 */
export function requireNormalization(normalization: Normalization, features: number): void {
  if (!isObject(normalization)) {
    const what = `${excerpt(normalization)} is not an object with scale and offset`;
    throw new OptionError({
      where: "normalization",
      what,
      fix: "Give an object such as { scale: 1, offset: 0 } or the result of standardization()",
    });
  }
  for (const name of constants) {
    const what = faultOf(normalization[name], features);
    if (what === undefined) continue;
    throw new OptionError({
      where: optionName(`normalization ${name}`),
      what,
      fix: `Give ${FLOAT32_RANGE}, or a list with one per feature`,
    });
  }
}

const isObject = (value: unknown): value is Record<(typeof constants)[number], unknown> =>
  typeof value === "object" && value !== null;

function faultOf(constant: unknown, features: number): string | undefined {
  if (Array.isArray(constant) && constant.length !== features)
    return `${constant.length} values for ${features} features`;
  if (!Array.isArray(constant) && typeof constant !== "number") return `${excerpt(constant)} is not a number`;
  const values: unknown[] = Array.isArray(constant) ? constant : [constant];
  const wrong = values.findIndex((value) => !isFloat32(value));
  return wrong < 0 ? undefined : `${excerpt(values[wrong])} is out of range`;
}
