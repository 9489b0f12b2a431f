/*
 * How values are written for people.
 */
import type { Backend } from "../../backends/backend.ts";
import type { Evaluation, RegressionMetrics } from "../../train/index.ts";
import { count, percent } from "../../text.ts";

export { count, percent, scaled, shortened } from "../../text.ts";

/** A loss with about three digits that count, also where it is not finite. */
export function lossText(loss: number): string {
  return Number.isFinite(loss) && loss >= 1000 ? loss.toExponential(2) : loss.toFixed(loss < 0.0995 ? 4 : 3);
}

/** A learning rate with at most four digits that count, such as "0.002" or "1e-7". */
export const rateText = (rate: number): string => String(Number(rate.toPrecision(4)));

/** Such as "12 s", "3:20" or "1:02:03". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** What computes, plainly so where it is no GPU. */
export function adapterText({ kind, adapter }: Backend): string {
  if (kind !== "webgpu") return `none: ${adapter.name}`;
  return adapter.software ? `${adapter.name}, a software adapter` : adapter.name;
}

/** What a part of the data gave, in training and in evaluation alike. */
export function outcomeText({ part, evaluation, regression, targets }: OutcomeValues): string {
  const loss = `loss ${lossText(evaluation.loss)}`;
  if (!regression) return `${part} accuracy ${percent(evaluation.accuracy)}  ${loss}`;
  const { r2, rmse, mae } = regression;
  if (targets.length > 1)
    return `${part} R² ${Number.isNaN(r2) ? "–" : r2.toFixed(3)} (mean of ${targets.length} quantities)  ${loss}`;
  return `${part} R² ${Number.isNaN(r2) ? "–" : r2.toFixed(3)}  RMSE ${fourDigits(rmse)}  MAE ${fourDigits(mae)}  ${loss}`;
}

interface OutcomeValues {
  readonly part: string;
  readonly evaluation: Evaluation;
  readonly regression: RegressionMetrics | undefined;
  /** Of several quantities, as many as there are. */
  readonly targets: readonly unknown[];
}

/** A quantity with four digits that count. */
export function fourDigits(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumSignificantDigits: 4 }) : String(value);
}

/** A number and what it counts: "1 column", "1,200 columns". The plural adds an s unless it is given. */
export function counted(number: number, singular: string, plural = `${singular}s`): string {
  return `${count(number)} ${number === 1 ? singular : plural}`;
}

/** The lines of a command's summary: a name, then what it is; what would go beyond 80 columns, in a line of its own. */
export function field(name: string, value: string, more = ""): string[] {
  const line = `${name.padEnd(10)}${value}`;
  return more === "" || line.length + more.length <= 80
    ? [line + more]
    : [line.trimEnd(), `${" ".repeat(10)}${more.replace(/^[;\s]+/, "")}`];
}

/** Words with spaces between, in lines of at most `width` columns. */
export function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
