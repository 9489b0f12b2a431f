import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, noteErrors, serve } from "./browser.ts";

const folder = fileURLToPath(new URL("../../dist/demo", import.meta.url));

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  if (!existsSync(folder)) throw new Error("dist/demo is missing: run `npm run build` first");
  [browser, site] = await Promise.all([launchBrowser({ webgpu: true }), serve(folder)]);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens the tab with a state, works on it, and expects that nothing was put on the console. */
async function onPlayground(state: string, work: (page: Page) => Promise<void>, search = ""): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
  const page = await context.newPage();
  const errors = noteErrors(page);
  await page.goto(`${site.address}${search}#playground${state && `?${state}`}`);
  await work(page);
  expect(errors).toEqual([]);
  await context.close();
}

const element = (page: Page, name: string) => page.getByTestId(`playground-${name}`);
const textOf = async (page: Page, name: string) => (await element(page, name).textContent()) ?? "";
const stepOf = async (page: Page) => Number(await textOf(page, "step-count"));

const waitForStep = (page: Page, least: number) =>
  page.waitForFunction((step) => Number(document.querySelector("[data-testid=playground-step-count]")?.textContent) >= step, least);
const waitForText = (page: Page, name: string, text: string) => element(page, name).getByText(text, { exact: true }).waitFor();
const waitForAddress = (page: Page, part: string) => page.waitForURL((address) => address.hash.includes(part));

/** Pauses, and waits until no frame is under way. */
async function pause(page: Page): Promise<void> {
  await element(page, "start").getByText("Pause").click();
  await waitForText(page, "start", "Start");
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
}

/** How much redder than blue a pixel of the big picture is; the place in shares of its width and height. */
const warmth = (page: Page, x: number, y: number) =>
  element(page, "surface").evaluate((canvas, place) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const context = (canvas as HTMLCanvasElement).getContext("2d")!;
    const [red, , blue] = context.getImageData(place[0]! * width, place[1]! * height, 1, 1).data;
    return red! - blue!;
  }, [x, y]);

const small = "classify.data=xor&classify.noise=0&classify.count=60&classify.layers=8-tanh&classify.learningRate=0.03";

describe("in a browser, the playground", () => {
  test("learns XOR at once, as its picture shows; space pauses, S steps, R starts over with the same loss", () =>
    onPlayground(small, async (page) => {
      await waitForText(page, "accuracy", "100.0 %");
      await page.keyboard.press("Space");
      await waitForText(page, "start", "Start");
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      const held = await stepOf(page);
      // Class 1, the warm one, where x and y differ in sign; places without a point on them.
      expect(await warmth(page, 0.03, 0.03)).toBeGreaterThan(30);
      expect(await warmth(page, 0.97, 0.97)).toBeGreaterThan(30);
      expect(await warmth(page, 0.97, 0.03)).toBeLessThan(-30);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      expect(await stepOf(page)).toBe(held);
      await page.keyboard.press("s");
      await waitForText(page, "step-count", String(held + 1));
      await page.keyboard.press("r");
      await waitForText(page, "step-count", "0");
      const loss = await textOf(page, "loss");
      await page.keyboard.press("s");
      await waitForText(page, "step-count", "1");
      expect(await textOf(page, "loss")).not.toBe(loss);
      await page.keyboard.press("r");
      await waitForText(page, "step-count", "0");
      expect(await textOf(page, "loss")).toBe(loss);
    }));

  test("takes points by click, touch of the form and removal, and keeps all of it in its address", () =>
    onPlayground(small, async (page) => {
      await waitForStep(page, 1);
      await pause(page);
      const box = (await element(page, "surface").boundingBox())!;
      await page.mouse.click(box.x + 0.75 * box.width, box.y + 0.25 * box.height);
      await waitForAddress(page, "classify.points=");
      const [x, y, label] = /classify\.points=([^&]*)/.exec(page.url())![1]!.split("_").map(Number);
      // Three quarters of −1.25 … 1.25, to a pixel of about 500.
      expect(Math.abs(x! - 0.625)).toBeLessThan(0.01);
      expect(Math.abs(y! - 0.625)).toBeLessThan(0.01);
      expect(label).toBe(0);
      await element(page, "class-1").check({ force: true });
      await element(page, "point-x").fill("-0.5");
      await element(page, "point-y").fill("0.25");
      await element(page, "add-point").click();
      await waitForAddress(page, "*-0.5_0.25_1");
      await element(page, "layer-0-units").fill("3");
      await element(page, "layer-0-units").press("Enter");
      await element(page, "add-layer").click();
      await element(page, "layer-1-activation").selectOption("relu");
      await waitForAddress(page, "classify.layers=3-tanh_3-relu");
      const address = page.url();
      const other = await page.context().newPage();
      await other.goto(address);
      await waitForStep(other, 1);
      expect(await element(other, "surface").getAttribute("aria-label")).toMatch(/^62 points of two classes/);
      expect(await element(other, "layer-1-activation").inputValue()).toBe("relu");
      expect(await element(other, "dataset").inputValue()).toBe("xor");
      await other.close();
      await element(page, "remove-points").click();
      await waitForAddress(page, "classify.data=own");
      await page.getByText("Click or tap to add points").waitFor();
    }));

  test("fits a curve, moves a neuron's line, and goes down a loss surface from where it is clicked", () =>
    onPlayground("mode=regress&regress.layers=8-tanh&regress.learningRate=0.03", async (page) => {
      await waitForStep(page, 1);
      const first = Number(await textOf(page, "loss"));
      await waitForStep(page, 200);
      expect(Number(await textOf(page, "loss"))).toBeLessThan(first / 3);
      expect(await element(page, "accuracy").count()).toBe(0);
      await element(page, "mode-neuron").check({ force: true });
      await element(page, "speed").selectOption("100");
      await waitForText(page, "accuracy", "100.0 %");
      expect(await textOf(page, "weights")).toMatch(/w₁−?\d\.\d{4}w₂−?\d\.\d{4}b−?\d\.\d{4}/);
      await element(page, "mode-surface").check({ force: true });
      await waitForStep(page, 1);
      const box = (await element(page, "surface").boundingBox())!;
      await page.mouse.click(box.x + 0.1 * box.width, box.y + 0.9 * box.height);
      await waitForAddress(page, "surface.start=-0.");
      await element(page, "speed").selectOption("30");
      await waitForStep(page, 60);
      // The noise of the data, 0.2, leaves a mean square of about 0.04.
      expect(Number(await textOf(page, "loss"))).toBeLessThan(0.1);
    }));

  test("says what to do where the loss is no number any more", () =>
    onPlayground("mode=regress&regress.layers=8-identity&regress.optimizer=sgd&regress.learningRate=3", async (page) => {
      await element(page, "message").getByText("the learning rate is too high").waitFor();
      await waitForText(page, "start", "Start");
      await element(page, "learning-rate").selectOption("0.01");
      await element(page, "start").click();
      await waitForStep(page, 20);
      expect(Number(await textOf(page, "loss"))).toBeLessThan(10);
    }));

  test("goes on when the device is lost, and says so", () =>
    onPlayground(small, async (page) => {
      await waitForStep(page, 10);
      await page.evaluate(() => (globalThis as unknown as { wgradTest: { loseDevice(): void } }).wgradTest.loseDevice());
      await element(page, "message").getByText("opened again").waitFor();
      await waitForStep(page, (await stepOf(page)) + 20);
    }, "?test"));

  test("learns on the CPU", () =>
    onPlayground(small, async (page) => {
      await waitForText(page, "accuracy", "100.0 %");
      expect(await page.getByTestId("backend").textContent()).toBe("CPU");
    }, "?device=cpu"));
});
