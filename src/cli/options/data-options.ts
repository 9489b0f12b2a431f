/*
 * The options that select the data: MNIST, images in IDX files or in folders, a table in a CSV file, or text.
 */
import { join } from "node:path";
import { acceptedNames, mnistFiles } from "../../data/mnist-files.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { imageColors, type ImageColor, type ImageSize } from "../../data/image-pixels.ts";
import type { Decimal } from "../../data/number-format.ts";
import type { Task } from "../../data/table-data.ts";
import type { GivenPath } from "./paths.ts";
import { SettableOption } from "./declared-option.ts";
import { foldOptions, type FoldFlags } from "./fold-options.ts";
import { textOptions, type TextFlags } from "./text-options.ts";
import {
  columnsOption,
  dataOption,
  nameOption,
  shareOption,
  sourceFacts,
  switchOption,
  textOption,
  wholeNumberOption,
} from "./options.ts";

/** How to read a CSV file. */
export interface CsvFlags {
  readonly csv?: string;
  readonly header?: boolean;
  readonly delimiter?: string;
}

/** Where examples come from. */
export interface SourceFlags extends CsvFlags, Pick<TextFlags, "text"> {
  readonly data?: string;
  readonly images?: string;
  readonly labels?: string;
}

export interface DataFlags extends SourceFlags, FoldFlags, TextFlags {
  readonly testCsv?: string;
  readonly testImages?: string;
  readonly testLabels?: string;
  /** The size of images in folders, such as "32x24"; see `sizeOfText`. */
  readonly size?: string;
  readonly color?: ImageColor;
  readonly label?: string | readonly string[];
  readonly task?: Task;
  readonly drop: readonly string[];
  readonly categorical: readonly string[];
  readonly refuseText?: boolean;
  readonly maxCategories: number;
  readonly missing: "refuse" | "mean" | "zero";
  readonly decimal: Decimal | "auto";
  readonly dates: "categories" | "features";
  /** The fraction of held-out examples, in [0, 1). By default `usualValidation`. */
  readonly validation?: number;
  readonly splitSeed: number;
}

const sourceFile = { ...sourceFacts, file: "input" } as const;

/** A sweep compares its runs on held-out examples and never uses a test set. */
const testFile = { ...sourceFile, suitsText: false, suitsFolds: false, sweep: "none" } as const;

const delimiter = (text: string): string => {
  const named = text === "tab" ? "\t" : text;
  if (named.length === 1 && !/["\r\n]/.test(named)) return named;
  throw new OptionError({
    where: "--delimiter",
    what: `${excerpt(text)} cannot separate columns`,
    fix: 'Give one character, such as ";", or tab',
  });
};

/** Options that say where examples come from, for every command that reads examples. */
export function sourceOptions(): SettableOption[] {
  return grouped("Data:", [
    dataOption(),
    textOption(
      "--images <path>",
      "folder with one folder of PNG or JPEG images per class, IDX file of images, or folder as for --data",
    ).withFacts(sourceFile),
    textOption("--labels <file>", "IDX file of the labels of --images").withFacts({ ...sourceFile, needs: ["images"] }),
    textOption("--csv <file>", "CSV file with a table, such as DATA.csv").withFacts(sourceFile),
    textOption(
      "--text <path>",
      "text file in UTF-8, or folder of .txt files, whose next tokens are predicted",
    ).withFacts(sourceFile),
  ]);
}

/** Options that say how a CSV file is written, in place of detecting it. */
export function csvOptions(): SettableOption[] {
  return grouped("Tables:", [
    switchOption("--header", "the first row contains the column names (default: detected)").withFacts({
      isDetected: true,
    }),
    switchOption("--no-header", "the first row is data; columns are named by position").withFacts({ isDetected: true }),
    new SettableOption("--delimiter <character>", 'character between columns, or "tab" (default: detected)', {
      type: "string",
      minLength: 1,
    }).argParser(delimiter),
  ]).map((option) => option.withFacts({ selectsData: true, suitsText: false }));
}

/** The options of `DataFlags`. */
// oxlint-disable-next-line max-lines-per-function -- A list of options and their texts.
export function dataOptions(): SettableOption[] {
  return [
    ...sourceOptions(),
    ...grouped("Data:", [
      ...imageOptions(),
      textOption("--test-images <path>", "test images, as for --images: a folder, or an IDX file").withFacts({
        ...testFile,
        needs: ["images"],
      }),
      textOption("--test-labels <file>", "IDX file of the labels of --test-images").withFacts({
        ...testFile,
        needs: ["testImages"],
      }),
      textOption("--test-csv <file>", "CSV file of test data with the same columns, in any order").withFacts({
        ...testFile,
        needs: ["csv"],
      }),
      shareOption(
        "--validation <fraction>",
        "fraction of the examples held out, stratified by class; the end of a text (default: 0; 0.1 for regression on a table, and for text)",
      ).withFacts({ selectsData: true, sweep: "shared" }),
      wholeNumberOption(
        "--split-seed <number>",
        "seed that chooses the held-out examples, and the folds",
        0,
        2 ** 32 - 1,
      )
        .default(1)
        .withFacts({ isIdentity: false, selectsData: true, sweep: "shared" }),
      ...foldOptions(),
    ]),
    ...grouped("Tables:", [
      labelOption(),
      nameOption("--task", "task", ["classification", "regression"], {
        note: " (default: classification if the label is text or has at most 20 different whole numbers)",
      }).withFacts({ sweep: "shared", needs: ["csv"] }),
      columnsOption("--drop <columns>", "columns to ignore, by name or position, such as id,2")
        .default([], "none")
        .withFacts({ isRepeatable: true }),
      columnsOption("--categorical <columns>", "columns of numbers to read as categories")
        .default([], "none")
        .withFacts({ isRepeatable: true }),
      switchOption("--refuse-text", "refuse text columns (default: one-hot encode them)"),
      wholeNumberOption("--max-categories <number>", "most categories that a text column may have", 1)
        .default(100)
        .withFacts({ libraryNames: ["mostCategories"] }),
      nameOption(
        "--missing",
        "what to do with cells that are empty, NA, NaN, null, None or ?",
        ["refuse", "mean", "zero"],
        { preset: "refuse" },
      ).withFacts({
        libraryValues: new Map([["keep", ["mean", "zero"]]]),
      }),
      nameOption("--decimal", "decimal separator", ["auto", "point", "comma"], {
        preset: "auto",
        note: "; auto detects it for each column",
      }),
      nameOption("--dates", "how to read columns of dates", ["categories", "features"], {
        preset: "categories",
        note: " (year, month, day, weekday and hour)",
      }),
    ]).map((option) => option.withFacts({ selectsData: true, suitsText: false })),
    ...csvOptions(),
    ...textOptions(),
  ];
}

/** A size such as "32x24". */
const SIZE = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/;

/** The options for images in folders. */
function imageOptions(): SettableOption[] {
  const size = { type: "string", pattern: SIZE.source, examples: ["32x24"] };
  return [
    new SettableOption(
      "--size <width x height>",
      "resize the images of a folder, such as 32x32 (default: all must have the size of the first)",
      size,
    ).argParser((text) => {
      sizeOfText(text);
      return text;
    }),
    nameOption("--color", "convert the images of a folder", imageColors, {
      note: " (default: rgb if any image has a color)",
    }),
  ].map((option) => option.withFacts({ selectsData: true, suitsText: false, sweep: "shared", needs: ["images"] }));
}

/** Parses a size such as "32x24", the width first. @throws OptionError */
export function sizeOfText(text: string): ImageSize {
  const [, width, height] = SIZE.exec(text) ?? [];
  if (width !== undefined && height !== undefined) return { width: Number(width), height: Number(height) };
  throw new OptionError({
    where: "--size",
    what: `${excerpt(text)} is not a size`,
    fix: "Give width and height in pixels, such as 32x32",
  });
}

/** The label column; repeated, several target columns. */
function labelOption(): SettableOption {
  const name = { type: "string", minLength: 1 };
  const description =
    'column to predict: a name, a position from 1, or "last"; repeat it for several targets (default: label, class, target or y)';
  return new SettableOption("--label <column>", description, { anyOf: [name, { type: "array", items: name }] })
    .argParser((text: string, before: string | readonly string[] | undefined) =>
      before === undefined ? text : [...[before].flat(), text],
    )
    .withFacts({ isRepeatable: true, needs: ["csv"], sweep: "shared" });
}

function grouped(heading: string, options: readonly SettableOption[]): SettableOption[] {
  for (const option of options) option.helpGroup(heading);
  return [...options];
}

/** @throws OptionError if options of several sources are given, or an option without another one that it needs */
export function requireOneSource(flags: SourceFlags & Partial<DataFlags>): void {
  const given = (["csv", "images", "data", "text"] as const).filter((name) => flags[name] !== undefined);
  if (given.length > 1) throw both(`--${given[0]} and --${given[1]}`);
  const [alone] = missingNeeds(dataOptions(), flags);
  if (alone)
    throw new OptionError({
      where: alone.flag,
      what: `this option requires ${alone.needed}`,
      fix: `Add ${alone.needed}`,
    });
}

/** The options that are given without another option that they need. */
function missingNeeds(options: readonly SettableOption[], values: object): { flag: string; needed: string }[] {
  // --print-config writes false for a switch that is off.
  const isGiven = (name: string) => ![undefined, false].includes((values as Readonly<Record<string, never>>)[name]);
  const flagOf = (name: string) => options.find((option) => option.attributeName() === name)!.flag;
  const given = options.filter((option) => isGiven(option.attributeName()));
  return given.flatMap(({ flag, facts }) =>
    facts.needs.filter((name) => !isGiven(name)).map((name) => ({ flag, needed: flagOf(name) })),
  );
}

const both = (where: string) =>
  new OptionError({ where, what: "each of these options selects the data", fix: "Use only one of them" });

/** The paths that MNIST's files may have in the folder that they are read from; none if other data are selected. */
export function mnistPaths({ csv, images, labels, data, text }: SourceFlags): GivenPath[] {
  const isMnist = csv === undefined && text === undefined && (images === undefined || labels === undefined);
  const folder = data ?? images ?? (process.env["MNIST_DIR"] || join("data", "mnist"));
  const names = isMnist ? mnistFiles.flatMap(acceptedNames) : [];
  return names.map((name) => ({ option: images === undefined ? "--data" : "--images", path: join(folder, name) }));
}
