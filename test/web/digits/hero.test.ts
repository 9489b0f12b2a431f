import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { SMALL, useDemo } from "../demo.ts";

const demo = useDemo();

const units = (page: Page) => page.getByTestId("units").getByRole("button");

/** The pixels of a canvas as an address of data. */
const pixelsOf = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

/** Learns so slowly that its predictions still change after seconds of training. */
const SLOW = SMALL.replace("rate=0.004", "rate=0.0001");

test("shows a sample, its prediction and the drawn network from the start, and nothing jumps during training", async () => {
  const visitor = await demo.visit("wasm", SLOW);
  const { page } = visitor;
  await visitor.says("prediction", /^\d$/);
  await page.getByTestId("exciting").waitFor();
  await visitor.noteShifts();
  const edges = await pixelsOf(page, ".diagram canvas");
  const bars = await visitor.text("probabilities");
  const step = await visitor.number("step-count");
  await visitor.reaches("step-count", step + 50);
  await expect.poll(() => visitor.text("probabilities")).not.toBe(bars);
  await expect.poll(() => pixelsOf(page, ".diagram canvas")).not.toBe(edges);
  expect(await visitor.text("hidden")).toMatch(/^Hidden layer 1: \d+ of 32 outputs are positive\. 16 with the most/);
  await visitor.pause();
  expect(await visitor.shifts()).toEqual([]);
  // The first stroke replaces the sample, whose first point is here.
  const inkOfSample = () =>
    page
      .getByTestId("draw-pad")
      .evaluate((pad: HTMLCanvasElement) => pad.getContext("2d")!.getImageData(42, 35, 1, 1).data[3]);
  expect(await inkOfSample()).toBe(255);
  await visitor.draw([
    [0.5, 0.2],
    [0.5, 0.8],
  ]);
  await expect.poll(inkOfSample).toBe(0);
  await page.getByTestId("prediction").waitFor();
  await visitor.click("clear");
  await page.getByTestId("prediction").waitFor({ state: "detached" });
});

test("shows a unit when the visitor points at it or moves to it with the keyboard", async () => {
  const visitor = await demo.visit("wasm", SMALL);
  const { page } = visitor;
  await visitor.reaches("test-accuracy", 60);
  // The network is stored after it was inspected, and its last weights have arrived then.
  await visitor.stores(await visitor.pause());
  expect(await units(page).count()).toBe(26);
  const card = page.getByTestId("unit-card");
  const nameOf = (place: number) => units(page).nth(place).getAttribute("aria-label");
  await units(page).nth(4).hover();
  await expect.poll(() => card.getAttribute("aria-label")).toBe(await nameOf(4));
  await visitor.painted();
  const tile = await pixelsOf(page, ".unit-tile canvas");
  await units(page).nth(5).click();
  await expect.poll(() => pixelsOf(page, ".unit-tile canvas")).not.toBe(tile);
  await page.keyboard.press("ArrowUp");
  await page.mouse.move(0, 0);
  await expect.poll(() => card.getAttribute("aria-label")).toBe(await nameOf(4));
  await expect.poll(() => pixelsOf(page, ".unit-tile canvas")).toBe(tile);
  expect(await card.locator(".strengths li").count()).toBe(10);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => card.getAttribute("aria-label")).toMatch(/^Output \d$/);
  expect(await card.locator(".strengths li").count()).toBe(16);
});

test("shows 16 tiles of weights, then weights × ink, then all of them", async () => {
  const visitor = await demo.visit("wasm", SMALL);
  const { page } = visitor;
  await visitor.reaches("step-count", 20);
  await visitor.pause();
  const tiles = page.getByTestId("weights");
  await expect.poll(() => tiles.locator("canvas").count()).toBe(16);
  await page.getByTestId("weights-ink").check({ force: true });
  // A corner has no ink, so that its product has the color of the paper, as the corner of every tile.
  const corners = () =>
    tiles
      .locator("canvas")
      .evaluateAll((all) =>
        all.map((canvas) => String((canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, 3, 3).data)),
      );
  await expect.poll(async () => new Set(await corners()).size).toBe(1);
  await page.getByTestId("weights-plain").check({ force: true });
  await expect.poll(async () => new Set(await corners()).size).toBe(16);
  await page.getByTestId("all-weights").check();
  await expect.poll(() => tiles.getAttribute("aria-label")).toBe("The weights of all 32 units of the first layer");
  expect(await visitor.accessibilityFaults()).toEqual([]);
});

test("draws the network on WebGPU, with the test digits of a unit", async () => {
  const visitor = await demo.visit("webgpu", "#digits?layers=24-relu,12-tanh&batch=32&epochs=1000&data=digits");
  const { page } = visitor;
  await visitor.reaches("test-accuracy", 40);
  await visitor.pause();
  await expect.poll(() => units(page).count()).toBe(16 + 12 + 10);
  await units(page).nth(20).click();
  const card = page.getByTestId("unit-card");
  await expect.poll(() => card.getAttribute("aria-label")).toBe("Unit 5 of hidden layer 2");
  await page.getByRole("img", { name: "Test digits that excite Unit 5 of hidden layer 2 most" }).waitFor();
  expect(await page.getByTestId("fault").count()).toBe(0);
});
