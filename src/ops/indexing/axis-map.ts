/*
 * The positions that an op reads if it only moves elements: along each axis, position p of the output reads position
 * (p · step + start) / divisor of the input. Slices, flips, padding and their gradients all have this form.
 */
import type { Shape } from "../../graph/tensor.ts";

/** What to read for a position outside the input. */
export type Outside = "fill" | "edge" | "reflect";

/** One axis of the output. */
export interface AxisMap {
  readonly start: number;
  /** Not 0; negative if the axis is reversed. */
  readonly step: number;
  /** At least 1. Positions that are not divisible by it are filled. */
  readonly divisor: number;
  readonly outside: Outside;
}

export const sameAxis: AxisMap = { start: 0, step: 1, divisor: 1, outside: "fill" };

/** Whether an axis of the output equals the same axis of the input. */
export const isSameAxis = ({ start, step, divisor }: AxisMap, from: number, to: number): boolean =>
  start === 0 && step === 1 && divisor === 1 && from === to;

/** The map of the gradient of an injective map: each position of the input reads the one output that read it. */
export function inverseMap({ start, step, divisor }: AxisMap): AxisMap {
  const sign = Math.sign(step);
  return { start: start === 0 ? 0 : -sign * start, step: sign * divisor, divisor: Math.abs(step), outside: "fill" };
}

/** Whether an axis can read positions outside the input or between its elements. */
export function hasGaps({ start, step, divisor }: AxisMap, from: number, to: number): boolean {
  const last = (to - 1) * step + start;
  return divisor > 1 || Math.min(start, last) < 0 || Math.max(start, last) >= from;
}

/** An axis after adjacent unchanged axes were joined into one. */
export interface MovedAxis {
  readonly map: AxisMap;
  /** The size of the axis in the input and in the output. */
  readonly from: number;
  readonly to: number;
}

/** The axes of a move, with runs of unchanged axes joined into one. */
export function joinedAxes(from: Shape, to: Shape, maps: readonly AxisMap[]): MovedAxis[] {
  const joined: MovedAxis[] = [];
  maps.forEach((map, axis) => {
    const own = { map, from: from[axis]!, to: to[axis]! };
    const before = joined.at(-1);
    const joins = before && isSameAxis(map, own.from, own.to) && isSameAxis(before.map, before.from, before.to);
    if (joins) joined[joined.length - 1] = { map, from: before.from * own.from, to: before.to * own.to };
    else joined.push(own);
  });
  return joined;
}

/** The position of the input that a position of the output reads, or −1 if it is filled. */
export function sourceOf({ map: { start, step, divisor, outside }, from }: MovedAxis, position: number): number {
  let at = position * step + start;
  if (at % divisor !== 0) return -1;
  at /= divisor;
  if (outside === "edge") return Math.min(Math.max(at, 0), from - 1);
  if (outside === "reflect") return at < 0 ? -at : at >= from ? 2 * (from - 1) - at : at;
  return at >= 0 && at < from ? at : -1;
}
