import { TableRows } from "../../data/table-rows.ts";
import type { TableSchema } from "../../data/table-schema.ts";
import { ValueList } from "../../data/values.ts";
import { csvRowsOf } from "../../node/csv-file.ts";
import type { CsvFlags } from "../options/data-options.ts";
import { csvFormat } from "./data-source.ts";

/** Some examples, row after row. */
export interface FeatureBatch {
  readonly features: Uint8Array | Float32Array;
}

/** Examples that are predicted at a time. */
const ROWS = 1000;

interface TableInput extends CsvFlags {
  readonly name: string;
  readonly schema: TableSchema;
}

/** The rows of a CSV text as they come, some at a time. */
export async function* tableBatches(
  chunks: AsyncIterable<Uint8Array>,
  input: TableInput,
): AsyncGenerator<FeatureBatch> {
  const { name, schema } = input;
  const { header, delimiter } = csvFormat(input);
  const rows = new TableRows(schema, { name, labelled: false, ...(header !== undefined && { header }) });
  let features = new ValueList();
  let count = 0;
  for await (const found of csvRowsOf(chunks, { where: name, ...(delimiter !== undefined && { delimiter }) })) {
    for (const { cells, line } of found) {
      if (!rows.encode(cells, line, features)) continue;
      if (++count < ROWS) continue;
      yield { features: features.values };
      [features, count] = [new ValueList(), 0];
    }
    // What there is is said at once, for a reader of a stream that trickles.
    if (count > 0) yield { features: features.values };
    [features, count] = [new ValueList(), 0];
  }
}
