import type { TrialSource } from "../../cluster/sweeps/trial-training.ts";
import { runIdentity } from "../training/checkpointing.ts";
import { fitRun, measure, prepare, trainedModel, type Run } from "../training/training-run.ts";

/** A trial that is trained from its options. */
export const trialSource = (run: Run): TrialSource => ({
  identify: () => runIdentity(run.configuration, run.data),
  prepare: async (resumeFrom) => {
    const subject = await prepare(run, resumeFrom);
    const { trainer } = subject;
    return {
      trainer,
      computesHere: run.backend.kind !== "webgpu",
      fit: (options) => fitRun(run, trainer, options),
      measure: () => measure(run, trainer),
      modelAfter: (step) => trainedModel(run, subject, step),
    };
  },
});
