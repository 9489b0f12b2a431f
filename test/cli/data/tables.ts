/*
 * Tables for the tests of the command line.
 */
import { Random } from "../../../src/random.ts";

export const kinds = ["oak", "elm", "fir"];

/** Rows of three classes that two numbers separate. */
export function leaves(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const kind = index % 3;
    const numbers = [random.normal(3 * kind, 0.3), random.normal(10 - 2 * kind, 0.3)].map((value) => value.toFixed(3));
    return [index, ...numbers, ["wet", "dry"][random.below(2)], kinds[kind]].join(",");
  });
}

/** The header of `leaves`. */
export const HEADER = "id,length,width,site,kind";

/** Rows with a price that is linear in two numbers, and large. */
export function homes(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const [area, rooms] = [random.uniform(40, 200), 1 + random.below(6)];
    return `${area.toFixed(2)},${rooms},${(3000 * area + 20_000 * rooms + 50_000).toFixed(0)}`;
  });
}
