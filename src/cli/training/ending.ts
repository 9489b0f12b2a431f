/*
 * The end of `wgrad train`: printing and logging the results, saving the model and the report.
 */
import type { Stop } from "../../train/index.ts";
import { targetTable } from "../text/target-metrics.ts";
import { print, say, warn } from "../text/terminal.ts";
import { count, field, lossText, outcomeText, percent } from "../text/text.ts";
import type { RunKeeper } from "./checkpointing.ts";
import type { EventLog } from "./event-log.ts";
import { speedFields, type Fitted } from "./fitting.ts";
import type { RunReport } from "./train-report.ts";
import { measure, saveRun, unitOf, type Outcome, type Run, type Subject } from "./training-run.ts";

/** A training run that has ended. */
export interface Ending {
  readonly run: Run;
  readonly subject: Subject;
  readonly log: EventLog | undefined;
  readonly keeper: RunKeeper | undefined;
  readonly report: RunReport | undefined;
  readonly fitted: Fitted;
  /** Seconds from the start of the process to the first step. */
  readonly startupSeconds: number;
}

/** Evaluates and saves the model of a run that finished. */
export async function endFinished(ending: Ending): Promise<void> {
  const { run, subject, log, report, fitted } = ending;
  const { reached, stop, lowest } = fitted;
  if (!isUsualEnd(stop, run)) say(stopText(stop));
  if (lowest !== undefined) say(lowest);
  const began = performance.now();
  const outcome = await measure(run, subject.trainer);
  const evaluationSeconds = (performance.now() - began) / 1000;
  sayOutcome(ending, outcome);
  const facts = { ...factsOf(ending), evaluationSeconds, steps: stop.step, stop: stop.kind, why: stop.reason };
  log?.write({ event: "done", ...resultFields(outcome), ...facts });
  // Write the report even if the model cannot be saved.
  const [saved] = await Promise.allSettled([saveModel(run, subject, outcome)]);
  const [reported] = await Promise.allSettled([report?.write(reached, stop, outcome)]);
  for (const result of [saved, reported]) if (result.status === "rejected") throw result.reason;
}

/** Prints where a run was interrupted, and writes its report. */
export async function endInterrupted(ending: Ending): Promise<void> {
  const { run, subject, log, keeper, report, fitted } = ending;
  const { reached, stop } = fitted;
  const { step = 0, totalSteps = 0, epoch = 0, loss = NaN, accuracy = NaN } = reached ?? {};
  const metrics = `loss ${lossText(loss)}${Number.isNaN(accuracy) ? "" : `, training accuracy ${percent(accuracy)}`}`;
  say(`interrupted at step ${count(step)} of ${count(totalSteps)} (epoch ${epoch}): ${metrics}`);
  if (keeper?.lastGood) say(`The same command with --resume continues from ${keeper.lastGood}.`);
  log?.write({ event: "interrupted", step, epoch, loss, accuracy, ...factsOf(ending) });
  if (run.flags.out !== undefined) say(`${run.flags.out} was not written, because the run did not finish.`);
  await report?.write(reached, stop, await measure(run, subject.trainer));
}

/** The facts that the last event of the log has for every run. */
function factsOf({ run, fitted, startupSeconds }: Ending): object {
  const { flags, backend } = run;
  const { seconds = 0, examplesPerSecond = 0 } = fitted.reached ?? {};
  return {
    seconds,
    ...speedFields(examplesPerSecond, unitOf(run)),
    adapter: backend.adapter.name,
    backend: backend.kind,
    seed: flags.seed,
    startupSeconds,
  };
}

/** Whether a run made all of its steps: those of its epochs, or for text the maximum number, which is how its length is given. */
const isUsualEnd = ({ kind }: Stop, { data }: Run): boolean =>
  kind === "finished" || (kind === "maxSteps" && data.kind === "text");

const stopText = ({ step, parametersOf, reason }: Stop): string[] => {
  const from = parametersOf === step ? "" : `; the model is the one of step ${count(parametersOf)}`;
  return field("stopped", `at step ${count(step)}: ${reason}`, from);
};

function sayOutcome({ run, fitted: { reached } }: Ending, outcome: Outcome): void {
  const { seconds = 0, examplesPerSecond = 0 } = reached ?? {};
  const { name, perExample } = unitOf(run);
  say(`${outcomeText(outcome)}  (${seconds.toFixed(1)} s, ${count(perExample * examplesPerSecond)} ${name}/s)`);
  if (outcome.targets.length > 0) print(targetTable(outcome.targets));
  if (!Number.isFinite(outcome.evaluation.loss)) {
    warn("The loss is not finite: training diverged. Try a smaller --lr.");
  }
}

/** The fields of the log for an outcome, such as testAccuracy and testLoss, or validationR2. */
function resultFields({ part, evaluation, regression, language, targets }: Outcome): Record<string, unknown> {
  const { accuracy, loss } = evaluation;
  const values = regression
    ? { Loss: loss, R2: regression.r2, Rmse: regression.rmse, Mae: regression.mae }
    : language
      ? { Loss: loss, Perplexity: language.perplexity, BitsPerCharacter: language.bitsPerCharacter }
      : { Accuracy: accuracy, Loss: loss };
  const several = targets.length > 0 && { [`${part}Targets`]: targets };
  return {
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`${part}${name}`, value])),
    ...several,
  };
}

async function saveModel(run: Run, subject: Subject, outcome: Outcome): Promise<void> {
  const path = run.flags.out;
  if (path === undefined) return;
  await saveRun(path, run, subject, outcome);
  say(field("model", path));
}
