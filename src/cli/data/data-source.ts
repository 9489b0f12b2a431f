import type { AnyDataset, Dataset, Normalization } from "../../data/dataset.ts";
import { foldsOf } from "../../data/folds.ts";
import type { ImageInput } from "../../data/image-pixels.ts";
import { splitDataset } from "../../data/split.ts";
import { isText } from "../../data/text/windows.ts";
import { prepareTable } from "../../data/prepare-table.ts";
import { datasetFromTable } from "../../data/table-data.ts";
import { labelColumns, type TableSchema } from "../../data/table-schema.ts";
import type { Table } from "../../data/table.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { readCsvDataset, readCsvTable } from "../../node/index.ts";
import { requireOneSource, type CsvFlags, type DataFlags } from "../options/data-options.ts";
import { usualValidation } from "../options/defaults.ts";
import { normalizationOf } from "../training/network.ts";
import { readImageData } from "./image-source.ts";
import { loadTextSource, type TextSource } from "./text-source.ts";
import { columnWarnings, constantNote, readingNotes } from "./table-notes.ts";
import { count, counted } from "../text/text.ts";

/** The parts of the data, and texts about them. */
export interface SourceParts<Data extends AnyDataset> {
  /** Where the data come from, for the output. */
  readonly source: string;
  readonly train: Data;
  readonly validation: Data | undefined;
  readonly test: Data | undefined;
  /** Lines about how the data were read, for standard output. */
  readonly notes: readonly string[];
  /** Warnings about columns of a table, for standard error. */
  readonly warnings: readonly string[];
}

/** Images or a table. */
export interface ExampleSource extends SourceParts<Dataset> {
  readonly kind: "examples";
  readonly normalization: Normalization;
  /** How a table's columns become features; undefined for images. */
  readonly table: TableSchema | undefined;
  /** How image files become features; undefined for other data. */
  readonly images: ImageInput | undefined;
}

/** The data that a network is trained and evaluated on. */
export type TrainingSource = ExampleSource | TextSource;

type Flags = DataFlags & { readonly standardize: boolean };

/** The parts that data are split into. */
interface Parts {
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  /** By default the test data that the options select, if any. */
  readonly test?: Dataset;
}

/** Data that were read, before they are split and prepared for training. */
interface ReadData {
  /** All examples except the test data. */
  readonly all: Dataset;
  /** The fraction that is held out if no option says so. */
  usualValidation(data: Dataset): number;
  /** Fills gaps and standardizes, with constants of the training part only. */
  prepare(parts: Parts): Promise<ExampleSource>;
}

/**
 * Reads the data that the options select.
 * @throws DataError for invalid files; OptionError for options that do not fit together or to the data
 */
export async function loadTrainingSource(flags: Flags): Promise<TrainingSource> {
  if (flags.text !== undefined) {
    requireOneSource(flags);
    return loadTextSource(flags.text, flags);
  }
  const data = await readData(flags);
  return data.prepare(heldOut(data, data.all, flags));
}

/** One part of a cross-validation. */
export interface FoldSource {
  /** The examples of the fold, by their index in all examples. */
  readonly indices: Uint32Array;
  /** The data of the run: the fold is its test data. */
  readonly source: ExampleSource;
}

/**
 * Reads the data that the options select, and splits them into folds; see `foldsOf`.
 * @throws DataError and OptionError as `loadTrainingSource` does, and OptionError for a number of folds out of range
 */
export async function* loadFolds(flags: Flags, folds: number): AsyncGenerator<FoldSource> {
  const data = await readData(flags);
  for (const { train, validation: test, indices } of foldsOf(data.all, folds, flags.splitSeed))
    yield { indices, source: await data.prepare({ ...heldOut(data, train, flags), test }) };
}

function readData(flags: Flags): Promise<ReadData> {
  requireOneSource(flags);
  return flags.csv === undefined ? imageData(flags) : tableData(flags.csv, flags);
}

/** Holds out a fraction of the examples. */
function heldOut(
  { usualValidation: usual }: ReadData,
  examples: Dataset,
  { validation = usual(examples), splitSeed }: Flags,
): Parts {
  return validation > 0
    ? splitDataset(examples, { validation, seed: splitSeed })
    : { train: examples, validation: undefined };
}

async function imageData(flags: Flags): Promise<ReadData> {
  const { train: all, test: ownTest, source, images } = await readImageData(flags);
  return {
    all,
    usualValidation: () => 0,
    async prepare({ train, validation, test = ownTest }) {
      const normalization = normalizationOf(flags, train);
      const parts = { source, train, validation, test, notes: [], warnings: [] };
      return { kind: "examples", ...parts, normalization, table: undefined, images };
    },
  };
}

async function tableData(path: string, flags: Flags): Promise<ReadData> {
  const { label, drop, categorical, refuseText, missing, maxCategories, task, decimal, dates } = flags;
  const table = await readCsvTable(path, {
    ...csvFormat(flags),
    label,
    drop,
    categorical,
    text: refuseText ? "refuse" : "one-hot",
    missing: missing === "refuse" ? "refuse" : "keep",
    mostCategories: maxCategories,
    decimal,
    dates,
  });
  return {
    all: datasetFromTable(table, task),
    usualValidation,
    prepare: (parts) => preparedTable(table, parts, flags),
  };
}

async function preparedTable(table: Table, parts: Parts, flags: Flags): Promise<ExampleSource> {
  const { missing, standardize, testCsv } = flags;
  const { train, validation, test, normalization, schema } = prepareTable(table, parts, {
    standardize,
    ...(missing !== "refuse" && { missing }),
  });
  return {
    kind: "examples",
    source: `${table.name}, ${described(schema, train)}`,
    train,
    validation,
    test: test ?? (testCsv === undefined ? undefined : await readCsvDataset(testCsv, schema, csvFormat(flags))),
    normalization,
    table: schema,
    images: undefined,
    notes: [...readingNotes(table), ...constantNote(schema, normalization)],
    warnings: columnWarnings(table),
  };
}

/** The options that say how a CSV file is written, if they are given. */
export const csvFormat = ({ header, delimiter }: CsvFlags) => ({ header, delimiter });

/** The sizes of the parts, such as "54,000 for training, 6,000 for validation"; those of a text in tokens. */
export function partsText({ train, validation, test }: SourceParts<AnyDataset>): string {
  const size = (data: AnyDataset) => count(isText(data) ? data.tokens.length : data.count);
  const parts = [
    `${size(train)}${isText(train) ? " tokens" : ""} for training`,
    ...(validation ? [`${size(validation)} for validation`] : []),
    ...(test ? [`${size(test)} for testing`] : []),
  ];
  return parts.join(", ");
}

/** A table in words, such as "4 columns as 6 features, 3 classes of species" or "4 columns, target price". */
function described(schema: TableSchema, { shape }: Dataset): string {
  const { columns, label } = schema;
  const features = sizeOf(shape);
  const width = `${counted(columns.length, "column")}${features === columns.length ? "" : ` as ${counted(features, "feature")}`}`;
  if (label.kind === "class") return `${width}, ${counted(label.classes.length, "class", "classes")} of ${label.name}`;
  const names = labelColumns(schema).map(({ name }) => name);
  return `${width}, ${names.length === 1 ? "target" : "targets"} ${names.join(", ")}`;
}
