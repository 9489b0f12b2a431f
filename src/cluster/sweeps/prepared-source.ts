import type { Backend } from "../../backends/backend.ts";
import { tableSchemaFrom } from "../../data/table-schema.ts";
import { fitUntil } from "../../train/index.ts";
import { measureTrained } from "../../train/measurement.ts";
import { stepsBetweenEvents } from "../../train/stopping.ts";
import { MessageError } from "../messages.ts";
import { createPreparedTrainer, type FetchedRun } from "../training/prepared/index.ts";
import type { TrialSource } from "./trial-training.ts";

/**
 * A trial that is trained from what the server has for browsers.
 * @throws MessageError for a prepared run that is not a trial; DataError for an invalid table
 */
export function preparedSource(where: string, run: FetchedRun, backend: Backend): TrialSource {
  const { trained, trial } = run;
  if (!trial) throw new MessageError({ where, what: "it is prepared as a shared run, not as a trial" });
  const { stopping, identity, validation } = trial;
  const { loss, table } = trained;
  const measuring = { loss, table: table && tableSchemaFrom(table, where) };
  return {
    identify: () => identity,
    prepare: async (resumeFrom) => {
      const { trainer } = await createPreparedTrainer(run, backend, resumeFrom);
      const every = stepsBetweenEvents(trainer.totalSteps);
      return {
        trainer,
        computesHere: backend.kind !== "webgpu",
        fit: (options) => fitUntil(trainer, { every, validation, ...stopping, ...options }),
        measure: async () => ({ name: validation.name, ...(await measureTrained(trainer, validation, measuring)) }),
        modelAfter: (step) => ({ ...trained, step }),
      };
    },
  };
}
