/*
 * The formats of --log: JSON Lines, with all fields of each event, and CSV, whose rows all have the same columns.
 */
import { csvCell } from "../../text.ts";

/** An event of a run: progress at some steps, and at the end "done" or "interrupted". */
export type LogEvent = { readonly event: "progress" | "done" | "interrupted" } & Readonly<Record<string, unknown>>;

/** How events are written to a file, one per line. */
export interface LogFormat {
  /** The start of the file. */
  readonly header: string;
  lineOf(event: LogEvent): string;
  /** Whether a line is a progress event up to a step; false for a partial line of a killed process. */
  isProgressUpTo(step: number, line: string): boolean;
}

/** The columns of a CSV log. */
const COLUMNS = [
  "event",
  "step",
  "epoch",
  "loss",
  "accuracy",
  "validationLoss",
  "validationAccuracy",
  "testLoss",
  "testAccuracy",
  "r2",
  "rmse",
  "mae",
  "learningRate",
  "gradientNorm",
  "examplesPerSecond",
  "seconds",
] as const;

/** Fields whose column has another name: the last event has steps, and names results by the part of the data. */
const renamed: Readonly<Record<string, (typeof COLUMNS)[number]>> = {
  steps: "step",
  trainingLoss: "loss",
  trainingAccuracy: "accuracy",
  ...Object.fromEntries(
    ["training", "validation", "test"].flatMap((part) => [
      [`${part}R2`, "r2"],
      [`${part}Rmse`, "rmse"],
      [`${part}Mae`, "mae"],
    ]),
  ),
};

const jsonLines: LogFormat = {
  header: "",
  // Numbers that are not finite become null.
  lineOf: (event) => JSON.stringify(event),
  isProgressUpTo(step, line) {
    try {
      const event = JSON.parse(line) as { event?: unknown; step?: unknown };
      return event.event === "progress" && typeof event.step === "number" && event.step <= step;
    } catch {
      return false;
    }
  },
};

const csv: LogFormat = {
  header: `${COLUMNS.join(",")}\n`,
  lineOf(event) {
    const byColumn = Object.fromEntries(Object.entries(event).map(([name, value]) => [renamed[name] ?? name, value]));
    return COLUMNS.map((name) => cellOf(byColumn[name])).join(",");
  },
  isProgressUpTo(step, line) {
    const cells = line.split(",");
    return cells.length === COLUMNS.length && cells[0] === "progress" && Number(cells[1]) <= step;
  },
};

/** A cell; empty for a value that is absent or not finite. */
function cellOf(value: unknown): string {
  if (value === undefined || value === null || (typeof value === "number" && !Number.isFinite(value))) return "";
  return csvCell(String(value));
}

/** The formats by the values of --log-format. */
export const logFormats = { jsonl: jsonLines, csv } as const satisfies Readonly<Record<string, LogFormat>>;

/** The format of a file: the given one, or else CSV if the path ends in .csv, and JSON Lines for other paths. */
export const logFormatOf = (path: string, given: keyof typeof logFormats | undefined): LogFormat =>
  logFormats[given ?? (/\.csv$/i.test(path) ? "csv" : "jsonl")];
