/*
 * Metrics as tables of at most 80 columns.
 */
import type { ClassificationMetrics } from "../../train/index.ts";
import { visible } from "./terminal.ts";
import { count, counted, LINE_WIDTH, percent, shortened } from "./text.ts";

const LONGEST_NAME = 16;

/** A name with control characters escaped, cut to at most `most` columns. */
const shownName = (name: string, most: number) => shortened(visible(name), most);

/** Precision, recall and F1 of each class, and their means. */
export function classTable({ classes, macro }: ClassificationMetrics): string[] {
  const width = Math.max(5, ...classes.map(({ name }) => shownName(name, LONGEST_NAME).length));
  const row = (name: string, ...cells: string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join("")}`.trimEnd();
  return [
    row("class", "precision", "recall", "F1", "examples"),
    ...classes.map(({ name, precision, recall, f1, support }) =>
      row(shownName(name, LONGEST_NAME), percent(precision), percent(recall), percent(f1), count(support)),
    ),
    row("mean", percent(macro.precision), percent(macro.recall), percent(macro.f1), ""),
  ];
}

/** The confusion matrix if it fits into a line, else the most frequent confusions. */
export function confusionTable({ confusion, classes }: ClassificationMetrics): string[] {
  const most = Math.max(...confusion.flat());
  const cell =
    Math.max(String(most).length, Math.min(6, Math.max(...classes.map(({ name }) => visible(name).length)))) + 1;
  const first = Math.max(4, ...classes.map(({ name }) => shownName(name, LONGEST_NAME).length));
  if (first + 1 + cell * classes.length > LINE_WIDTH)
    return frequentConfusions(
      confusion,
      classes.map(({ name }) => name),
    );
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(first)} ${cells.map((text) => text.padStart(cell)).join("")}`;
  return [
    "confusion matrix: rows are the true classes, columns the predicted classes",
    row(
      "",
      classes.map(({ name }) => shownName(name, cell - 1)),
    ),
    ...confusion.map((counts, index) =>
      row(
        shownName(classes[index]!.name, LONGEST_NAME),
        counts.map((value) => (value === 0 ? "·" : String(value))),
      ),
    ),
  ];
}

const MOST_LISTED = 15;

function frequentConfusions(confusion: ClassificationMetrics["confusion"], names: readonly string[]): string[] {
  const wrong = confusion.flatMap((counts, label) =>
    counts
      .map((times, prediction) => ({ label, prediction, times }))
      .filter(({ prediction, times }) => prediction !== label && times > 0),
  );
  wrong.sort((a, b) => b.times - a.times);
  const lines = wrong.slice(0, MOST_LISTED).map(({ label, prediction, times }) => {
    return `${count(times).padStart(8)}  ${shownName(names[label]!, 28)} predicted as ${shownName(names[prediction]!, 28)}`;
  });
  return [`the most frequent of ${counted(wrong.length, "confusion")} (--json prints all)`, ...lines];
}
