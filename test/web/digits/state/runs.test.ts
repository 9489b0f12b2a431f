import { beforeEach, expect, test } from "vitest";
import { defaultSettings } from "../../../../src/web/digits/settings.ts";
import { TrainingHistory } from "../../../../src/web/digits/state/history.ts";
import {
  currentNumber,
  earlierRuns,
  forgetRun,
  keepRun,
  MOST_OVERLAID,
  overlaid,
  overlay,
} from "../../../../src/web/digits/state/runs.ts";

/** Keeps a run of two steps. */
function run(seed = 1): void {
  const training = new TrainingHistory();
  training.add([2, seed], [0.1, 0.5], 2, 0, 1);
  keepRun({ settings: { ...defaultSettings, seed }, data: "MNIST" }, { training, test: [] });
}

const numbers = () => earlierRuns.value.map(({ number }) => number);

beforeEach(() => {
  for (const number of numbers()) forgetRun(number);
  currentNumber.value = 1;
});

test("the last run is drawn until the next one takes its place", () => {
  run(7);
  expect(earlierRuns.value[0]).toMatchObject({ number: 1, settings: { seed: 7 }, data: "MNIST" });
  expect([...earlierRuns.value[0]!.training.losses]).toEqual([2, 7]);
  expect(overlaid.value).toEqual([1]);
  run(8);
  expect([numbers(), overlaid.value, currentNumber.value]).toEqual([[1, 2], [2], 3]);
});

test("a run that the visitor has chosen stays", () => {
  run();
  overlay(1, true);
  run();
  expect(overlaid.value).toEqual([1, 2]);
  run();
  expect(overlaid.value).toEqual([1, 3]);
  overlay(3, false);
  run();
  expect(overlaid.value).toEqual([1, 4]);
});

test("a run without a step is not kept", () => {
  keepRun({ settings: defaultSettings, data: "MNIST" }, { training: new TrainingHistory(), test: [] });
  expect([numbers(), currentNumber.value]).toEqual([[], 1]);
});

test("only the newest runs are kept and the last chosen ones are drawn", () => {
  for (let index = 0; index < 12; index++) run();
  expect(numbers()).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  for (const number of [5, 6, 7, 8]) overlay(number, true);
  expect(overlaid.value).toEqual([5, 6, 7, 8]);
  expect(overlaid.value).toHaveLength(MOST_OVERLAID);
  run();
  expect(overlaid.value).toEqual([6, 7, 8, 13]);
  forgetRun(7);
  expect(overlaid.value).toEqual([6, 8, 13]);
});
