import { change, playgroundState } from "../playground/state/index.ts";
import { rounded } from "../shared/format.ts";
import type { Lesson } from "./lesson.ts";
import { beginPlayground, frameOf, startAgain } from "./playground.ts";

const rates = [0.001, 0.3, 3] as const;
type Rate = (typeof rates)[number];

/** The steps with each rate. */
const STEPS = 50;

function descend(learningRate: Rate): void {
  change("surface", { learningRate });
  startAgain();
}

export const learningRate: Lesson = {
  title: "Learning rate: too small, too large",
  hash: "playground?mode=surface&surface.optimizer=sgd&surface.learningRate=0.001&surface.speed=30",
  question:
    "The picture is the loss for each pair of weights, blue where it is low. A step moves the weights down the slope by the slope × the learning rate. Which rate has the lowest loss after 50 steps?",
  choices: rates.map(String),
  act: `Descend from the ring with each of the three rates, ${STEPS} steps each.`,
  actions: rates.map((rate) => ({ label: `Rate ${rate}`, run: () => descend(rate) })),
  about: ["playground-surface", "playground-learning-rate"],
  begin: beginPlayground,
  follow() {
    const ends = new Map<number, number>();
    let rateAtStart: number | undefined;
    return () => {
      const now = frameOf("surface");
      const rate = playgroundState.value.surface.learningRate;
      if (now?.step === 0) rateAtStart = rate;
      // A run whose rate was changed on the way does not count.
      const isOver = now && rate === rateAtStart && (now.step >= STEPS || !Number.isFinite(now.loss));
      if (isOver && !ends.has(rate)) ends.set(rate, now.loss);
      const [small, right, large] = rates.map((each) => ends.get(each));
      if (small === undefined || right === undefined || large === undefined)
        return { note: noteOf(ends, now && { ...now, rate }) };
      return {
        right: 1,
        seen: `Loss after ${STEPS} steps: ${rounded(small)} with 0.001, ${rounded(right)} with 0.3, and ${lossText(large)} with 3. A rate that is too small hardly moves. One that is too large jumps across the valley and lands higher up, where the slope is steeper: the next jump is larger still.`,
      };
    };
  },
};

const lossText = (loss: number) => (Number.isFinite(loss) ? rounded(loss) : "growing without bound");

function noteOf(ends: ReadonlyMap<number, number>, now: { step: number; loss: number; rate: number } | undefined) {
  const done = rates.filter((rate) => ends.has(rate)).map((rate) => `rate ${rate}: ${lossText(ends.get(rate)!)}.`);
  const current = now && now.step > 0 && !ends.has(now.rate) ? [`Step ${now.step}: loss ${lossText(now.loss)}.`] : [];
  return [...done, ...current].join(" ") || "No rate has been tried yet.";
}
