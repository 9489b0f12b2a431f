import { expect, test } from "vitest";
import { progressTable, SweepScreen, type TrialProgress } from "../../../src/cli/sweep/sweep-screen.ts";

const trial: TrialProgress = { label: "lr 0.1", worker: "host-1", attempt: 1, step: 1200, totalSteps: 2000 };

function written(isTTY: boolean, columns = 80) {
  const parts: string[] = [];
  return { stream: { isTTY, columns, write: (text: string) => parts.push(text) }, text: () => parts.join("") };
}

test("the table has a line for each trial in progress, in columns", () => {
  const other = { label: "lr 0.001", worker: "\u001b[2J", attempt: 3, step: 5, totalSteps: undefined };
  expect(progressTable([trial, other], 80)).toEqual([
    "  lr 0.1    step 1,200 of 2,000  host-1",
    "  lr 0.001  step 5               \\u001b[2J  attempt 3",
  ]);
  expect(progressTable([trial], 20)).toEqual(["  lr 0.1  step 1,200"]);
  expect(
    progressTable(
      Array.from({ length: 15 }, () => trial),
      80,
    ).at(-1),
  ).toBe("  … and 3 more");
});

test("on a terminal, the table is replaced by the next one, below the lines about finished trials", () => {
  const { stream, text } = written(true);
  const screen = new SweepScreen(stream);
  screen.show([], [trial, trial]);
  screen.show(["1/2 done"], [trial]);
  screen.show([], []);
  const line = "  lr 0.1  step 1,200 of 2,000  host-1\n";
  expect(text()).toBe(`${line}${line}\u001b[2A\u001b[J1/2 done\n${line}\u001b[1A\u001b[J`);
});

test("elsewhere, only the lines are written", () => {
  const { stream, text } = written(false);
  const screen = new SweepScreen(stream);
  screen.show([], [trial]);
  screen.show(["1/2 done"], [trial]);
  expect(text()).toBe("1/2 done\n");
});
