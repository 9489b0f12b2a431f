import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loseDevice } from "../browser.ts";
import { useDemo, type Visitor } from "../demo.ts";

const demo = useDemo();

const at = (name: string) => `convolution-${name}`;

const TAB = "#convolution?data=digits";

/** The middle of a pixel of a feature map on the screen. `side` is the side of the map in pixels. */
async function placeOf(page: Page, stage: number, map: number, [row, column]: [number, number], side: number) {
  const picture = page.getByTestId(at(`maps-${stage}`)).locator(`[data-map="${map}"]`);
  await picture.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await picture.boundingBox())!;
  return { x: x + ((column + 0.5) / side) * width, y: y + ((row + 0.5) / side) * height };
}

/** The outline in the input as row, column and side, in pixels of the input. */
const receptiveField = (page: Page) =>
  page
    .getByTestId(at("input"))
    .locator(".convolution-outline")
    .evaluate((outline) => {
      const { top, left, width } = (outline as HTMLElement).style;
      return [top, left, width].map((share) => Math.round((28 * Number.parseFloat(share)) / 100));
    });

/** The bytes of the canvas in an element. */
const pixelsOf = (page: Page, id: string) =>
  page
    .getByTestId(id)
    .locator("canvas")
    .first()
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

const focusedCell = (page: Page) => page.evaluate("document.activeElement?.getAttribute('aria-label')");

describe("a visitor of the Convolution tab", () => {
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    visitor = await demo.arrive("wasm", TAB);
    page = visitor.page;
  });
  afterAll(() => visitor.leave());

  test("sees both networks learn to read a test image without a click", async () => {
    await visitor.reaches(at("accuracy-convolution"), 80);
    await visitor.reaches(at("accuracy-dense"), 70);
    await visitor.says(at("prediction"), /^3$/);
    await visitor.says(at("networks"), /built-in digits/);
    await visitor.pause(at(""));
    expect(await page.getByTestId(at("probabilities")).locator("li").count()).toBe(10);
  });

  test("points at a pixel, and sees its receptive field and how it is computed", async () => {
    const first = await placeOf(page, 0, 5, [11, 13], 24);
    await page.mouse.move(first.x, first.y);
    await visitor.says(at("chosen"), /^Map 6 of the first convolution, row 12, column 14\. It depends on 5×5 pixels/);
    expect(await receptiveField(page)).toEqual([11, 13, 5]);
    const sum = page.getByTestId(at("sum"));
    expect(await sum.locator(".convolution-numbers span").count()).toBe(50);
    const text = (await sum.locator("p").innerText()).replaceAll("−", "-");
    const [, products, bias, total, value] = /products: (\S+)\s+\+ bias (\S+)\s+= (\S+)\s+→ ReLU (\S+)/
      .exec(text)!
      .map(Number);
    // Each is rounded to two decimals.
    expect(Math.abs(products! + bias! - total!)).toBeLessThan(0.016);
    expect(Math.abs(Math.max(0, total!) - value!)).toBeLessThan(0.011);

    const pooled = await placeOf(page, 1, 2, [5, 6], 12);
    await page.mouse.move(pooled.x, pooled.y);
    expect(await receptiveField(page)).toEqual([10, 12, 6]);
    const numbers = await sum.locator(".convolution-numbers span").allInnerTexts();
    expect(numbers).toHaveLength(4);
    const largest = Math.max(...numbers.map(Number));
    expect(await visitor.text(at("value"))).toBe(largest.toFixed(2));
  });

  test("chooses pixels with the keyboard and with a finger", async () => {
    await page.getByTestId(at("maps-2")).focus();
    for (const key of ["ArrowDown", "ArrowRight", "ArrowRight", "PageDown", "ArrowUp", "ArrowUp"])
      await page.keyboard.press(key);
    await visitor.says(at("chosen"), /^Map 2 of the second convolution, row 1, column 3\. It depends on 14×14/);
    expect(await receptiveField(page)).toEqual([0, 4, 14]);
    expect(await page.getByTestId(at("sum")).locator("li").count()).toBe(8);
    const touched = await placeOf(page, 3, 15, [3, 3], 4);
    const touch = (type: string) =>
      page
        .getByTestId(at("maps-3"))
        .locator('[data-map="15"]')
        .evaluate(
          (picture, { kind, x, y }) =>
            picture.dispatchEvent(
              new PointerEvent(kind, { pointerType: "touch", bubbles: true, clientX: x, clientY: y }),
            ),
          { kind: type, ...touched },
        );
    await touch("pointerdown");
    await visitor.says(at("chosen"), /^Map 16 of the second pooling, row 4, column 4\. It depends on 16×16/);
    expect(await receptiveField(page)).toEqual([12, 12, 16]);
  });

  test("draws, and sees the input and the answer change while the pen is down", async () => {
    // Without a drawing, the input is a test image of a 3. The sample that was drawn is a 3, too.
    const sample = await pixelsOf(page, at("input"));
    await visitor.click("clear");
    await expect.poll(() => pixelsOf(page, at("input"))).not.toBe(sample);
    await visitor.says(at("prediction"), /^3$/);
    const before = await pixelsOf(page, at("input"));
    const pad = page.getByTestId("draw-pad");
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await pad.boundingBox())!;
    await page.mouse.move(x + 0.5 * width, y + 0.15 * height);
    await page.mouse.down();
    await page.mouse.move(x + 0.5 * width, y + 0.85 * height, { steps: 8 });
    await expect.poll(() => pixelsOf(page, at("input"))).not.toBe(before);
    await visitor.says(at("prediction"), /^1$/);
    await page.mouse.up();
    await visitor.click("clear");
    await expect.poll(() => pixelsOf(page, at("input"))).toBe(before);
    await visitor.says(at("prediction"), /^3$/);
    await visitor.click(at("sample-7"));
    await visitor.goesTo(/digit=7/);
    await expect.poll(() => pixelsOf(page, at("input"))).not.toBe(before);
  });

  test("moves the digit, with the mouse and the arrow keys, and compares the answers of both networks", async () => {
    const answersOf = (network: string) =>
      page
        .getByTestId(at(`shifts-${network}`))
        .locator("button")
        .allInnerTexts();
    for (const network of ["convolution", "dense"]) {
      const answers = await answersOf(network);
      expect(answers).toHaveLength(49);
      const kept = answers.filter((answer) => answer === answers[24]).length;
      expect(await visitor.text(at(`kept-${network}`))).toBe(`${kept} of 49`);
    }
    const answers = await answersOf("convolution");
    const cells = page.getByTestId(at("shifts-convolution")).locator("button");
    const before = await pixelsOf(page, at("input"));
    await cells.nth(6).click();
    await visitor.goesTo(/shift=3_-3/);
    await expect.poll(() => pixelsOf(page, at("input"))).not.toBe(before);
    await visitor.says(at("prediction"), new RegExp(`^${answers[6]}$`));
    await page.keyboard.press("ArrowRight");
    expect(await focusedCell(page)).toMatch(/^Moved 3 right, 3 up: /);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowLeft");
    expect(await focusedCell(page)).toMatch(/^Moved 2 right, 2 up: /);
    await page.keyboard.press("Enter");
    await visitor.goesTo(/shift=2_-2/);
    const accuracies = await page.getByTestId(at("accuracies")).locator("td:not(:empty)").allInnerTexts();
    expect(accuracies).toHaveLength(8);
    for (const text of accuracies) expect(text.trim()).toMatch(/^\d+ %$/);
  });

  test("sees the filters of an earlier step with the slider, and the newest ones at its end", async () => {
    const newest = await pixelsOf(page, at("history"));
    const slider = page.getByTestId(at("history-slider"));
    await slider.focus();
    await page.keyboard.press("Home");
    await visitor.says(at("history-step"), /^0$/);
    await expect.poll(() => pixelsOf(page, at("history"))).not.toBe(newest);
    const step = await visitor.number(at("step-count"));
    await visitor.click(at("step"));
    await visitor.says(at("step-count"), new RegExp(`^${step + 1}$`));
    expect(await visitor.text(at("history-step"))).toBe("0");
    await slider.focus();
    await page.keyboard.press("End");
    await expect.poll(() => visitor.number(at("history-step"))).toBeGreaterThan(50);
  });

  test("steps, resets and starts with buttons and keys, and another seed starts over", async () => {
    const step = await visitor.number(at("step-count"));
    await visitor.click(at("step"));
    await visitor.says(at("step-count"), new RegExp(`^${step + 1}$`));
    await visitor.painted();
    const trained = await pixelsOf(page, at("history"));
    await visitor.click(at("reset"));
    await visitor.says(at("step-count"), /^0$/);
    await expect.poll(() => pixelsOf(page, at("history"))).not.toBe(trained);
    const first = await pixelsOf(page, at("history"));
    await page.locator("h1").click();
    await page.keyboard.press("s");
    await visitor.says(at("step-count"), /^1$/);
    await visitor.openExpert();
    await page.getByTestId(at("seed")).fill("2");
    await visitor.goesTo(/seed=2/);
    await visitor.says(at("step-count"), /^0$/);
    await expect.poll(() => pixelsOf(page, at("history"))).not.toBe(first);
    await page.locator("h1").click();
    await page.keyboard.press(" ");
    await visitor.reaches(at("step-count"), 3);
  });

  test("leaves the tab, where training pauses, and continues where it was after returning with Back", async () => {
    await visitor.click("tab-playground");
    await visitor.goesTo(/#playground/);
    await page.goBack();
    await visitor.goesTo(/#convolution\?.*seed=2/);
    const step = await visitor.number(at("step-count"));
    expect(step).toBeGreaterThan(2);
    await visitor.reaches(at("step-count"), step + 2);
    await visitor.pause(at(""));
  });

  test("is told which parts of an address are not allowed", async () => {
    await page.evaluate("location.hash = '#convolution?data=digits&shift=9_0&digit=4'");
    await visitor.says(at("message"), /shift=9_0/);
    expect(await page.getByTestId(at("sample-4")).getAttribute("aria-pressed")).toBe("true");
  });

  test("has seen no console error", () => {
    expect(visitor.errors).toEqual([]);
  });
});

test("trains with WebGPU, also after a loss of the device, and the tab's code is loaded when it is opened", async () => {
  const visitor = await demo.visit("webgpu", "#playground", { serviceWorker: false });
  await visitor.says("backend", /^WebGPU$/);
  const scripts = async () =>
    (await visitor.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")) as string[];
  const before = await scripts();
  await visitor.page.evaluate(`location.hash = "${TAB}"`);
  await visitor.reaches(at("step-count"), 1);
  expect(await visitor.page.getByTestId(at("maps-2")).locator("canvas").count()).toBe(16);
  const loaded = (await scripts()).filter((name) => !before.includes(name));
  expect(loaded.some((name) => name.endsWith(".js"))).toBe(true);
  expect(loaded.some((name) => name.endsWith(".css"))).toBe(true);
  await loseDevice(visitor.page);
  await visitor.says(at("message"), /and replaced\. Training continues/);
  await visitor.reaches(at("step-count"), (await visitor.number(at("step-count"))) + 1);
});

test.each([
  { dark: false, width: 1280 },
  { dark: true, width: 390 },
])("has no accessibility violation, and nothing moves while it trains: %j", async (options) => {
  const visitor = await demo.visit("wasm", TAB, options);
  const { page } = visitor;
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: options.dark ? "dark" : "light" });
  await visitor.reaches(at("accuracy-dense"), 1);
  await visitor.noteShifts();
  const step = await visitor.number(at("step-count"));
  await visitor.reaches(at("step-count"), step + 10);
  expect(await visitor.shifts()).toEqual([]);
  expect(await visitor.accessibilityFaults()).toEqual([]);
  const transition = "getComputedStyle(document.querySelector('.convolution-bar')).transitionDuration";
  expect(await page.evaluate(transition)).toBe("0s");
  for (const width of options.dark ? [320, 390, 600, 840] : [1000, 1200, 1220, 1280, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    // What has a canvas takes its new size in the next frame.
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  }
});
