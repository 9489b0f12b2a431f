/*
 * What moves, and what the page's own thread costs, while each tab and each lesson trains.
 */
import type { Browser, Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { SMALL, useDemo } from "./demo.ts";

const demo = useDemo();

/** How long each view is watched. */
const MILLISECONDS = 1500;

const tabs = [
  { tab: "digits", hash: SMALL },
  { tab: "playground", hash: "#playground" },
  { tab: "playground, regression", hash: "#playground?mode=regress" },
  { tab: "playground, neuron", hash: "#playground?mode=neuron" },
  { tab: "playground, surface", hash: "#playground?mode=surface" },
  { tab: "convolution", hash: "#convolution?data=digits" },
  { tab: "text", hash: "#text?data=reversing&layers=1&heads=2&width=32" },
];

/** Each lesson, and the number of the button that trains longest. */
const lessons = {
  templates: 1,
  neuron: 1,
  xor: 1,
  "hidden-layers": 2,
  "learning-rate": 2,
  momentum: 2,
  backpropagation: 1,
  dropout: 2,
  mistakes: 1,
  shift: 1,
  text: 1,
};

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** The processor time, which does not depend on what else the machine does. */
  readonly tdur?: number;
}

/** The processor time in milliseconds of each task of the page's thread: of those that make a frame, and of the others. */
interface Tasks {
  readonly frames: readonly number[];
  readonly others: readonly number[];
}

/** Traces the browser meanwhile. */
async function tasksDuring(browser: Browser, work: () => Promise<void>): Promise<Tasks> {
  const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];
  await browser.startTracing(undefined, { categories });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  return tasksOf(traceEvents);
}

function tasksOf(events: readonly TraceEvent[]): Tasks {
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  // Of the threads of all open pages, only that of the visible one makes frames.
  const commits = events.filter(({ name }) => name === "Commit");
  const thread = commits.length === 0 ? "" : threadOf(commits.at(-1)!);
  const own = events.filter((event) => event.ph === "X" && threadOf(event) === thread).sort((a, b) => a.ts - b.ts);
  const tasks: { end: number; cpu: number; isFrame: boolean }[] = [];
  for (const { name, ts, dur = 0, tdur = 0 } of own) {
    const last = tasks.at(-1);
    if (last && ts < last.end) last.isFrame ||= name === "Commit";
    else if (name.endsWith("RunTask")) tasks.push({ end: ts + dur, cpu: tdur / 1000, isFrame: false });
  }
  const timesOf = (isFrame: boolean) => tasks.filter((task) => task.isFrame === isFrame).map(({ cpu }) => cpu);
  return { frames: timesOf(true), others: timesOf(false) };
}

/** Waits for the first step of the visible tab. The lesson on backpropagation counts none. */
async function trains(page: Page): Promise<void> {
  const steps = page.locator("[data-testid$=step-count]");
  if ((await steps.count()) === 0) return;
  await expect.poll(async () => Number.parseFloat((await steps.textContent())!)).toBeGreaterThan(0);
}

/** Such as "44 frames of 1.6 ms (at most 3.1), other tasks at most 5.9 ms". */
function described({ frames, others }: Tasks): string {
  const sorted = frames.toSorted((a, b) => a - b);
  const text = (milliseconds = 0) => milliseconds.toFixed(1);
  const [median, most] = [text(sorted[Math.floor(sorted.length / 2)]), text(sorted.at(-1))];
  return `${frames.length} frames of ${median} ms (at most ${most}), other tasks at most ${text(Math.max(0, ...others))} ms`;
}

test.each([
  { width: 1280, dark: false },
  { width: 390, dark: true },
])("nothing moves while a tab or a lesson trains, and the costs of its frames are noted: %j", async (options) => {
  const visitor = await demo.arrive("wasm", SMALL, options);
  onTestFinished(() => visitor.leave());
  const { page } = visitor;
  await visitor.reaches("step-count", 2);
  const watch = async (name: string, begin: () => Promise<void>) => {
    const tasks = await tasksDuring(demo.browser, async () => {
      await begin();
      // A new run may move what is below the charts, since the one before gets a place in their legends.
      await trains(page);
      await visitor.noteShifts();
      await page.waitForTimeout(MILLISECONDS);
    });
    console.log(`${name}, ${options.width} pixels: ${described(tasks)}`);
    expect(tasks.frames.length).toBeGreaterThan(0);
    expect({ name, shifts: await visitor.shifts() }).toEqual({ name, shifts: [] });
  };
  for (const { tab, hash } of tabs) {
    await page.evaluate((to) => void (location.hash = to), hash);
    await page.waitForTimeout(MILLISECONDS);
    await watch(tab, async () => {});
  }
  for (const [lesson, action] of Object.entries(lessons)) {
    await visitor.click("lessons");
    await visitor.click(`lesson-${lesson}`);
    await visitor.click("predict-1");
    await page.waitForTimeout(500);
    await watch(`lesson ${lesson}`, () => visitor.click(`lesson-action-${action}`));
  }
  expect(visitor.errors).toEqual([]);
});
