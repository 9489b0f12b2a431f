import { choose, curves, curvesVersion, draft, prepared, progress, test } from "../digits/state/index.ts";
import { rounded } from "../shared/format.ts";
import { beginDigits, startDigits } from "./digits.ts";
import type { Lesson } from "./lesson.ts";
import { show } from "./show.ts";

/** Enough steps to learn the training digits by heart. */
const STEPS = 800;

/** The training loss is the mean of so many steps, since that of a batch is noisy. */
const AVERAGED = 100;

/** Trains, and scrolls to the losses, which are below the window. */
function train(probability: number): void {
  const layers = [{ units: 64, activation: "relu", dropout: probability }] as const;
  void choose({ ...draft.value, layers });
  startDigits();
  show("#curves");
}

/** The losses of a run. */
interface Losses {
  readonly training: number;
  readonly test: number;
}

/** The losses of the current run, after enough steps. */
function lossesNow(): Losses | undefined {
  if ((progress.value?.step ?? 0) < STEPS || (test.value?.step ?? 0) < STEPS) return undefined;
  const last = curves.training.curve().losses.slice(-AVERAGED);
  return { training: last.reduce((sum, loss) => sum + loss, 0) / last.length, test: test.value!.loss };
}

const told = (name: string, losses: Losses | undefined): string =>
  losses ? ` ${name}: training loss ${rounded(losses.training)}, test loss ${rounded(losses.test)}.` : "";

export const dropout: Lesson = {
  title: "Overfitting and dropout",
  hash: "digits?layers=64-relu&batch=32&schedule=constant&data=digits",
  question:
    "This network sees the same 5,000 digits again and again. Dropout sets half of its hidden outputs to 0 in each training step, others each time, and none in a test. What does that change?",
  choices: ["It learns the training digits faster", "Training and test loss come closer", "Nothing in the long run"],
  act: `Train for ${STEPS} steps without dropout, and then as many with it. Compare the training and the test loss.`,
  actions: [
    { label: "Without dropout", run: () => train(0) },
    { label: "With dropout", run: () => train(0.5) },
  ],
  about: ["loss-chart"],
  begin: beginDigits,
  follow() {
    let [without, withIt]: (Losses | undefined)[] = [];
    return () => {
      void curvesVersion.value;
      const now = lossesNow();
      const hasDropout = prepared.value?.settings.layers.some((layer) => layer.dropout > 0) ?? false;
      if (now && hasDropout) withIt ??= now;
      if (now && !hasDropout) without ??= now;
      if (!without || !withIt) {
        const step = progress.value ? `Step ${progress.value.step}.` : "Not trained yet.";
        return { note: step + told("Without dropout", without) + told("With dropout", withIt) };
      }
      const after =
        withIt.test < without.test
          ? "and it reads new digits better."
          : "though it also learns more slowly, and needs more steps.";
      const times = Math.round(without.test / without.training);
      return {
        right: 1,
        seen: `Without dropout, the test loss (${rounded(without.test)}) was ${times} times the training loss (${rounded(without.training)}): the network knows its training digits by heart. That is overfitting. With dropout, it was ${rounded(withIt.test)}, and the training loss ${rounded(withIt.training)}: no unit can rely on another one, ${after}`,
      };
    };
  },
};
