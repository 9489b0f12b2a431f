import type { StoppingProgress } from "../../train/index.ts";
import { count, duration, lossText, percent } from "./text.ts";

/** Where the line goes: standard output, or a stand-in for it. */
export interface Screen {
  /** Whether a line can be drawn anew. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The most lines of a run on a screen where none can be drawn anew. */
const PLAIN_LINES = 20;

/** Drawings that follow each other faster cannot be read. */
const REDRAW_MILLISECONDS = 50;

const CLEAR_TO_END = "\u001b[K";

/**
 * Such as "938/2814", "epoch 1/3", "loss 0.123", "accuracy 96.1 %", "12,345 images/s", "2 s left"; quantities have no
 * accuracy, and a check has the validation loss.
 */
export function progressFields(progress: StoppingProgress, unit = "images"): string[] {
  const { step, stepsTotal, epoch, epochs, loss, accuracy, imagesPerSecond, seconds, validation } = progress;
  return [
    `${step}/${stepsTotal}`,
    `epoch ${epoch}/${epochs}`,
    `loss ${lossText(loss)}`,
    ...(Number.isNaN(accuracy) ? [] : [`accuracy ${percent(accuracy)}`]),
    ...(validation ? [`validation ${lossText(validation.loss)}`] : []),
    `${count(imagesPerSecond)} ${unit}/s`,
    `${duration(((stepsTotal - step) * seconds) / step)} left`,
  ];
}

/** Shows where training stands: on a terminal in one line that is drawn anew, elsewhere in at most 20 lines a run. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #unit: string;
  #shownPart = -1;
  #drawn = -Infinity;
  #pending: string | undefined;

  /** @param unit what an example is */
  constructor(screen: Screen, unit = "images") {
    this.#screen = screen;
    this.#unit = unit;
  }

  show(progress: StoppingProgress): void {
    if (this.#screen.isTTY) this.#redraw(progress);
    else this.#print(progress);
  }

  /** Draws the last line, if it was held back, and ends it. */
  finish(): void {
    if (this.#pending !== undefined) this.#screen.write(`\r${this.#pending}${CLEAR_TO_END}`);
    if (this.#drawn > -Infinity) this.#screen.write("\n");
  }

  #redraw(progress: StoppingProgress): void {
    const fields = progressFields(progress, this.#unit);
    // A terminal that is as wide as the line may begin a new one.
    const width = (this.#screen.columns || 80) - 1;
    while (fields.join("  ").length > width && fields.length > 1) fields.pop();
    this.#pending = fields.join("  ");
    const now = performance.now();
    if (now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#screen.write(`\r${this.#pending}${CLEAR_TO_END}`);
    this.#drawn = now;
    this.#pending = undefined;
  }

  #print(progress: StoppingProgress): void {
    const part = Math.floor(((PLAIN_LINES - 1) * progress.step) / progress.stepsTotal);
    if (part === this.#shownPart) return;
    this.#shownPart = part;
    this.#screen.write(`${progressFields(progress, this.#unit).join("  ")}\n`);
  }
}
