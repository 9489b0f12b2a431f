/*
 * The report as text, which is printed while the benchmark runs.
 */
import { relativeSpread, type Spread } from "./statistics.ts";
import { count } from "../text.ts";
import { broken, bytesText, columnsOf, rateText, shareText, timeText, WIDTH, type Column } from "./table.ts";
import type { BenchmarkEvent, BenchmarkReport, DetailedStepRow, GrowthRow, KernelRow, Rates } from "./report.ts";

/** The columns and cells of a table, 100 columns wide as text. */
export interface TableLayout<Row> {
  readonly columns: readonly Column[];
  cells(row: Row): string[];
}

const MEASURED_COLUMNS: readonly Column[] = [
  { title: "time", width: 8, right: true },
  { title: "±", width: 5, right: true },
  { title: "rate", width: 12, right: true },
  { title: "ceil.", width: 5, right: true },
  { title: "bound by", width: 10 },
];

const spreadText = (spread: Spread) => `${Math.min(999, Math.round(100 * relativeSpread(spread)))}%`;

/** The cells of a measurement; the rate is the one that the limiting ceiling bounds. */
function measuredCells({
  seconds,
  flopsPerSecond,
  bytesPerSecond,
  shareOfCeiling,
  boundBy,
}: Rates & { seconds: Spread }): string[] {
  const rate = boundBy === "arithmetic" ? rateText(flopsPerSecond, "FLOP") : rateText(bytesPerSecond, "B");
  return [timeText(seconds.median), spreadText(seconds), rate, shareText(shareOfCeiling), boundBy];
}

/** The table of single kernels, and of the kernels of a step. */
export const kernelLayout: TableLayout<KernelRow> = {
  columns: [{ title: "kernel", width: 26 }, { title: "shapes", width: 22 }, ...MEASURED_COLUMNS],
  cells: (row) => [
    row.dispatches === 1 ? row.kernel : `${row.kernel} (${row.dispatches} dispatches)`,
    row.shapes,
    ...measuredCells(row),
  ],
};

/** The table of how the cost of a step grows for networks of dense layers. */
const denseGrowth: TableLayout<GrowthRow> = {
  columns: [
    { title: "", width: 10 },
    { title: "network", width: 16 },
    { title: "images/s", width: 10, right: true },
    { title: "memory", width: 8, right: true },
    ...MEASURED_COLUMNS,
  ],
  cells: (row) => [
    `${row.axis} ${row.value}`,
    row.network,
    count(row.imagesPerSecond),
    bytesText(row.gpuBytes),
    ...measuredCells(row),
  ],
};

/** The same for a GPT. */
const gptGrowth: TableLayout<GrowthRow> = {
  columns: [
    { title: "", width: 14 },
    { title: "tokens/s", width: 10, right: true },
    { title: "memory", width: 8, right: true },
    { title: "slope", width: 5, right: true },
    ...MEASURED_COLUMNS,
  ],
  cells: (row) => [
    `${row.axis} ${row.value}`,
    count(row.tokensPerSecond ?? 0),
    bytesText(row.gpuBytes),
    row.slope?.toFixed(2) ?? "",
    ...measuredCells(row),
  ],
};

/** The table that a row of growth belongs to, with its title. */
export function growthTableOf({ tokensPerSecond }: GrowthRow): { title: string; layout: TableLayout<GrowthRow> } {
  return tokensPerSecond === undefined
    ? { title: "Cost of a step as it grows from 784-128-10 at batch size 64", layout: denseGrowth }
    : {
        title: "Cost of a step of a GPT as it grows from context 64 and width 128",
        layout: gptGrowth,
      };
}

const headLine = ({ columns }: Pick<TableLayout<never>, "columns">) =>
  columnsOf(
    columns,
    columns.map(({ title }) => title),
  );

const rowLines = <Row>({ columns, cells }: TableLayout<Row>, row: Row) => columnsOf(columns, cells(row));

/** A name and its value, wrapped to the width of the report. */
export function fieldLines(name: string, value: string): string[] {
  return broken(value, WIDTH - 12).map((line, position) => `${(position === 0 ? name : "").padEnd(12)}${line}`);
}

/** The machine, the date and the methods of a report, as names and values. */
export function headFields({ environment, clock, ceilings, scope }: BenchmarkReport): [name: string, value: string][] {
  const { date, version, adapter, driver, runtime, system, tuned, reference } = environment;
  const timestamps =
    clock === "timestamps"
      ? "GPU timestamps for single kernels, wall clock for whole steps"
      : "wall clock for everything, because GPU timestamps are missing or rounded";
  const clocks = reference ? "wall clock for everything" : timestamps;
  const tilings = tuned
    ? "chosen by `wgrad tune` on this adapter"
    : "defaults; `wgrad tune` finds the fastest for this adapter";
  const { flopsPerSecond, bytesPerSecond, copiedBytes } = ceilings;
  return [
    ["wgrad", `${version}, ${date.slice(0, 16).replace("T", " ")} UTC${scope.quick ? ", quick: few samples" : ""}`],
    ["adapter", adapter.software ? `${adapter.name}, a software adapter, which computes on the CPU` : adapter.name],
    ...(driver ? [["driver", driver] as [string, string]] : []),
    ["runtime", runtime],
    ["system", system],
    reference
      ? ["reference", `ops that run plain loops instead of WebAssembly: ${reference.join(", ") || "none"}`]
      : ["tilings", tilings],
    ["times", `medians after a warm-up, ± half the interquartile range; ${clocks}`],
    [
      "ceilings",
      `${reference ? "product of two 512×512 matrices" : "float32 multiply-adds"}: ${rateText(flopsPerSecond, "FLOP")}; copying ${bytesText(copiedBytes)}: ${rateText(bytesPerSecond, "B")} (read and written)`,
    ],
  ];
}

/** The summary of a step, as names and values. */
export function stepFields(row: DetailedStepRow): [name: string, value: string][] {
  const { seconds, batch, imagesPerSecond, trainingImagesPerSecond, kernels } = row;
  const together = kernels.reduce((sum, kernel) => sum + kernel.seconds.median, 0);
  const rate = `${rateText(row.flopsPerSecond, "FLOP")}, ${shareText(row.shareOfCeiling)} of the ${row.boundBy} ceiling`;
  return [
    ["whole step", `${timeText(seconds.median)} ±${spreadText(seconds)}, ${count(imagesPerSecond)} images/s, ${rate}`],
    [
      "kernels",
      kernels.length > 0
        ? `${timeText(together)} in total`
        : "not timed, because GPU timestamps are missing or rounded",
    ],
    [
      "training",
      `${count(trainingImagesPerSecond)} images/s with fit, 60,000 images in ${timeText(60_000 / trainingImagesPerSecond)}`,
    ],
    ["CPU time", encodingText(row)],
    [
      "memory",
      `${bytesText(row.gpuBytes)}, including the data set of 60,000 × 784 bytes; compiled in ${timeText(row.compileSeconds)}, batch size ${batch}`,
    ],
  ];
}

function encodingText({ encoding, dispatches }: DetailedStepRow): string {
  if (!encoding) return "of encoding a step not measured: it is too short for this clock, or other work disturbed it";
  const { secondsPerStep, secondsPerDispatch, secondsPerSubmit } = encoding;
  const each = `${timeText(secondsPerDispatch)} for each of ${dispatches} dispatches`;
  return `${timeText(secondsPerStep)} to encode a step, ${each}; ${timeText(secondsPerSubmit)} for each submit`;
}

/** The title of a step's table. */
export const stepTitle = ({ network, batch }: DetailedStepRow): string =>
  `One training step: ${network}, relu, softmax cross-entropy, Adam, batch size ${batch}`;

/** The report as the text of its JSON file. */
export const reportJson = (report: BenchmarkReport): string => `${JSON.stringify(report, undefined, 2)}\n`;

/** Which results were wrong, such as "one result was wrong and not timed: adam 100000"; undefined if none was. */
export function wrongText({ wrong }: BenchmarkReport): string | undefined {
  if (wrong.length === 0) return undefined;
  const results = wrong.length === 1 ? "one result was" : `${wrong.length} results were`;
  return `${results} wrong and not timed: ${wrong.map(({ name }) => name).join("; ")}`;
}

/** Converts events to the lines of a report, with a heading before each table. */
export class ReportLines {
  #section = "";

  /** The lines for an event, of at most 100 columns. */
  of(event: BenchmarkEvent): string[] {
    switch (event.kind) {
      case "beginning":
        return headFields(event.report).flatMap((field) => fieldLines(...field));
      case "kernel":
        return [...this.#heading("kernels", headLine(kernelLayout)), ...rowLines(kernelLayout, event.row)];
      case "step":
        return this.#step(event.row);
      case "growth":
        return this.#growth(event.row);
      case "leftOut":
        return broken(`skipped: ${event.left.name} (${event.left.why})`, WIDTH);
      case "wrong":
        return broken(`WRONG, not timed: ${event.left.why}`, WIDTH);
    }
  }

  #step(row: DetailedStepRow): string[] {
    const table =
      row.kernels.length > 0
        ? [...headLine(kernelLayout), ...row.kernels.flatMap((kernel) => rowLines(kernelLayout, kernel))]
        : [];
    return [
      ...this.#heading(row.name, [stepTitle(row)]),
      ...table,
      ...stepFields(row).flatMap((field) => fieldLines(...field)),
    ];
  }

  #growth(row: GrowthRow): string[] {
    const { title, layout } = growthTableOf(row);
    return [...this.#heading(title, [`${title}, by the wall clock`, ...headLine(layout)]), ...rowLines(layout, row)];
  }

  #heading(section: string, lines: readonly string[]): string[] {
    if (section === this.#section) return [];
    this.#section = section;
    return ["", ...lines];
  }
}
