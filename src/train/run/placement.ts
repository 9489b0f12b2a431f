import type { Session } from "../../backends/backend.ts";
import { averagedModel } from "../average.ts";
import { createEvaluator, type Evaluator } from "../evaluate.ts";
import { createFeed, type Feed } from "../feed.ts";
import { storedLeaves } from "../../nn/sequential.ts";
import type { TrainingPlan } from "../plan.ts";
import { writeAll, type Snapshot } from "../snapshot.ts";
import { compileStep } from "../step/compile.ts";
import type { StepRunner } from "../step/runner.ts";

/** The state of a run on a device, which is lost with the device. */
export interface Placement {
  readonly session: Session;
  readonly feed: Feed;
  readonly runner: StepRunner;
  readonly evaluator: Evaluator;
  /** Evaluates with the moving averages of the parameters, if they are kept. */
  readonly averaged: Evaluator | undefined;
}

/** Compiles the step in a new session, with the values of a snapshot or the initial values. */
export async function placeOnDevice(plan: TrainingPlan, start: Snapshot | undefined): Promise<Placement> {
  const { backend, data } = plan;
  const { model, normalization, loss, average } = plan.model;
  const session = backend.createSession();
  try {
    const feed = createFeed(data, backend.maxTensorBytes);
    const runner = await compileStep(plan, session, feed);
    // The upload overlaps with the caller's own preparations.
    feed.prepare(session, start?.step ?? 0);
    const evaluation = { backend, session, normalization, loss };
    const placement = {
      session,
      feed,
      runner,
      evaluator: createEvaluator({ ...evaluation, model }),
      averaged: average && createEvaluator({ ...evaluation, model: averagedModel(model, average) }),
    };
    if (start) writeSnapshot(plan, placement, start);
    return placement;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** @throws OptionError for a snapshot of other parameters or states */
export function writeSnapshot({ model }: TrainingPlan, { session, runner }: Placement, snapshot: Snapshot): void {
  writeAll(session, storedLeaves(model.model), snapshot.parameters);
  writeAll(session, runner.states, snapshot.optimizer);
}
