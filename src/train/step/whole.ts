import type { Session } from "../../backends/backend.ts";
import { defineGraph } from "../../graph/graph.ts";
import { momentUpdates } from "../../nn/moments.ts";
import type { Feed } from "../feed.ts";
import { optimizerUpdates, partMetrics, statesOf, type StepGraphPlan } from "./graphs.ts";
import type { StepRunner } from "./runner.ts";

/** Compiles a step that computes its whole batch at once: one graph. */
export async function compileWhole(plan: StepGraphPlan, session: Session, feed: Feed): Promise<StepRunner> {
  const { metrics, gradient, moments } = partMetrics(plan, feed, {
    count: plan.data.batchSize,
    placeOf: (step) => ({ step, offset: 0 }),
  });
  const { updates, metrics: gradientMetrics } = optimizerUpdates(plan, gradient, {
    loss: metrics.loss,
    statistics: momentUpdates(moments),
  });
  const executable = await session.compile(defineGraph({ ...metrics, ...gradientMetrics }, updates));
  return {
    dispatches: executable.dispatches,
    executable,
    states: statesOf(plan.model, updates),
    async run(first, count) {
      feed.prepare(session, first);
      const traces = await executable.run(first, count);
      return {
        losses: traces.loss!,
        correct: traces.correct,
        faults: traces.fault,
        gradientNorms: traces.gradientNorm,
      };
    },
    profile:
      executable.profile &&
      ((step) => {
        feed.prepare(session, step);
        return executable.profile!(step);
      }),
  };
}
