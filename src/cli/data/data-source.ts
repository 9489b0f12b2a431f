import { stat } from "node:fs/promises";
import {
  columnStandardization,
  isRegression,
  type ClassificationDataset,
  type Normalization,
  type Dataset,
} from "../../data/dataset.ts";
import { datasetFromIdx, type IdxPair, type NamedBytes } from "../../data/mnist.ts";
import { splitDataset } from "../../data/split.ts";
import {
  datasetFromTable,
  featureMeans,
  fillMissing,
  schemaOf,
  momentsOfTargets,
  standardizeTargets,
} from "../../data/table-data.ts";
import { labelColumns, type TableSchema } from "../../data/table-schema.ts";
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { loadMnist, readCsvDataset, readCsvTable, readFileOrRefuse } from "../../node/index.ts";
import { requireOneSource, type CsvFlags, type DataFlags } from "../options/data-options.ts";
import { usualValidation } from "../options/defaults.ts";
import { normalizationOf } from "../training/network.ts";
import { columnWarnings, constantNote, readingNotes } from "./table-notes.ts";
import { warn } from "../text/terminal.ts";
import { count, counted } from "../text/text.ts";

/** The data that a network is trained and evaluated on. */
export interface TrainingSource {
  /** Where the data come from, for the output. */
  readonly source: string;
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  readonly test: Dataset | undefined;
  readonly normalization: Normalization;
  /** How a table's columns become features; undefined for pictures. */
  readonly table: TableSchema | undefined;
  /** Lines about how the cells of a table were read, for standard output. */
  readonly notes: readonly string[];
  /** Warnings about columns of a table, for standard error. */
  readonly warnings: readonly string[];
}

type Flags = DataFlags & { readonly standardize: boolean };

/**
 * Reads the data that the options select.
 * @throws DataError for invalid files; OptionError for options that do not fit together or to the data
 */
export async function loadTrainingSource(flags: Flags): Promise<TrainingSource> {
  requireOneSource(flags);
  if (flags.csv !== undefined) return tableSource(flags.csv, flags);
  const { train: all, test, source } = await pictures(flags);
  const { train, validation } = heldOut(all, flags.validation ?? 0, flags);
  return {
    source,
    train,
    validation,
    test,
    normalization: normalizationOf(flags, train),
    table: undefined,
    notes: [],
    warnings: [],
  };
}

/** Holds out a fraction of the examples. */
function heldOut(
  all: Dataset,
  validation: number,
  { splitSeed }: Flags,
): { train: Dataset; validation: Dataset | undefined } {
  return validation > 0 ? splitDataset(all, { validation, seed: splitSeed }) : { train: all, validation: undefined };
}

interface Pictures {
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset | undefined;
  readonly source: string;
}

async function pictures(flags: Flags): Promise<Pictures> {
  const { data, images, labels, testImages, testLabels } = flags;
  if (images === undefined) return loadMnist({ directory: data, log: warn });
  if (await isFolder(images)) return loadMnist({ directory: images, log: warn });
  const train = await readPictures(images, labels);
  const test =
    testImages === undefined ? undefined : await readPictures(testImages, testLabels, { classes: train.classes });
  return { train, test, source: images };
}

const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const named = async (name: string): Promise<NamedBytes> => ({ name, bytes: await readFileOrRefuse(name) });

/**
 * Reads pictures and labels from IDX files.
 * @param known the classes; by default "0" to the largest label, and at least two
 * @throws OptionError without labels; DataError for invalid files
 */
export async function readPictures(
  images: string,
  labels: string | undefined,
  known?: Pick<IdxPair, "classes" | "requireShape">,
): Promise<ClassificationDataset> {
  if (labels === undefined) {
    throw new OptionError({
      where: "--images",
      what: `${images} is a file of images without labels`,
      fix: "Give the file of their labels with --labels",
    });
  }
  const pair = { name: images, images: await named(images), labels: await named(labels) };
  if (known) return datasetFromIdx({ ...pair, ...known });
  const bytes = Array.from({ length: 256 }, (_, label) => String(label));
  const data = await datasetFromIdx({ ...pair, classes: bytes });
  const largest = data.labels.reduce((most, label) => Math.max(most, label), 1);
  return { ...data, classes: bytes.slice(0, largest + 1) };
}

async function tableSource(path: string, flags: Flags): Promise<TrainingSource> {
  const {
    label,
    header,
    drop,
    categorical,
    refuseText,
    missing,
    maxCategories,
    task,
    standardize,
    testCsv,
    decimal,
    dates,
  } = flags;
  const table = await readCsvTable(path, {
    ...csvFormat(flags),
    ...(label !== undefined && { label }),
    ...(header !== undefined && { header }),
    drop,
    categorical,
    text: refuseText ? "refuse" : "one-hot",
    missing: missing === "refuse" ? "refuse" : "keep",
    mostCategories: maxCategories,
    decimal,
    dates,
  });
  const all = datasetFromTable(table, task);
  const parts = heldOut(all, flags.validation ?? usualValidation(all), flags);
  const width = sizeOf(parts.train.shape);
  const fill =
    missing === "refuse"
      ? undefined
      : missing === "mean"
        ? featureMeans(parts.train.features, width)
        : new Array<number>(width).fill(0);
  const target =
    isRegression(parts.train) && standardize
      ? momentsOfTargets(parts.train.targets, parts.train.outputs.length)
      : undefined;
  const filled = (data: Dataset): Dataset => {
    if (fill) fillMissing(data.features, fill);
    return target && isRegression(data) ? { ...data, targets: standardizeTargets(data.targets, target) } : data;
  };
  const schema = schemaOf(table, parts.train, { ...(fill && { fill }), ...(target && { target }) });
  const train = filled(parts.train);
  const normalization = standardize ? columnStandardization(train.features, width) : { scale: 1, offset: 0 };
  return {
    source: `${table.name}, ${described(schema, train)}`,
    train,
    validation: parts.validation && filled(parts.validation),
    test: testCsv === undefined ? undefined : await readCsvDataset(testCsv, schema, csvFormat(flags)),
    normalization,
    table: schema,
    notes: [...readingNotes(table), ...constantNote(schema, normalization)],
    warnings: columnWarnings(table),
  };
}

/** The options that say how a CSV file is written, if they are given. */
export const csvFormat = ({ header, delimiter }: CsvFlags) => ({
  ...(header !== undefined && { header }),
  ...(delimiter !== undefined && { delimiter }),
});

/** The sizes of the parts, such as "54,000 for training, 6,000 for validation". */
export function partsText({ train, validation, test }: TrainingSource): string {
  const parts = [
    `${count(train.count)} for training`,
    ...(validation ? [`${count(validation.count)} for validation`] : []),
    ...(test ? [`${count(test.count)} for testing`] : []),
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
