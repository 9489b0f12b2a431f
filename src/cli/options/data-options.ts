/*
 * The options that say which data: MNIST, pictures of one's own in IDX files, or a table in a CSV file.
 */
import { join } from "node:path";
import { acceptedNames, mnistFiles } from "../../data/mnist.ts";
import { excerpt, OptionError } from "../../errors.ts";
import type { Decimal } from "../../data/number-format.ts";
import type { Task } from "../../data/table-data.ts";
import type { GivenPath } from "./paths.ts";
import { SettableOption } from "./declared-option.ts";
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

/** How a CSV file is to be read. */
export interface CsvFlags {
  readonly csv?: string;
  readonly header?: boolean;
  readonly delimiter?: string;
}

/** Where examples come from. */
export interface SourceFlags extends CsvFlags {
  readonly data?: string;
  readonly images?: string;
  readonly labels?: string;
}

export interface DataFlags extends SourceFlags {
  readonly testCsv?: string;
  readonly testImages?: string;
  readonly testLabels?: string;
  readonly label?: string | readonly string[];
  readonly task?: Task;
  readonly drop: readonly string[];
  readonly categorical: readonly string[];
  readonly refuseText?: boolean;
  readonly maxCategories: number;
  readonly missing: "refuse" | "mean" | "zero";
  readonly decimal: Decimal | "auto";
  readonly dates: "categories" | "features";
  /** A share of the examples; 0 holds none back. See `usualValidation`. */
  readonly validation?: number;
  readonly splitSeed: number;
}

const sourceFile = { ...sourceFacts, file: "input" } as const;

/** A sweep compares its runs on what is held back, and leaves the test set unseen. */
const testFile = { ...sourceFile, sweep: "none" } as const;

const delimiter = (text: string): string => {
  const named = text === "tab" ? "\t" : text;
  if (named.length === 1 && !/["\r\n]/.test(named)) return named;
  throw new OptionError({
    where: "--delimiter",
    what: `${excerpt(text)} separates no columns`,
    fix: 'Give one character, such as ";", or tab',
  });
};

/** Where examples are read from, for every command that reads some. */
export function sourceOptions(): SettableOption[] {
  return grouped("Data:", [
    dataOption(),
    textOption("--images <path>", "pictures in an IDX file, or a folder of the four files as for --data").withFacts(
      sourceFile,
    ),
    textOption("--labels <file>", "their labels in an IDX file").withFacts({ ...sourceFile, needs: ["images"] }),
    textOption("--csv <file>", "a table in CSV, such as DATA.csv").withFacts(sourceFile),
  ]);
}

/** How CSV is written, where that is not to be found out. */
export function csvOptions(): SettableOption[] {
  return grouped("Tables:", [
    switchOption("--header", "the first row names the columns (default: found out)").withFacts({ isDetected: true }),
    switchOption("--no-header", "the first row is data; columns go by their positions").withFacts({ isDetected: true }),
    new SettableOption("--delimiter <character>", "between columns, or tab (default: found out)", {
      type: "string",
      minLength: 1,
    }).argParser(delimiter),
  ]).map((option) => option.withFacts({ selectsData: true }));
}

/** The options of `DataFlags`. */
export function dataOptions(): SettableOption[] {
  return [
    ...sourceOptions(),
    ...grouped("Data:", [
      textOption("--test-images <file>", "pictures to test on").withFacts({
        ...testFile,
        needs: ["images", "testLabels"],
      }),
      textOption("--test-labels <file>", "their labels").withFacts({ ...testFile, needs: ["testImages"] }),
      textOption("--test-csv <file>", "a table of the same columns, in any order, to test on").withFacts({
        ...testFile,
        needs: ["csv"],
      }),
      shareOption(
        "--validation <share>",
        "of the examples held back, such as 0.1; of each class alike (default: 0; 0.1 of a table of quantities)",
      ).withFacts({ selectsData: true, sweep: "shared" }),
      wholeNumberOption("--split-seed <number>", "chooses the examples that are held back", 0, 2 ** 32 - 1)
        .default(1)
        .withFacts({ isIdentity: false, selectsData: true, sweep: "shared" }),
    ]),
    ...grouped("Tables:", [
      labelOption(),
      nameOption("--task", "what the label is (default: classes if text or at most 20 whole numbers)", [
        "classification",
        "regression",
      ]).withFacts({ sweep: "shared", needs: ["csv"] }),
      columnsOption("--drop <columns>", "leave columns out, such as id,2")
        .default([], "none")
        .withFacts({ isRepeatable: true }),
      columnsOption("--categorical <columns>", "columns whose numbers are categories")
        .default([], "none")
        .withFacts({ isRepeatable: true }),
      switchOption("--refuse-text", "refuse columns of text (default: one feature for each text)"),
      wholeNumberOption("--max-categories <number>", "different texts that a column may have", 1)
        .default(100)
        .withFacts({ libraryNames: ["mostCategories"] }),
      nameOption(
        "--missing",
        "what becomes of cells that are empty, NA, NaN, null, None or ?",
        ["refuse", "mean", "zero"],
        "refuse",
      ).withFacts({
        libraryValues: new Map([["keep", ["mean", "zero"]]]),
      }),
      nameOption(
        "--decimal",
        "the sign before decimals; auto finds it out by column",
        ["auto", "point", "comma"],
        "auto",
      ),
      nameOption(
        "--dates",
        "what a column of dates becomes; features are year, month, day, weekday and hour",
        ["categories", "features"],
        "categories",
      ),
    ]).map((option) => option.withFacts({ selectsData: true })),
    ...csvOptions(),
  ];
}

/** One column, or several quantities by repeating the option. */
function labelOption(): SettableOption {
  const name = { type: "string", minLength: 1 };
  const description =
    "what to predict: a name, a position from 1, or last; repeat it for several quantities (default: label, class, target or y)";
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

/** @throws OptionError where options of several sources are given, or one without its companion */
export function requireOneSource(flags: SourceFlags & Partial<DataFlags>): void {
  const given = (["csv", "images", "data"] as const).filter((name) => flags[name] !== undefined);
  if (given.length > 1) throw both(`--${given[0]} and --${given[1]}`);
  const [alone] = withoutCompanion(dataOptions(), flags);
  if (alone)
    throw new OptionError({
      where: alone.flag,
      what: `it belongs to ${alone.needed}`,
      fix: `Give ${alone.needed} as well`,
    });
}

/** Options that are given without another one that they need. */
function withoutCompanion(options: readonly SettableOption[], values: object): { flag: string; needed: string }[] {
  const isGiven = (name: string) => (values as Readonly<Record<string, unknown>>)[name] !== undefined;
  const flagOf = (name: string) => options.find((option) => option.attributeName() === name)!.flag;
  const given = options.filter((option) => isGiven(option.attributeName()));
  return given.flatMap(({ flag, facts }) =>
    facts.needs.filter((name) => !isGiven(name)).map((name) => ({ flag, needed: flagOf(name) })),
  );
}

const both = (where: string) => new OptionError({ where, what: "each names the data", fix: "Give one of them" });

/** The names that MNIST's files may have in the folder that they are read from; none where other data are given. */
export function mnistPaths({ csv, images, labels, data }: SourceFlags): GivenPath[] {
  const isMnist = csv === undefined && (images === undefined || labels === undefined);
  const folder = data ?? images ?? (process.env["MNIST_DIR"] || join("data", "mnist"));
  const names = isMnist ? mnistFiles.flatMap(acceptedNames) : [];
  return names.map((name) => ({ option: images === undefined ? "--data" : "--images", path: join(folder, name) }));
}
