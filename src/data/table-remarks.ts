/*
 * Detects columns that identify rows. A network memorizes them instead of learning from them.
 */
import { numberIn } from "./cells.ts";
import type { ColumnInProgress, LabelInProgress, TableRemark } from "./table-layout.ts";

/** With fewer rows, distinct values mean nothing. */
const LEAST_ROWS = 10;
const LEAST_TEXTS = 20;

/** The fraction of rows with distinct values from which a column counts as an id. */
const MOSTLY = 0.9;

const idName = /^(id|.*[\s_.-]id|id[\s_.-].*|uuid|guid|key|nr\.?|no\.?|number|index|unnamed: 0)$/i;

/** Remarks on feature columns that count the rows, or that have almost as many values as rows. */
export function remarksOnValues(
  values: Uint8Array | Float32Array,
  columns: readonly ColumnInProgress[],
): TableRemark[] {
  const rows = values.length / columns.length;
  const valueOf = (row: number, column: number) => values[row * columns.length + column]!;
  return columns.flatMap(({ name, kind, categories, date }, index): TableRemark[] => {
    if (kind === "category" && !date) return remarksOnTexts(name, [...categories.keys()], rows);
    if (kind !== "number" || rows < LEAST_ROWS || date) return [];
    if (countsRows(rows, (row) => valueOf(row, index))) return [{ column: name, kind: "row number" }];
    if (!isIdName(name)) return [];
    const different = new Set(Array.from({ length: rows }, (_, row) => valueOf(row, index)));
    return different.size >= MOSTLY * rows ? [{ column: name, kind: "id" }] : [];
  });
}

/** With fewer numbers among texts, a column is not reported as mixed. */
const LEAST_NUMBERS = 5;

function remarksOnTexts(column: string, texts: readonly string[], rows: number): TableRemark[] {
  const numbers = texts.filter((text) => !Number.isNaN(numberIn(text))).length;
  const text = texts.find((cell) => Number.isNaN(numberIn(cell)));
  if (text === undefined) return [];
  if (numbers >= LEAST_NUMBERS && 2 * numbers > texts.length)
    return [{ column, kind: "mixed", example: JSON.stringify(text) }];
  return isIdOfTexts(texts.length, rows) ? [{ column, kind: "id" }] : [];
}

/** Remarks on text labels of which almost every row has a different one. */
export function remarksOnLabels(labels: readonly LabelInProgress[]): TableRemark[] {
  return labels
    .filter(
      ({ names, labels: rows, format }) =>
        !format && isIdOfTexts(names.size, rows.length) && [...names.keys()].some((name) => Number.isNaN(Number(name))),
    )
    .map(({ name }) => ({ column: name, kind: "id" }));
}

const isIdOfTexts = (different: number, rows: number) => rows >= LEAST_TEXTS && different >= MOSTLY * rows;

const isIdName = (name: string) => /[a-z]I[dD]$/.test(name) || idName.test(name);

function countsRows(rows: number, valueOf: (row: number) => number): boolean {
  const start = valueOf(0);
  if (start !== 0 && start !== 1) return false;
  for (let row = 1; row < rows; row++) if (valueOf(row) !== start + row) return false;
  return true;
}
