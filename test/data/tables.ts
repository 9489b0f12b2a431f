import { TableBuilder, type TableOptions } from "../../src/data/table.ts";

/** A table from rows such as "a b c", where the first row is line 1. */
export function tableOf(rows: readonly string[], options: Partial<TableOptions> = {}) {
  const builder = new TableBuilder({ name: "t.csv", ...options });
  rows.forEach((row, index) => builder.add(row.split(" "), index + 1));
  return builder.finish();
}

export const flowers = ["length color label", "1.5 red rose", "2 blue iris", "3.25 red iris"];

/** A table with one feature, whose cells are given, and a label. */
export const tableOfCells = (cells: readonly string[], options: Partial<TableOptions> = {}) => {
  const builder = new TableBuilder({ name: "t.csv", label: "l", ...options });
  ["x", ...cells].forEach((cell, index) => builder.add([cell, index === 0 ? "l" : "ab"[index % 2]!], index + 1));
  return builder.finish();
};
