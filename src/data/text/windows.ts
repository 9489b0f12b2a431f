/*
 * What training uses of a text.
 */
import type { Columns, DataDescription } from "../columns.ts";
import type { TextDataset } from "./dataset.ts";

/** Whether a data set is a text. */
export const isText = (data: object): data is TextDataset => "tokenizer" in data && "tokens" in data;

/** Describes the tensors of a batch. */
export function describeText({ name, context, tokenizer }: TextDataset): DataDescription {
  const column = { shape: [context], dtype: "uint32" } as const;
  return { name, columns: { tokens: column, targets: column }, vocabulary: tokenizer.vocabularySize };
}

/** Windows number first … first + count − 1 of those that follow each other. */
export function windowsOf({ tokens, context }: TextDataset, first: number, count: number): Columns {
  const column = (shift: number) => ({
    values: Uint32Array.from(tokens.subarray(first * context + shift, (first + count) * context + shift)),
    shape: [context],
  });
  return { tokens: column(0), targets: column(1) };
}
