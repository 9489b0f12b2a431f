/*
 * Formatting of values for the output of the commands.
 */
import type { Backend } from "../../backends/backend.ts";
import type { TrainedModel } from "../../formats/model.ts";
import type { Evaluation, RegressionMetrics } from "../../train/index.ts";
import { count, percent, scaled } from "../../text.ts";
import type { LanguageMetrics } from "../../train/measurement.ts";

export { count, percent, scaled, shortened, wrap } from "../../text.ts";

/** The width of a line of output, in columns, if the terminal's is not known. */
export const LINE_WIDTH = 80;

/** A loss with about three significant digits; it may be NaN or infinite. */
export function lossText(loss: number): string {
  return Number.isFinite(loss) && loss >= 1000 ? loss.toExponential(2) : loss.toFixed(loss < 0.0995 ? 4 : 3);
}

/** A number of bytes, such as "815 B" or "12.8 MB". */
export const bytesText = (bytes: number): string => (bytes < 1000 ? `${Math.round(bytes)} B` : `${scaled(bytes)}B`);

/** A number with at most four significant digits, such as "0.002" or "1e-7". */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(4)));

/** A coefficient of determination with three decimals; "–" where it is undefined (NaN). */
export const r2Text = (r2: number): string => (Number.isNaN(r2) ? "–" : r2.toFixed(3));

/** A duration such as "12 s", "3:20" or "1:02:03". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** The name of the adapter, and whether it is a software adapter; "none: …" for a backend without an adapter. */
export function adapterText({ kind, adapter }: Backend): string {
  if (kind !== "webgpu") return `none: ${adapter.name}`;
  return adapter.software ? `${adapter.name}, a software adapter` : adapter.name;
}

/** Where a model comes from, such as "938 steps on MNIST". */
export function originText({ step, training }: Pick<TrainedModel, "step" | "training">): string {
  const { data, importedFrom } = training;
  if (importedFrom !== undefined) return `imported from ${importedFrom}`;
  return counted(step, "step") + (data === undefined ? "" : ` on ${data}`);
}

/** The metrics of a part of the data in one line, for `train`, `sweep` and `evaluate`. */
export function outcomeText({ part, evaluation, regression, targets, language }: OutcomeValues): string {
  const loss = `loss ${lossText(evaluation.loss)}`;
  if (language) {
    const { perplexity, bitsPerCharacter } = language;
    return `${part} ${loss}  perplexity ${fourDigits(perplexity)}  ${lossText(bitsPerCharacter)} bits per character`;
  }
  if (!regression) return `${part} accuracy ${percent(evaluation.accuracy)}  ${loss}`;
  const { r2, rmse, mae } = regression;
  if (targets.length > 1) return `${part} R² ${r2Text(r2)} (mean of ${targets.length} targets)  ${loss}`;
  return `${part} R² ${r2Text(r2)}  RMSE ${fourDigits(rmse)}  MAE ${fourDigits(mae)}  ${loss}`;
}

interface OutcomeValues {
  readonly part: string;
  readonly evaluation: Evaluation;
  readonly regression: RegressionMetrics | undefined;
  /** One element for each target, if there are several. */
  readonly targets: readonly unknown[];
  readonly language: LanguageMetrics | undefined;
}

/** A text that was generated after a step, with a margin. */
export const sampleText = ({ step, text }: { readonly step: number; readonly text: string }): string[] => [
  ...field("sample", `after step ${count(step)}`),
  ...text.split("\n").map((line) => `  | ${line}`.trimEnd()),
];

/** A number with four significant digits and thousands separators. */
export function fourDigits(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumSignificantDigits: 4 }) : String(value);
}

/** A number and what it counts: "1 column", "1,200 columns". The plural adds an s unless it is given. */
export function counted(number: number, singular: string, plural = `${singular}s`): string {
  return `${count(number)} ${number === 1 ? singular : plural}`;
}

/**
 * A name and its value, as lines of a command's summary.
 * @param more the rest of the value, which goes to a second line if the first would exceed 80 columns
 */
export function field(name: string, value: string, more = ""): string[] {
  const line = `${name.padEnd(10)}${value}`;
  return more === "" || line.length + more.length <= LINE_WIDTH
    ? [line + more]
    : [line.trimEnd(), `${" ".repeat(10)}${more.replace(/^[;\s]+/, "")}`];
}
