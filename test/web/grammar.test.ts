/*
 * What all tabs have in common.
 */
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { browserWithoutWebGPU, SMALL, useDemo, type Visitor } from "./demo.ts";

const demo = useDemo();

/** Each tab, the start of its test IDs, and the number that counts its steps. */
const tabs = [
  { hash: SMALL, prefix: "" },
  { hash: "#convolution?data=digits", prefix: "convolution-" },
  { hash: "#text?data=reversing&layers=1&heads=2&width=32", prefix: "text-" },
  { hash: "#playground", prefix: "playground-" },
] as const;

/** Notes how often the page does what costs it time: runs in the page before all else. */
const noteWork = () => {
  const work = { shift: 0, longTasks: [] as number[], mostPictures: 0, mostCharts: 0, frames: 0 };
  Object.assign(globalThis, { work });
  const observe = (type: string, take: (entry: PerformanceEntry) => void) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type });
  observe("longtask", ({ duration }) => work.longTasks.push(Math.round(duration)));
  observe("layout-shift", (entry) => {
    const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
    if (!hadRecentInput) work.shift += value;
  });
  let [pictures, charts] = [0, new Map<HTMLCanvasElement, number>()];
  const { putImageData, clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.putImageData = function (...all: unknown[]) {
    pictures++;
    return Reflect.apply(putImageData, this, all);
  };
  CanvasRenderingContext2D.prototype.clearRect = function (...all: [number, number, number, number]) {
    // uPlot clears the canvas whenever it draws a chart.
    if (this.canvas.closest(".plot")) charts.set(this.canvas, (charts.get(this.canvas) ?? 0) + 1);
    return Reflect.apply(clearRect, this, all);
  };
  const next = () => {
    work.frames++;
    work.mostPictures = Math.max(work.mostPictures, pictures);
    work.mostCharts = Math.max(work.mostCharts, ...charts.values());
    [pictures, charts] = [0, new Map()];
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
};

interface Work {
  readonly shift: number;
  readonly longTasks: readonly number[];
  readonly mostPictures: number;
  readonly mostCharts: number;
  readonly frames: number;
}

const workOf = (page: Page) => page.evaluate("work") as Promise<Work>;

/** Waits until the text of an element has changed some times. */
async function changes({ page }: Visitor, testId: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const before = await page.getByTestId(testId).textContent();
    await expect.poll(() => page.getByTestId(testId).textContent()).not.toBe(before);
  }
}

const goTo = ({ page }: Visitor, hash: string) => page.evaluate((to) => void (location.hash = to), hash);

test.each([1280, 390])(
  "nothing moves while a tab trains, and the page draws little in a frame, with a width of %i",
  async (width) => {
    const visitor = await demo.visit("wasm", "#text?data=reversing&layers=1&heads=2&width=32", { width });
    const { page } = visitor;
    await page.evaluate(noteWork);
    for (const { hash, prefix } of tabs) {
      await goTo(visitor, hash);
      const steps = `${prefix}step-count`;
      await visitor.reaches(steps, 3);
      if (prefix === "") await page.getByTestId("exciting").waitFor();
      if (prefix === "convolution-") await visitor.reaches("convolution-accuracy-dense", 1);
      if (prefix === "text-") await visitor.reaches("text-bits", 0);
      await visitor.painted();
      await page.evaluate("Object.assign(work, { shift: 0, longTasks: [], mostPictures: 0, mostCharts: 0 })");
      await changes(visitor, steps, 5);
      const { shift, longTasks, mostPictures, mostCharts } = await workOf(page);
      // How long a task took depends on what else the machine does.
      console.log(`${hash}, ${width} pixels: tasks of more than 50 ms: ${longTasks.join(", ") || "none"}`);
      expect({ hash, shift }).toEqual({ hash, shift: 0 });
      // A picture of 28×28 values takes about 0.3 ms. The Digits tab draws 16 units and what it shows of one of them.
      expect(mostPictures).toBeLessThanOrEqual(24);
      expect(mostCharts).toBeLessThanOrEqual(2);

      // The same buttons are at the same place: first in the tab, or at the bottom of a narrow window.
      const bar = (await page.getByTestId(`${prefix}start`).locator("..").boundingBox())!;
      if (width === 390) expect(bar).toMatchObject({ x: 0, width: 390 });
      if (width === 390) expect(bar.y + bar.height).toBe(800);
      else expect(bar.x).toBeLessThan(30);
      const settings = page.locator(".settings");
      expect(await settings.getByTestId("expert").count()).toBe(1);
      if (prefix !== "playground-") {
        const { x } = (await settings.boundingBox())!;
        expect(x > width / 2).toBe(width === 1280);
      }
      const panel = prefix === "playground-" ? page.locator(".playground-network") : settings;
      const legends = await panel.locator("> fieldset > legend").allInnerTexts();
      expect(legends).toEqual(["Take effect at once", "Restart the training"]);
    }
  },
);

test("the learning rate and the batch size are sliders with a logarithmic scale that take effect at once", async () => {
  const visitor = await demo.visit("wasm", tabs[1].hash);
  const { page } = visitor;
  await visitor.reaches("convolution-step-count", 2);
  const step = String(await visitor.pause("convolution-"));
  for (const [name, pressed, value] of [
    ["rate", "0.003", "0.003"],
    ["batch", "128", "128"],
  ] as const) {
    const slider = page.getByTestId(`convolution-${name}-slider`);
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuetext")).toBe(pressed);
    await visitor.goesTo(new RegExp(`${name}=${value}`));
    expect(await page.getByTestId(`convolution-${name}`).inputValue()).toBe(value);
  }
  // A number between two places of the slider.
  await page.getByTestId("convolution-rate").fill("0.0004");
  await visitor.goesTo(/rate=0\.0004/);
  expect(await page.getByTestId("convolution-rate-slider").getAttribute("aria-valuetext")).toBe("0.0005");
  expect(await visitor.text("convolution-step-count")).toBe(step);
  await visitor.click("convolution-step");
  await visitor.says("convolution-step-count", new RegExp(`^${Number(step) + 1}$`));
  // The kernels of a step of each network: more for the one with convolutions.
  await visitor.openExpert();
  await visitor.click("convolution-show-kernels");
  const tables = page.getByTestId("convolution-dispatches");
  await expect.poll(() => tables.count()).toBe(2);
  const rows = await tables.evaluateAll((all) => all.map((table) => table.querySelectorAll("tbody tr").length));
  expect(rows[0]).toBeGreaterThan(rows[1]!);
  expect(rows[1]).toBeGreaterThan(4);
  expect(await visitor.accessibilityFaults()).toEqual([]);
});

test("the drawer of each tab has the seed, the device, the kernels of a step, and a comparison of the devices", async () => {
  const visitor = await demo.visit("wasm", "#convolution?data=digits&batch=8");
  const { page } = visitor;
  const small = {
    "convolution-": tabs[1].hash + "&batch=8",
    "text-": tabs[2].hash + "&batch=4",
    "playground-": "#playground",
  };
  for (const [prefix, hash] of Object.entries(small)) {
    await goTo(visitor, hash);
    await visitor.reaches(`${prefix}step-count`, 1);
    await visitor.openExpert();
    const drawer = page.locator("details.expert");
    for (const name of ["device-choice", `${prefix}seed`]) expect(await drawer.getByTestId(name).count()).toBe(1);
    await visitor.click(`${prefix}show-kernels`);
    await expect.poll(() => drawer.getByTestId(`${prefix}dispatches`).count()).toBeGreaterThan(0);
    await visitor.click(`${prefix}show-comparison`);
    await visitor.click(`${prefix}compare`);
    await visitor.says(`${prefix}largest-difference`, /^(0|\d\.\de-[4-9])$/);
    for (const device of ["wasm", "cpu"])
      expect(await visitor.text(`${prefix}compared-${device}`)).toMatch(/^[1-9][\d,]*$/);
    expect(await visitor.accessibilityFaults()).toEqual([]);
    await page.setViewportSize({ width: 320, height: 800 });
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});

test("changes the device without a reload: training continues, what is paused stays paused, and a missing GPU is explained", async () => {
  const browser = await browserWithoutWebGPU();
  const visitor = await demo.arrive("wasm", SMALL, { browser });
  onTestFinished(() => visitor.leave());
  const { page } = visitor;
  await visitor.reaches("step-count", 5);
  const paused = await visitor.pause();
  await visitor.stores(paused);
  const step = await visitor.text("step-count");
  await visitor.openExpert();
  await page.getByTestId("device-choice").selectOption("cpu");
  await visitor.says("adapter", /^\(reference backend\)$/);
  await visitor.goesTo(/device=cpu/);
  await visitor.says("step-count", new RegExp(`^${step}$`));
  expect(await visitor.text("start")).toBe("Start");
  await page.getByTestId("device-choice").selectOption("webgpu");
  await visitor.says("device-fault", /WebGPU/);
  expect(await page.getByTestId("device-choice").inputValue()).toBe("cpu");
  await visitor.click("step");
  await visitor.says("step-count", new RegExp(`^${Number(step) + 1}$`));
  expect(await page.getByTestId("page-fault").count()).toBe(0);
});

test("has a view for a projector: large type and few controls on every tab, until Escape leaves it", async () => {
  const visitor = await demo.visit("wasm", `&view=projector${SMALL}`);
  const { page } = visitor;
  await page.setViewportSize({ width: 1920, height: 1080 });
  for (const { hash, prefix } of tabs) {
    await goTo(visitor, hash);
    await visitor.reaches(`${prefix}step-count`, 2);
    // What has a canvas takes its new size in the next frame.
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBe(1920);
    const sizes = await page.evaluate(`
      [...document.querySelectorAll("#app *")]
        .filter((element) => element.checkVisibility() && [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim()))
        .filter((element) => !element.closest(".hidden, .u-legend, svg"))
        .map((element) => parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom)
    `);
    // A fiftieth of the height can be read from as far away as eight times the height.
    expect(Math.min(...(sizes as number[]))).toBeGreaterThanOrEqual(21);
    expect(await page.locator(".settings, .links, [data-testid$=share]").filter({ visible: true }).count()).toBe(0);
    const button = (await page.getByTestId(`${prefix}start`).boundingBox())!;
    expect(button.height).toBeGreaterThan(50);
    expect(button.y + button.height).toBeLessThan(1080);
    expect(await visitor.accessibilityFaults()).toEqual([]);
  }
  await goTo(visitor, SMALL);
  await visitor.reaches("test-accuracy", 80);
  // The pad is drawn on where it is pointed at.
  await visitor.draw([
    [0.5, 0.15],
    [0.5, 0.85],
  ]);
  await visitor.says("prediction", /^1$/);
  await page.keyboard.press("Escape");
  await page.locator(".settings").waitFor();
  expect(page.url()).not.toMatch(/view=/);
  await visitor.click("projector");
  await visitor.goesTo(/view=projector/);
});
