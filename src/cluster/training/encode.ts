/*
 * How changes are sent: as float32, or as float16 with a power of two per message, which halves the bytes.
 */
import { DataError } from "../../errors.ts";
import { halvesOf, valuesOfHalves } from "../../float16.ts";

/** The types in which changes are sent. */
export const changeTypes = ["float16", "float32"] as const;

export type ChangeType = (typeof changeTypes)[number];

/** A change as it is sent: values = numbers / 2^exponent. */
export interface EncodedChange {
  readonly type: ChangeType;
  /** 0 for float32. */
  readonly exponent: number;
  /** Little-endian, as on all machines that run JavaScript. */
  readonly bytes: Uint8Array;
}

/** The exponent of the largest number after scaling: a sum of 2 × 2¹⁴ is still in the range of float16. */
const LARGEST_EXPONENT = 14;

/** Beyond it 2^exponent, or a value that it scales, is no normal float64 any more. */
const EXPONENT_LIMIT = 200;

/**
 * Encodes a change. For float16, all values are multiplied by the power of two that brings the largest to 2¹⁴ … 2¹⁵,
 * and rounded: those above 2⁻²⁸ of the largest keep 11 bits.
 */
export function encodeChange(change: Float32Array, type: ChangeType): EncodedChange {
  if (type === "float32") return { type, exponent: 0, bytes: new Uint8Array(change.slice().buffer) };
  const largest = change.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const exponent = largest > 0 ? LARGEST_EXPONENT - Math.floor(Math.log2(largest)) : 0;
  return { type, exponent, bytes: new Uint8Array(halvesOf(change, 2 ** exponent).buffer) };
}

/**
 * Decodes a change of another machine.
 * @param where names the sender in errors
 * @throws DataError if it has another size, or a value that is not finite
 */
export function decodeChange(where: string, { type, exponent, bytes }: EncodedChange, size: number): Float32Array {
  const refused = (what: string) => new DataError({ where, what, fix: "Its change is not used" });
  const width = type === "float16" ? 2 : 4;
  if (bytes.length !== width * size) throw refused(`${bytes.length} bytes for ${size} ${type} values`);
  if (!Number.isInteger(exponent) || Math.abs(exponent) > EXPONENT_LIMIT) throw refused(`the exponent is ${exponent}`);
  // The bytes may begin anywhere in a message, and views on wider numbers need aligned ones.
  const { buffer } = new Uint8Array(bytes);
  const change =
    type === "float16" ? valuesOfHalves(new Uint16Array(buffer), 2 ** -exponent) : new Float32Array(buffer);
  const wrong = change.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw refused(`value ${wrong} is ${change[wrong]}`);
  return change;
}
