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
import { counted } from "../text/text.ts";

/** What a network is trained and measured on. */
export interface TrainingSource {
  /** Where the data come from, in words. */
  readonly source: string;
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  readonly test: Dataset | undefined;
  readonly normalization: Normalization;
  /** How a table's columns become features. */
  readonly table: TableSchema | undefined;
  /** How the cells of a table were read, for standard output. */
  readonly notes: readonly string[];
  /** What is doubtful in a table, for standard error. */
  readonly warnings: readonly string[];
}

type Flags = DataFlags & { readonly standardize: boolean };

/**
 * Reads the data that the options name.
 * @throws DataError and OptionError for what cannot be used
 */
export async function loadTrainingSource(flags: Flags): Promise<TrainingSource> {
  requireOneSource(flags);
  if (flags.csv !== undefined) return tableSource(flags.csv, flags);
  const { train: all, test, source } = await pictures(flags);
  const { train, validation } = divided(all, flags.validation ?? 0, flags);
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

function divided(
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
 * Pictures and labels in IDX files.
 * @param known by default the classes are as many as the largest label says
 */
export async function readPictures(
  images: string,
  labels: string | undefined,
  known?: Pick<IdxPair, "classes" | "requireShape">,
): Promise<ClassificationDataset> {
  if (labels === undefined) {
    throw new OptionError({
      where: "--images",
      what: `${images} is a file, and its labels are in another`,
      fix: "Name that with --labels",
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
  const parts = divided(all, flags.validation ?? usualValidation(all), flags);
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
  const settled = (data: Dataset): Dataset => {
    if (fill) fillMissing(data.features, fill);
    return target && isRegression(data) ? { ...data, targets: standardizeTargets(data.targets, target) } : data;
  };
  const schema = schemaOf(table, parts.train, { ...(fill && { fill }), ...(target && { target }) });
  const train = settled(parts.train);
  const normalization = standardize ? columnStandardization(train.features, width) : { scale: 1, offset: 0 };
  return {
    source: `${table.name}, ${described(schema, train)}`,
    train,
    validation: parts.validation && settled(parts.validation),
    test: testCsv === undefined ? undefined : await readCsvDataset(testCsv, schema, csvFormat(flags)),
    normalization,
    table: schema,
    notes: [...readingNotes(table), ...constantNote(schema, normalization)],
    warnings: columnWarnings(table),
  };
}

/** How a CSV file is written, as far as the options say it. */
export const csvFormat = ({ header, delimiter }: CsvFlags) => ({
  ...(header !== undefined && { header }),
  ...(delimiter !== undefined && { delimiter }),
});

/** Such as "4 columns as 6 features, 3 classes of species" */
function described(schema: TableSchema, { shape }: Dataset): string {
  const { columns, label } = schema;
  const features = sizeOf(shape);
  const width = `${counted(columns.length, "column")}${features === columns.length ? "" : ` as ${counted(features, "feature")}`}`;
  if (label.kind === "class") return `${width}, ${counted(label.classes.length, "class", "classes")} of ${label.name}`;
  const names = labelColumns(schema).map(({ name }) => name);
  return `${width}, ${names.join(", ")} as ${names.length === 1 ? "a quantity" : "quantities"}`;
}
