/*
 * Characters with the color of their probability.
 */
import type { Sample } from "../contract.ts";
import { isWritten, prepared, probabilityOf, written } from "../state/index.ts";

/** The text of a token, where a line break is visible. */
export const characterOf = (token: number): string => prepared.value?.characters[token] ?? "";

/** In a row of text a space stays a space. */
export const inText = (character: string): string => (character === " " ? "\u00a0" : written(character));

/** The class and color of a character: orange if the network did not expect it, blue if it did. */
export function lookOf(sample: Sample, row: number, place: number): { class: string; style?: string } {
  if (!isWritten(sample, place)) return { class: "given" };
  const probability = probabilityOf(sample, { row, place })!;
  const isLow = probability < 0.5;
  return { class: isLow ? "unlikely" : "likely", style: `--share: ${Math.round(Math.abs(200 * probability - 100))}` };
}
