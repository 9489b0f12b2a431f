import { expect, test } from "vitest";
import { ProgressLine } from "../../../src/cli/training/progress.ts";
import { counted, duration, lossText, percent, shortNumber, scaled } from "../../../src/cli/text/text.ts";
import type { TrainingProgress } from "../../../src/train/index.ts";

const progress = (step: number, change: Partial<TrainingProgress> = {}): TrainingProgress => ({
  step,
  totalSteps: 2811,
  epoch: 3,
  epochs: 3,
  loss: 0.0123456,
  accuracy: 0.9961,
  learningRate: 0.001,
  seconds: step / 100,
  examplesPerSecond: 12_345.6,
  skipped: [],
  ...change,
});

/** Shows events and returns what was written. */
function shown(events: readonly TrainingProgress[], screen: { isTTY?: boolean; columns?: number }): string {
  let text = "";
  const line = new ProgressLine({ ...screen, write: (part) => (text += part) });
  for (const event of events) line.show(event);
  line.finish();
  return text;
}

const everyStep = Array.from({ length: 2811 }, (_, index) => progress(index + 1));

test("a terminal shows one line, which is redrawn and never as wide as the screen", () => {
  const text = shown(everyStep, { isTTY: true, columns: 80 });
  expect(text.endsWith("\u001b[K\n")).toBe(true);
  expect(text.match(/\n/g)).toHaveLength(1);
  const drawn = text.trimEnd().replaceAll("\u001b[K", "").split("\r").slice(1);
  expect(drawn.at(-1)).toBe("2811/2811  epoch 3/3  loss 0.0123  accuracy 99.6 %  12,346 images/s  0 s left");
  expect(Math.max(...drawn.map((line) => line.length))).toBeLessThan(80);
});

test("the remaining time is shown once it is known, and excludes the time before the first event", () => {
  // Compiling took 60 s; each step takes 10 ms.
  const events = [1, 2, 1001].map((step) => progress(step, { seconds: 60 + step / 100 }));
  const lines = shown(
    events.filter(({ step }) => step !== 2),
    {},
  )
    .trimEnd()
    .split("\n");
  expect(lines[0]).not.toContain("left");
  expect(lines[1]).toMatch(/ 18 s left$/);
  const resumed = [2000, 2500].map((step) => progress(step, { seconds: (step - 1999) / 100 }));
  expect(shown(resumed, {})).toMatch(/ 3 s left\n$/);
});

test("no line is longer than 80 columns, and the validation loss is named", () => {
  const validated = everyStep.map((event) => ({ ...event, validation: { loss: 0.9961, accuracy: 0.5, count: 10 } }));
  for (const screen of [{}, { isTTY: true, columns: 80 }]) {
    const lines = shown(validated, screen)
      .replaceAll("\u001b[K", "")
      .split(/[\r\n]+/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line !== "").at(-1)).toBe(
      "2811/2811  loss 0.0123  accuracy 99.6 %  validation loss 0.996  0 s left",
    );
  }
});

test("a narrow terminal, or large numbers, omit the least important fields", () => {
  const event = progress(100_000, { totalSteps: 1_000_000, epoch: 100, epochs: 1000 });
  const wide = shown([event], { isTTY: true, columns: 80 });
  expect(wide).toBe("\r100000/1000000  epoch 100/1000  loss 0.0123  accuracy 99.6 %  12,346 images/s\u001b[K\n");
  expect(shown([event], { isTTY: true, columns: 40 })).toBe("\r100000/1000000  loss 0.0123\u001b[K\n");
});

test("without a terminal a run prints at most 20 lines, including the last event", () => {
  for (const events of [
    everyStep,
    everyStep.filter(({ step }) => step % 100 === 0 || step === 2811),
    everyStep.slice(-1),
  ]) {
    const lines = shown(events, {}).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.at(-1)).toMatch(/^2811\/2811 /);
  }
});

test("a run without events prints nothing", () => {
  expect(shown([], { isTTY: true }) + shown([], {})).toBe("");
});

test.each([
  [duration(0.4), "0 s"],
  [duration(59.6), "1:00"],
  [duration(3600), "1:00:00"],
  [duration(7384), "2:03:04"],
  [percent(0.97754), "97.8 %"],
  [percent(NaN), "–"],
  [lossText(1.2345), "1.234"],
  [lossText(0.07), "0.0700"],
  [lossText(0.09999), "0.100"],
  [lossText(123_456), "1.23e+5"],
  [lossText(NaN), "NaN"],
  [lossText(Infinity), "Infinity"],
  [scaled(0), "0"],
  [counted(1, "column"), "1 column"],
  [counted(1200, "column"), "1,200 columns"],
  [counted(0, "class", "classes"), "0 classes"],
  [shortNumber(0.0010000000474974513), "0.001"],
  [shortNumber(1e-7), "1e-7"],
  [scaled(999), "999"],
  [scaled(999.6), "1.00 k"],
  [scaled(12_845_056), "12.8 M"],
  [scaled(999_600), "1.00 M"],
  [scaled(2.5e15), "2500 T"],
])("%s is written as %s", (found, expected) => {
  expect(found).toBe(expected);
});
