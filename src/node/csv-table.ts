import { datasetFromRows, TableRows, type TableRowsOptions } from "../data/table-rows.ts";
import type { Dataset } from "../data/dataset.ts";
import type { TableSchema } from "../data/table-schema.ts";
import { TableBuilder, type Table, type TableOptions } from "../data/table.ts";
import { ValueList } from "../data/values.ts";
import { inputName, readCsvFile } from "./csv-file.ts";

/** Options of `readCsvTable`. */
export interface CsvTableOptions extends Omit<TableOptions, "name"> {
  /** One character between columns; detected by default. */
  readonly delimiter?: string;
}

/**
 * Reads a table for training from a CSV file, and detects its columns.
 * @throws DataError with the file, line and column of an invalid cell or row; OptionError for an unknown column
 */
export async function readCsvTable(path: string, { delimiter, ...options }: CsvTableOptions = {}): Promise<Table> {
  const builder = new TableBuilder({ ...options, name: inputName(path) });
  for await (const rows of readCsvFile(path, { delimiter })) {
    for (const { cells, line } of rows) builder.add(cells, line);
  }
  return builder.finish();
}

/** Options of `readCsvDataset`. */
export interface CsvDatasetOptions extends Pick<TableRowsOptions, "header"> {
  /** One character between columns; detected by default. */
  readonly delimiter?: string;
}

/**
 * Reads examples with their labels from a CSV file with the columns of a schema, in any order.
 * @throws DataError with the file, line and column of an invalid cell or row
 */
export async function readCsvDataset(
  path: string,
  schema: TableSchema,
  { delimiter, header }: CsvDatasetOptions = {},
): Promise<Dataset> {
  const name = inputName(path);
  const rows = new TableRows(schema, { name, labelled: true, header });
  const features = new ValueList();
  const labels: number[] = [];
  for await (const found of readCsvFile(path, { delimiter })) {
    for (const { cells, line } of found) {
      const row = rows.encode(cells, line, features);
      if (row) labels.push(row.label!, ...row.otherLabels);
    }
  }
  return datasetFromRows(name, features.values, labels, schema);
}
