/*
 * What moves on the page by itself, and that it does not where the visitor's system asks for less motion.
 */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { SMALL, useDemo, type Visitor } from "./demo.ts";

const demo = useDemo();

/** Runs in the page: notes CSS transitions and animations, and the times between frames that the page asks of its worker. */
const noteMotion = () => {
  const motion = { started: [] as string[], frameTimes: [] as number[] };
  Object.assign(globalThis, { motion });
  const note = ({ type, target }: Event) => motion.started.push(`${type} of ${(target as Element).outerHTML}`);
  for (const type of ["transitionrun", "animationstart"]) document.addEventListener(type, note, true);
  interface Call {
    readonly path?: readonly string[];
    readonly argumentList?: readonly { readonly value: number }[];
  }
  for (const { prototype } of [MessagePort, Worker]) {
    const { postMessage } = prototype;
    prototype.postMessage = function (...all: unknown[]) {
      const { path, argumentList } = all[0] as Call;
      if (path?.at(-1) === "setFrameTime") motion.frameTimes.push(argumentList![0]!.value);
      return Reflect.apply(postMessage, this, all);
    };
  }
};

interface Motion {
  readonly started: readonly string[];
  readonly frameTimes: readonly number[];
}

const motionOf = (page: Page) => page.evaluate("motion") as Promise<Motion>;

/** Waits until no transition or animation runs. */
async function isStill(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate("document.getAnimations().length")).toBe(0);
}

/** Draws a one and then a zero, whose probabilities differ. */
async function drawTwoDigits(visitor: Visitor): Promise<void> {
  await visitor.draw([
    [0.5, 0.2],
    [0.5, 0.8],
  ]);
  const before = await visitor.probabilities();
  await visitor.click("clear");
  await visitor.draw([
    [0.5, 0.2],
    [0.25, 0.5],
    [0.5, 0.8],
    [0.75, 0.5],
    [0.5, 0.2],
  ]);
  expect(await visitor.probabilities()).not.toBe(before);
}

const goTo = ({ page }: Visitor, hash: string) => page.evaluate((to) => void (location.hash = to), hash);

test.each([
  { lessMotion: false, moves: true },
  { lessMotion: true, moves: false },
])(
  "the bars of Digits move in steps if the visitor's system asks for less motion: %j",
  async ({ lessMotion, moves }) => {
    const visitor = await demo.visit("wasm", SMALL, { lessMotion });
    const { page } = visitor;
    await page.evaluate(noteMotion);
    await visitor.reaches("test-accuracy", 60);
    await visitor.pause();
    await drawTwoDigits(visitor);
    const { started } = await motionOf(page);
    if (moves) expect(started).toContainEqual(expect.stringMatching(/^transitionrun of <span style="width: /));
    else expect(started).toEqual([]);
    await isStill(page);
  },
);

test.each([
  { lessMotion: false, asked: [40, 500] },
  { lessMotion: true, asked: [500, 40] },
])(
  "Playground asks for fewer frames if the visitor's system asks for less motion: %j",
  async ({ lessMotion, asked }) => {
    const visitor = await demo.visit("wasm", SMALL, { lessMotion });
    const { page } = visitor;
    await visitor.reaches("step-count", 1);
    // The bars of Digits would move until the other tab is shown.
    await visitor.pause();
    await isStill(page);
    await page.evaluate(noteMotion);
    await goTo(visitor, "#playground?mode=classify");
    await visitor.reaches("playground-step-count", 2);
    const { started, frameTimes } = await motionOf(page);
    expect(frameTimes).toEqual(asked.slice(0, 1));
    expect(started).toEqual([]);
    // It follows the preference while the page is open.
    await page.emulateMedia({ reducedMotion: lessMotion ? "no-preference" : "reduce" });
    await expect.poll(async () => (await motionOf(page)).frameTimes).toEqual(asked);
  },
);

test("nothing moves by itself in a lesson if the visitor's system asks for less motion", async () => {
  const visitor = await demo.visit("wasm", "#digits", { lessMotion: true });
  const { page } = visitor;
  await page.evaluate(noteMotion);
  await visitor.click("lessons");
  await visitor.click("lesson-templates");
  await visitor.click("predict-1");
  await visitor.click("lesson-action-1");
  await visitor.reaches("test-accuracy", 60);
  await drawTwoDigits(visitor);
  expect((await motionOf(page)).started).toEqual([]);
  expect(await page.evaluate("document.getAnimations().length")).toBe(0);
});
