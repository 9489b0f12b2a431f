/*
 * The report as text, a few lines for each finding as it is made.
 */
import { relativeSpread, type Spread } from "./statistics.ts";
import { count } from "../text.ts";
import { broken, bytesText, columnsOf, rateText, shareText, timeText, WIDTH, type Column } from "./table.ts";
import type { BenchmarkEvent, BenchmarkReport, DetailedStepRow, GrowthRow, KernelRow, Rates } from "./report.ts";

/** A table of rows of one kind: 100 columns wide as text. */
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

/** Rate and share by the ceiling that is nearer. */
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

/** Single kernels, and those of a step. */
export const kernelLayout: TableLayout<KernelRow> = {
  columns: [{ title: "kernel", width: 26 }, { title: "shapes", width: 22 }, ...MEASURED_COLUMNS],
  cells: (row) => [
    row.dispatches === 1 ? row.kernel : `${row.kernel} (${row.dispatches} dispatches)`,
    row.shapes,
    ...measuredCells(row),
  ],
};

/** How a step's cost grows. */
export const growthLayout: TableLayout<GrowthRow> = {
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

const headLine = ({ columns }: Pick<TableLayout<never>, "columns">) =>
  columnsOf(
    columns,
    columns.map(({ title }) => title),
  );

const rowLines = <Row>({ columns, cells }: TableLayout<Row>, row: Row) => columnsOf(columns, cells(row));

/** A name, then what it is, in lines that are no longer than the report is wide. */
export function fieldLines(name: string, value: string): string[] {
  return broken(value, WIDTH - 12).map((line, position) => `${(position === 0 ? name : "").padEnd(12)}${line}`);
}

/** What was measured, where and when, as names and values. */
export function headFields({ environment, clock, ceilings, scope }: BenchmarkReport): [name: string, value: string][] {
  const { date, version, adapter, driver, runtime, system, tuned, reference } = environment;
  const timestamps =
    clock === "timestamps"
      ? "single kernels by the GPU's timestamps, whole steps by the wall clock"
      : "all by the wall clock: the GPU's timestamps are missing or rounded";
  const clocks = reference ? "all by the calling thread's clock" : timestamps;
  const tilings = tuned
    ? "of products as `wgrad tune` chose them here"
    : "of products by rule of thumb; `wgrad tune` chooses by trying";
  const { flopsPerSecond, bytesPerSecond, copiedBytes } = ceilings;
  return [
    ["wgrad", `${version}, ${date.slice(0, 16).replace("T", " ")} UTC${scope.quick ? ", quick: few samples" : ""}`],
    ["adapter", adapter.software ? `${adapter.name}, a software adapter: a CPU plays the GPU` : adapter.name],
    ...(driver ? [["driver", driver] as [string, string]] : []),
    ["runtime", runtime],
    ["system", system],
    reference
      ? ["reference", `plain loops instead of WebAssembly: ${reference.join(", ") || "none"}`]
      : ["tilings", tilings],
    ["times", `medians after a warm-up, ± half the distance of the quartiles; ${clocks}`],
    [
      "ceilings",
      `${reference ? "the product of two 512×512 matrices" : "float32 multiply-adds"} ${rateText(flopsPerSecond, "FLOP")}, copying ${bytesText(copiedBytes)} ${rateText(bytesPerSecond, "B")} (read and written)`,
    ],
  ];
}

/** What a step's summary says, as names and values. */
export function stepFields(row: DetailedStepRow): [name: string, value: string][] {
  const { seconds, batch, imagesPerSecond, trainingImagesPerSecond, kernels } = row;
  const together = kernels.reduce((sum, kernel) => sum + kernel.seconds.median, 0);
  const rate = `${rateText(row.flopsPerSecond, "FLOP")}, ${shareText(row.shareOfCeiling)} of what ${row.boundBy} allows`;
  return [
    ["whole step", `${timeText(seconds.median)} ±${spreadText(seconds)}, ${count(imagesPerSecond)} images/s, ${rate}`],
    [
      "kernels",
      kernels.length > 0
        ? `${timeText(together)} together`
        : "not told apart: that takes the GPU's timestamps, unrounded",
    ],
    [
      "training",
      `${count(trainingImagesPerSecond)} images/s by fit, 60,000 images in ${timeText(60_000 / trainingImagesPerSecond)}`,
    ],
    ["CPU time", encodingText(row)],
    [
      "memory",
      `${bytesText(row.gpuBytes)}, the data set of 60,000 × 784 bytes among it; compiled in ${timeText(row.compileSeconds)}, batch ${batch}`,
    ],
  ];
}

function encodingText({ encoding, dispatches }: DetailedStepRow): string {
  if (!encoding) return "of encoding a step not told apart: too short for this clock, or lost among other work";
  const { secondsPerStep, secondsPerDispatch, secondsPerSubmit } = encoding;
  const each = `${timeText(secondsPerDispatch)} for each of ${dispatches} dispatches`;
  return `${timeText(secondsPerStep)} to encode a step, ${each}; ${timeText(secondsPerSubmit)} besides for a submit`;
}

/** The lines of a report, with a heading where another table begins. */
export class ReportLines {
  #section = "";

  /** What an event adds to the report, in lines of at most 100 columns. */
  of(event: BenchmarkEvent): string[] {
    switch (event.kind) {
      case "beginning":
        return headFields(event.report).flatMap((field) => fieldLines(...field));
      case "kernel":
        return [...this.#heading("kernels", headLine(kernelLayout)), ...rowLines(kernelLayout, event.row)];
      case "step":
        return this.#step(event.row);
      case "growth":
        return [...this.#growthHeading(), ...rowLines(growthLayout, event.row)];
      case "leftOut":
        return broken(`left out: ${event.left.name} (${event.left.why})`, WIDTH);
      case "wrong":
        return broken(`WRONG, so not timed: ${event.left.why}`, WIDTH);
    }
  }

  #step(row: DetailedStepRow): string[] {
    const title = `one training step, ${row.network}, relu, softmax cross-entropy, Adam, batch ${row.batch}`;
    const table =
      row.kernels.length > 0
        ? [...headLine(kernelLayout), ...row.kernels.flatMap((kernel) => rowLines(kernelLayout, kernel))]
        : [];
    return [...this.#heading(row.name, [title]), ...table, ...stepFields(row).flatMap((field) => fieldLines(...field))];
  }

  #growthHeading(): string[] {
    return this.#heading("growth", [
      "how a step's cost grows from 784-128-10 at batch 64, by the wall clock",
      ...headLine(growthLayout),
    ]);
  }

  #heading(section: string, lines: readonly string[]): string[] {
    if (section === this.#section) return [];
    this.#section = section;
    return ["", ...lines];
  }
}
