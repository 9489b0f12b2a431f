/*
 * Checks that several kinds of data sets share.
 */
import { DataError } from "../errors.ts";
import { typeName } from "../text.ts";

/** @param what a plural, such as "the labels" */
export function otherType(where: string, what: string, found: unknown, wanted: string): DataError {
  return new DataError({ where, what: `${what} are of type ${typeName(found)}`, fix: `Give ${wanted}` });
}

/** What is wrong with the shape of an example; undefined if nothing is. */
export function shapeFault(shape: unknown): string | undefined {
  if (Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 1)) return undefined;
  const text = Array.isArray(shape) ? `[${shape.map(String).join(", ")}]` : String(shape);
  return `${text} is not the shape of an example`;
}

/**
 * Requires one finite weight of at least 0 for each example.
 * @throws DataError
 */
export function requireWeights(where: string, weights: Float32Array, count: number): void {
  if (!(weights instanceof Float32Array)) throw otherType(where, "the weights", weights, "a Float32Array");
  if (weights.length !== count) {
    const what = `${weights.length} weights for ${count} examples`;
    throw new DataError({ where, what, fix: "Give one weight per example" });
  }
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong < 0) return;
  const what = `the weight of example ${wrong} is ${weights[wrong]}`;
  throw new DataError({ where, what, fix: "Give finite numbers of at least 0" });
}

/** @throws DataError for a name of a tensor that may not be used */
export function requireTensorName(where: string, name: string): void {
  if (/^[A-Za-z]\w*$/.test(name)) return;
  const what = `${JSON.stringify(name)} is not a valid name of a tensor`;
  throw new DataError({ where, what, fix: 'Give letters, digits and "_", starting with a letter' });
}
