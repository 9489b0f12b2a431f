import { settledFlags, type SettledFlags } from "../options/defaults.ts";
import { trainOptions, type TrainFlags } from "../options/train-options.ts";
import { loadTrainingSource, type TrainingSource } from "../data/data-source.ts";
import { dataForStart, type StartingModel } from "../training/starting-model.ts";

/** Reads the data of trials. Trials in a row usually share them, so the last data stay in memory. */
export class TrialData {
  #last: { readonly key: string; readonly source: TrainingSource } | undefined;

  /** The data that the options select, without test data: the best model is chosen on held-out examples. */
  async of(flags: TrainFlags, start: StartingModel | undefined): Promise<TrainingSource> {
    const key = dataKey(flags);
    if (this.#last?.key !== key) {
      const source = { ...(await loadTrainingSource(flags)), test: undefined };
      this.#last = { key, source: start && source.kind === "examples" ? dataForStart(source, start) : source };
    }
    return this.#last.source;
  }
}

/** The values of all options that select the data. */
function dataKey(flags: TrainFlags): string {
  const values: Readonly<Record<string, unknown>> = { ...flags };
  const names = trainOptions()
    .filter(({ facts }) => facts.selectsData)
    .map((option) => option.attributeName());
  return JSON.stringify([...names, "init"].map((name) => values[name] ?? null));
}

/**
 * The options of a trial with their defaults. A trial that is compared at rungs must reach them, so it is not stopped
 * early.
 */
export function trialFlags(flags: TrainFlags, data: TrainingSource, hasRungs: boolean): SettledFlags {
  const settled = settledFlags(flags, data);
  return hasRungs ? { ...settled, patience: undefined } : settled;
}
