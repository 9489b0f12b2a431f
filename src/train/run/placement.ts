import type { Session } from "../../backends/backend.ts";
import { averagedNetwork } from "../average.ts";
import { ChunkEvaluator, type Evaluator } from "../evaluate.ts";
import { createFeed, type Feed } from "../feed/index.ts";
import { isReader } from "../feed/feed.ts";
import { withGuardStates } from "../guard.ts";
import { storedLeaves } from "../../nn/sequential.ts";
import type { AnyModel } from "../../nn/functional.ts";
import type { TrainingPlan } from "../plan.ts";
import { writeAll, type Snapshot } from "../snapshot.ts";
import { compileStep } from "../step/compile.ts";
import type { StepRunner } from "../step/runner.ts";

/** The state of a run on a device, which is lost with the device. */
export interface Placement {
  readonly session: Session;
  readonly feed: Feed;
  readonly runner: StepRunner;
  readonly evaluator: Evaluator<AnyModel>;
  /** Evaluates with the moving averages of the parameters, if they are kept. */
  readonly averaged: Evaluator<AnyModel> | undefined;
}

/** Compiles the step in a new session, with the values of a snapshot or the initial values. */
export async function placeOnDevice(plan: TrainingPlan, start: Snapshot | undefined): Promise<Placement> {
  const { backend, data } = plan;
  const { network, normalizations, objective, average } = plan.model;
  const session = backend.createSession();
  try {
    const feed = await createFeed(data, backend.maxTensorBytes);
    const runner = await compileStep(plan, session, feed);
    if (start && isReader(data.source)) data.source.remember(plan.places.dataStep(start.step), start.stream);
    feed.begin(session, plan.places.dataStep(start?.step ?? 0));
    const { loss, metrics } = objective;
    const evaluation = { backend, session, normalizations, loss, metrics };
    const averaged = average && averagedNetwork(network, average);
    const placement = {
      session,
      feed,
      runner,
      evaluator: new ChunkEvaluator({ ...evaluation, network }),
      averaged: averaged && new ChunkEvaluator({ ...evaluation, network: averaged }),
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
  writeAll(session, runner.states, withGuardStates(runner.states, snapshot.optimizer));
}
