import type { Session } from "../../backends/backend.ts";
import type { Feed } from "../feed/index.ts";
import { compileDivided } from "./divided.ts";
import type { StepGraphPlan } from "./graphs.ts";
import type { StepRunner } from "./runner.ts";
import { compileWhole } from "./whole.ts";

/** Compiles the step that a plan describes. */
export function compileStep(plan: StepGraphPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batchSize, microBatchSize } = plan.data;
  return microBatchSize === batchSize ? compileWhole(plan, session, feed) : compileDivided(plan, session, feed);
}
