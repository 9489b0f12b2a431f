import { count } from "../text/text.ts";
import { visible, type LineStream } from "../text/terminal.ts";

/** A trial in progress. */
export interface TrialProgress {
  /** The trial in words. */
  readonly label: string;
  readonly worker: string;
  readonly attempt: number;
  readonly step: number;
  /** Undefined before the first checkpoint. */
  readonly totalSteps: number | undefined;
}

/** The most trials in progress that are shown. */
const MOST_SHOWN = 12;

const CLEAR_BELOW = "\u001b[J";

/** Lines about finished trials and, on a terminal, a table of those in progress below them, which is redrawn. */
export class SweepScreen {
  readonly #stream: LineStream;
  #drawn = 0;

  constructor(stream: LineStream = process.stdout) {
    this.#stream = stream;
  }

  /** Shows lines, and the trials that are in progress now. */
  show(lines: readonly string[], progress: readonly TrialProgress[]): void {
    const table = this.#stream.isTTY ? progressTable(progress, (this.#stream.columns || 80) - 1) : [];
    if (this.#drawn > 0) this.#stream.write(`\u001b[${this.#drawn}A${CLEAR_BELOW}`);
    for (const line of [...lines, ...table]) this.#stream.write(`${visible(line)}\n`);
    this.#drawn = table.length;
  }
}

/** The trials in progress, a line for each, cut to a width. */
export function progressTable(progress: readonly TrialProgress[], width: number): string[] {
  const shown = progress.slice(0, MOST_SHOWN);
  const rows = shown.map(({ label, worker, attempt, step, totalSteps }) => [
    label,
    totalSteps === undefined ? `step ${count(step)}` : `step ${count(step)} of ${count(totalSteps)}`,
    visible(worker),
    attempt > 1 ? `attempt ${attempt}` : "",
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  "));
  const more = progress.length - shown.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].map((line) => `  ${line}`.slice(0, width).trimEnd());
}
