import type { StoppingProgress } from "../../train/index.ts";
import { count, duration, lossText, percent } from "../text/text.ts";
import type { SpeedUnit } from "./training-run.ts";

/** The stream of the progress line: standard output, or a test's replacement. */
export interface Screen {
  /** Whether a line can be redrawn. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The most lines per run if lines cannot be redrawn. */
const PLAIN_LINES = 20;

/** The shortest time between two redraws. */
const REDRAW_MILLISECONDS = 50;

const CLEAR_TO_END = "\u001b[K";

/** The run's first event, from which the remaining time is estimated: before it, kernels are compiled. */
type Start = Pick<StoppingProgress, "step" | "seconds">;

/** Indices of the fields that a narrow screen omits, in this order: first the rate, then the epoch, the time left, and so on. */
const LEAST_NEEDED = [5, 1, 6, 3, 4, 2];

/**
 * The progress of a run, such as "938/2814  epoch 1/3  loss 0.123  accuracy 96.1 %  12,345 images/s  2 s left", in at most
 * `width` columns if possible. Regression has no accuracy; the validation loss is shown after a check; the time left is
 * unknown at the first event.
 */
export function progressText(
  progress: StoppingProgress,
  { unit, width, start }: { unit: SpeedUnit; width: number; start: Start },
): string {
  const { step, totalSteps, epoch, epochs, loss, accuracy, examplesPerSecond, seconds, validation } = progress;
  const secondsPerStep = (seconds - start.seconds) / (step - start.step);
  const fields: (string | undefined)[] = [
    `${step}/${totalSteps}`,
    `epoch ${epoch}/${epochs}`,
    `loss ${lossText(loss)}`,
    Number.isNaN(accuracy) ? undefined : `accuracy ${percent(accuracy)}`,
    validation && `validation loss ${lossText(validation.loss)}`,
    `${count(unit.perExample * examplesPerSecond)} ${unit.name}/s`,
    Number.isFinite(secondsPerStep) ? `${duration((totalSteps - step) * secondsPerStep)} left` : undefined,
  ];
  const text = () => fields.filter((part) => part !== undefined).join("  ");
  for (const place of LEAST_NEEDED) if (text().length > width) fields[place] = undefined;
  return text();
}

/** Shows the progress of training: on a terminal as one line that is redrawn, elsewhere as at most 20 lines per run. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #unit: SpeedUnit;
  #start: Start | undefined;
  #shownPart = -1;
  #drawn = -Infinity;
  #pending: string | undefined;

  constructor(screen: Screen, unit: SpeedUnit = { name: "images", perExample: 1 }) {
    this.#screen = screen;
    this.#unit = unit;
  }

  show(progress: StoppingProgress): void {
    this.#start ??= progress;
    if (this.#screen.isTTY) this.#redraw(progress);
    else this.#print(progress);
  }

  /** Draws the last line if its redraw was delayed, and ends it. Further progress starts another line. */
  finish(): void {
    if (this.#pending !== undefined) this.#screen.write(`\r${this.#pending}${CLEAR_TO_END}`);
    if (this.#drawn > -Infinity) this.#screen.write("\n");
    [this.#pending, this.#drawn] = [undefined, -Infinity];
  }

  #redraw(progress: StoppingProgress): void {
    // A line that fills the whole width may wrap on some terminals.
    this.#pending = this.#text(progress, (this.#screen.columns || 80) - 1);
    const now = performance.now();
    if (now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#screen.write(`\r${this.#pending}${CLEAR_TO_END}`);
    this.#drawn = now;
    this.#pending = undefined;
  }

  #print(progress: StoppingProgress): void {
    const part = Math.floor(((PLAIN_LINES - 1) * progress.step) / progress.totalSteps);
    if (part === this.#shownPart) return;
    this.#shownPart = part;
    this.#screen.write(`${this.#text(progress, 80)}\n`);
  }

  #text(progress: StoppingProgress, width: number): string {
    return progressText(progress, { unit: this.#unit, width, start: this.#start ?? progress });
  }
}
