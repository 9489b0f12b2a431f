import type { Stop, StoppingProgress } from "../../train/index.ts";
import { count, field, lossText } from "../text/text.ts";

/** The message is printed if the lowest loss came at least this fraction of the steps before the end. */
const LONG_BEFORE = 0.2;

/** And if the last loss is at least this many times the lowest. */
const LOWER_BY = 1.02;

interface Check {
  readonly step: number;
  readonly loss: number;
}

/** Records where the validation loss was lowest, for a message that an earlier model was better. */
export class LowestValidation {
  #lowest: Check | undefined;
  #last: Check | undefined;

  note({ step, validation }: StoppingProgress): void {
    if (!validation) return;
    this.#last = { step, loss: validation.loss };
    if (!this.#lowest || validation.loss < this.#lowest.loss) this.#lowest = this.#last;
  }

  /** The lines of the message, if the model is the one of the last step and the validation loss was lowest long before. */
  text({ step, parametersOf }: Stop): string[] | undefined {
    const [lowest, last] = [this.#lowest, this.#last];
    if (!lowest || !last || parametersOf !== step) return undefined;
    if (lowest.step > (1 - LONG_BEFORE) * step || last.loss < LOWER_BY * lowest.loss) return undefined;
    const what = `validation loss ${lossText(lowest.loss)} at step ${count(lowest.step)}, ${lossText(last.loss)} at the end:`;
    return field("lowest", what, " --patience 20 keeps the model with the lowest loss");
  }
}
