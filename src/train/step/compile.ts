import type { Session } from "../../backends/backend.ts";
import { gradients } from "../../ops/gradients.ts";
import type { Feed } from "../feed/index.ts";
import type { StepPlan } from "../plan.ts";
import type { GradientsOf, StepGraphPlan } from "./graphs.ts";
import type { StepRunner } from "./runner.ts";
import { compileWhole } from "./whole.ts";

/**
 * Compiles the step that a plan describes. Recomputed and rounded activations and divided steps are rare, so their code is loaded
 * here.
 */
export async function compileStep(plan: StepGraphPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { batchSize, microBatchSize } = plan.data;
  const loaded = { ...plan, gradientsOf: await loadGradients(plan.step) };
  if (microBatchSize === batchSize) return compileWhole(loaded, session, feed);
  const { compileDivided } = await import("./divided.ts");
  return compileDivided(loaded, session, feed);
}

async function loadGradients({ recompute, activationStorage }: StepPlan): Promise<GradientsOf> {
  const gradientsOf = recompute === undefined ? gradients : (await import("./recompute.ts")).recomputing(recompute);
  if (activationStorage === "float32") return gradientsOf;
  const { withFloat16Activations } = await import("../../ops/activation-storage.ts");
  return (loss, trained, layers) => withFloat16Activations(loss, gradientsOf(loss, trained, layers));
}
