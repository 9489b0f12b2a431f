/*
 * The options of a new run by where its network comes from, and the event that describes it.
 */
import type { PreparedEvent } from "../contract.ts";
import { defaultSettings } from "../settings.ts";
import type { KeptNetwork } from "./kept.ts";
import type { Run, RunOptions } from "./run.ts";

/** The options of a new run, without those that the service adds. */
export type Wanted = Pick<RunOptions, "settings" | "loaded" | "resumeFrom" | "course" | "normalization"> & {
  readonly origin: PreparedEvent["origin"];
  readonly seconds: number;
};

/** A run of a new network. */
export const newRun = ({ settings, loaded }: Pick<RunOptions, "settings" | "loaded">): Wanted => ({
  settings,
  loaded,
  origin: "drawn",
  seconds: 0,
});

/** A run that continues from a network that was kept. */
export async function keptRun(kept: KeptNetwork): Promise<Wanted> {
  const { snapshot, course, normalization, seconds, file } = kept;
  // An earlier version of the page, with fewer settings, may have kept it.
  const settings = { ...defaultSettings, ...kept.settings };
  const loaded = file && { file, ...(await import("./files.ts")).networkOf(file) };
  return { settings, loaded, resumeFrom: snapshot, course, normalization, seconds, origin: "kept" };
}

export function preparedEvent(run: Run, origin: PreparedEvent["origin"]): PreparedEvent {
  const { trainer, model, options } = run;
  const { settings, data, loaded } = options;
  return {
    kind: "prepared",
    settings,
    origin,
    step: trainer.step,
    totalSteps: trainer.totalSteps,
    stepsPerEpoch: trainer.stepsPerEpoch,
    data: data.name,
    mnistMissing: data.mnistMissing,
    trainingExamples: data.train.count,
    testExamples: data.test.count,
    parameters: model.parameters.reduce((sum, { size }) => sum + size, 0),
    file: loaded?.file.name,
    dispatches: trainer.dispatches,
  };
}
