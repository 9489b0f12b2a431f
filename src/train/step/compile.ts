import type { Session } from "../../backends/backend.ts";
import { gradients } from "../../ops/gradients.ts";
import type { Feed } from "../feed/index.ts";
import type { GradientsOf, StepGraphPlan } from "./graphs.ts";
import type { StepRunner } from "./runner.ts";
import { compileWhole } from "./whole.ts";

/** Compiles the step that a plan describes. Recomputed activations and divided steps are rare, so their code is loaded here. */
export async function compileStep(plan: StepGraphPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batchSize, microBatchSize } = plan.data;
  const loaded = { ...plan, gradientsOf: await loadGradients(plan.step.recompute) };
  if (microBatchSize === batchSize) return compileWhole(loaded, session, feed);
  const { compileDivided } = await import("./divided.ts");
  return compileDivided(loaded, session, feed);
}

/** @param recompute the option of the trainer; undefined to keep all activations */
async function loadGradients(recompute: number | undefined): Promise<GradientsOf> {
  if (recompute === undefined) return gradients;
  const { recomputing } = await import("./recompute.ts");
  return recomputing(recompute);
}
