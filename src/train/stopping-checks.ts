import { OptionError, optionName } from "../errors.ts";
import type { Evaluation } from "./evaluate.ts";
import type { TrainingProgress } from "./progress.ts";
import type { Stop, StoppingMemory, StoppingOptions, StoppingState } from "./stopping-options.ts";
import type { AnyModel } from "../nn/functional.ts";
import type { Trainer } from "./trainer.ts";

/** A reason to stop. */
export type Verdict = Pick<Stop, "kind" | "reason">;

/** Formats a number for a reason: 1,876 or 0.0812. */
export const numberText = (value: number): string => value.toLocaleString("en-US", { maximumSignificantDigits: 6 });

const NOTHING_SEEN: Omit<StoppingState, "lastStep"> = {
  steps: 0,
  loss: 0,
  gradientNorm: 0,
  lossStays: 0,
  gradientStays: 0,
  sinceBest: 0,
};

/** Looks for a reason to stop at every check. The state is kept in the option `memory`, if it is given. */
export class StoppingChecks {
  readonly #trainer: Trainer<AnyModel>;
  readonly #options: StoppingOptions;
  readonly #memory: StoppingMemory;

  constructor(trainer: Trainer<AnyModel>, options: StoppingOptions) {
    this.#trainer = trainer;
    this.#options = options;
    this.#memory = options.memory ?? {};
    this.#memory.state ??= { ...NOTHING_SEEN, lastStep: trainer.step };
  }

  get #state(): StoppingState {
    return this.#memory.state!;
  }

  #change(changes: Partial<StoppingState>): void {
    this.#memory.state = { ...this.#state, ...changes };
  }

  /** Adds an event, whose metrics are means over the steps since the previous event. */
  add({ step, loss, gradientNorm = NaN }: TrainingProgress): void {
    if (this.#options.gradientTolerance !== undefined && Number.isNaN(gradientNorm) && Number.isFinite(loss)) {
      throw new OptionError({
        where: optionName("fitUntil gradientTolerance"),
        what: "this trainer does not measure the gradient norm",
        fix: `Create the trainer with ${optionName("gradientNorm", true)}`,
      });
    }
    const before = this.#state;
    const steps = step - before.lastStep;
    this.#change({
      lastStep: step,
      steps: before.steps + steps,
      loss: before.loss + steps * loss,
      gradientNorm: before.gradientNorm + steps * gradientNorm,
    });
  }

  /** Evaluates the validation set, if there is one. */
  async validate(): Promise<Evaluation | undefined> {
    const { validation } = this.#options;
    return validation && this.#trainer.evaluate(validation);
  }

  /**
   * The factor of the learning rate in a step, counted from 0. It depends on the reductions at or before the step only, so
   * steps that are repeated have the same.
   */
  readonly rateFactor = (step: number): number => {
    const { factor = 0.1, smallest = 0 } = this.#options.reduceRate ?? {};
    const count = this.#state.reduction?.steps.filter((first) => first <= step).length ?? 0;
    return Math.max(smallest, factor ** count);
  };

  #reduceRate({ loss }: Evaluation): void {
    const { reduceRate, minImprovement = 0 } = this.#options;
    if (!reduceRate) return;
    const { lowest, since, steps } = this.#state.reduction ?? { since: 0, steps: [] };
    const { step } = this.#trainer;
    if (loss < (lowest ?? Infinity) - minImprovement) this.#change({ reduction: { lowest: loss, since: 0, steps } });
    else if (since + 1 < reduceRate.patience) this.#change({ reduction: { lowest, since: since + 1, steps } });
    else this.#change({ reduction: { lowest, since: 0, steps: [...steps, step] } });
  }

  /** The reason to stop at this check, if there is one. Starts the next interval for the tolerances. */
  async verdict(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const { steps, lossBefore = NaN, ...sums } = this.#state;
    const [loss, gradientNorm] = [sums.loss / steps, sums.gradientNorm / steps];
    this.#change({ steps: 0, loss: 0, gradientNorm: 0, lossBefore: loss });
    const change = Math.abs(loss - lossBefore);
    if (validation) this.#reduceRate(validation);
    return (
      (await this.#patienceIsOver(validation)) ?? this.#lossStandsStill(change) ?? this.#gradientIsSmall(gradientNorm)
    );
  }

  async #patienceIsOver(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const { patience, minImprovement = 0 } = this.#options;
    if (!validation || patience === undefined) return undefined;
    const { best } = this.#state;
    if (!best || validation.loss < best.loss - minImprovement) {
      this.#change({ best: { loss: validation.loss, snapshot: await this.#trainer.snapshot() }, sinceBest: 0 });
      return undefined;
    }
    const sinceBest = this.#state.sinceBest + 1;
    this.#change({ sinceBest });
    if (sinceBest < patience) return undefined;
    const { loss, snapshot } = best;
    const ago = `${sinceBest} ${sinceBest === 1 ? "check" : "checks"} ago`;
    return {
      kind: "patience",
      reason: `the validation loss was lowest, ${numberText(loss)}, at step ${numberText(snapshot.step)}, ${ago}`,
    };
  }

  #lossStandsStill(change: number): Verdict | undefined {
    const { lossTolerance, stays = 3 } = this.#options;
    if (lossTolerance === undefined) return undefined;
    const lossStays = change < lossTolerance ? this.#state.lossStays + 1 : 0;
    this.#change({ lossStays });
    if (lossStays < stays) return undefined;
    return {
      kind: "lossTolerance",
      reason: `the loss changed by less than ${lossTolerance} at ${stays} checks in a row`,
    };
  }

  #gradientIsSmall(norm: number): Verdict | undefined {
    const { gradientTolerance, stays = 3 } = this.#options;
    if (gradientTolerance === undefined) return undefined;
    const gradientStays = norm < gradientTolerance ? this.#state.gradientStays + 1 : 0;
    this.#change({ gradientStays });
    if (gradientStays < stays) return undefined;
    return {
      kind: "gradientTolerance",
      reason: `the gradient norm was below ${gradientTolerance} at ${stays} checks in a row`,
    };
  }

  /** Restores the parameters of the lowest validation loss. @returns their step, if `patience` is used */
  goBack(): number | undefined {
    const { best } = this.#state;
    if (!best) return undefined;
    if (best.snapshot.step !== this.#trainer.step) this.#trainer.restore(best.snapshot);
    return best.snapshot.step;
  }
}
