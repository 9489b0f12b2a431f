import type { Stop, StoppingProgress } from "../../train/index.ts";
import { count, field, lossText } from "../text/text.ts";

/** How long before the end, as a share of the steps, and by which factor lower, a loss must have been to be worth a line. */
const LONG_BEFORE = 0.2;
const LOWER_BY = 1.02;

interface Check {
  readonly step: number;
  readonly loss: number;
}

/** Remembers where the validation loss was lowest, for the line that says that the model could have been better. */
export class LowestValidation {
  #lowest: Check | undefined;
  #last: Check | undefined;

  note({ step, validation }: StoppingProgress): void {
    if (!validation) return;
    this.#last = { step, loss: validation.loss };
    if (!this.#lowest || validation.loss < this.#lowest.loss) this.#lowest = this.#last;
  }

  /** The lines, where the model is that of the last step and the validation loss was lowest long before it. */
  text({ step, parametersOf }: Stop): string[] | undefined {
    const [lowest, last] = [this.#lowest, this.#last];
    if (!lowest || !last || parametersOf !== step) return undefined;
    if (lowest.step > (1 - LONG_BEFORE) * step || last.loss < LOWER_BY * lowest.loss) return undefined;
    const what = `validation loss ${lossText(lowest.loss)} at step ${count(lowest.step)}, ${lossText(last.loss)} at the end:`;
    return field("lowest", what, " --patience 20 keeps the model of the lowest one");
  }
}
