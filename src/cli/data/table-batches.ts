import { TableRows } from "../../data/table-rows.ts";
import type { TableSchema } from "../../data/table-schema.ts";
import { ValueList } from "../../data/values.ts";
import { csvRowsOf } from "../../node/csv-file.ts";
import type { CsvFlags } from "../options/data-options.ts";
import { csvFormat } from "./data-source.ts";

/** The features of some examples, row-major. */
export interface FeatureBatch {
  readonly features: Uint8Array | Float32Array;
  /** The file of each example, if the examples are files. */
  readonly names?: readonly string[];
}

/** The most rows in a batch. */
const ROWS = 1000;

interface TableInput extends CsvFlags {
  readonly name: string;
  readonly schema: TableSchema;
}

/** Reads the rows of a CSV text in batches, as they arrive. */
export async function* tableBatches(
  chunks: AsyncIterable<Uint8Array>,
  input: TableInput,
): AsyncGenerator<FeatureBatch> {
  const { name, schema } = input;
  const { header, delimiter } = csvFormat(input);
  const rows = new TableRows(schema, { name, labelled: false, header });
  let features = new ValueList();
  let count = 0;
  for await (const found of csvRowsOf(chunks, { where: name, delimiter })) {
    for (const { cells, line } of found) {
      if (!rows.encode(cells, line, features)) continue;
      if (++count < ROWS) continue;
      yield { features: features.values };
      [features, count] = [new ValueList(), 0];
    }
    // Do not wait for a full batch, so that a slow stream gets its predictions at once.
    if (count > 0) yield { features: features.values };
    [features, count] = [new ValueList(), 0];
  }
}
