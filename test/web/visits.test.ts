import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { loseDevice } from "./browser.ts";
import { SMALL, useDemo, Visitor } from "./demo.ts";

const demo = useDemo();

/** All text on the page. */
const allText = (page: Page) => page.locator("body").innerText();

describe("a visitor who changes things", () => {
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    visitor = await demo.arrive("webgpu", SMALL);
    page = visitor.page;
    await visitor.reaches("step-count", 5);
  });
  afterAll(() => visitor.leave());

  test("clicks Reset five times, changes tabs and clears a drawing, and training continues without outdated answers", async () => {
    for (let click = 0; click < 5; click++) await visitor.click("reset");
    for (const tab of ["playground", "digits", "playground", "digits"]) await visitor.click(`tab-${tab}`);
    await visitor.reaches("step-count", 5);
    expect(await visitor.text("start")).toBe("Pause");
    await visitor.draw([
      [0.5, 0.2],
      [0.5, 0.8],
    ]);
    await visitor.click("clear");
    await page.waitForTimeout(1000);
    expect(await page.getByTestId("prediction").count()).toBe(0);
    // A drawing that is not cleared gets a prediction.
    await visitor.draw([
      [0.5, 0.2],
      [0.5, 0.8],
    ]);
    await page.getByTestId("prediction").waitFor();
    await visitor.click("clear");
  });

  test("sees the latest values beside the curves, and switches the raw values off and on", async () => {
    await visitor.pause();
    const step = await visitor.text("step-count");
    const legend = page.getByTestId("loss-chart").locator(".u-legend");
    await expect
      .poll(() => legend.innerText())
      .toMatch(new RegExp(`step\\s*${step}\\s.*batch\\s*\\d.*training\\s*\\d`, "s"));
    for (const raw of [false, true, false, true]) {
      await page.getByTestId("raw").setChecked(raw);
      expect(/batch/.test(await legend.innerText())).toBe(raw);
    }
    expect(visitor.errors).toEqual([]);
  });

  test("sees the allowed range below a number that is outside it, and the typed text stays", async () => {
    await page.getByTestId("batch-size").fill("5000");
    await page.getByTestId("epochs").focus();
    expect(await page.getByTestId("batch-size").inputValue()).toBe("5000");
    expect(await allText(page)).toContain("Enter a whole number from 1 to 1024");
    await page.getByTestId("batch-size").fill("32");
    expect(await allText(page)).not.toContain("Enter a whole number from 1 to 1024");
  });

  test("draws with the keyboard, undoes a stroke, and draws with one finger at a time", async () => {
    const { keyboard } = page;
    await visitor.click("start");
    await visitor.reaches("test-accuracy", 70);
    await visitor.pause();
    await page.getByTestId("draw-pad").focus();
    for (let press = 0; press < 6; press++) await keyboard.press("ArrowUp");
    await keyboard.press(" ");
    for (let press = 0; press < 12; press++) await keyboard.press("ArrowDown");
    await keyboard.press(" ");
    // Before, the pad shows the sample, a 3.
    await visitor.says("prediction", /^1$/);
    // Space moved the pen, and did not start or pause training.
    expect(await visitor.text("start")).toBe("Start");
    const drawn = await visitor.probabilities();
    const pointer = (type: string, pointerId: number, [x, y]: readonly [number, number]) =>
      page.getByTestId("draw-pad").evaluate(
        (pad, event) => {
          const { left, top, width, height } = pad.getBoundingClientRect();
          const place = { clientX: left + event.x * width, clientY: top + event.y * height };
          // The browser can capture only pointers that it knows, not simulated ones.
          Object.assign(pad, { setPointerCapture: () => {} });
          pad.dispatchEvent(
            new PointerEvent(event.type, { ...event, ...place, bubbles: true, cancelable: true, buttons: 1 }),
          );
        },
        { type, pointerId, x, y },
      );
    const ink = async () => {
      await visitor.painted();
      return page.getByTestId("draw-pad").evaluate((pad: HTMLCanvasElement) => pad.toDataURL());
    };
    const before = await ink();
    await pointer("pointerdown", 11, [0.1, 0.2]);
    await pointer("pointermove", 11, [0.9, 0.2]);
    const one = await ink();
    expect(one).not.toBe(before);
    await pointer("pointerdown", 12, [0.1, 0.9]);
    await pointer("pointermove", 12, [0.9, 0.9]);
    expect(await ink()).toBe(one);
    await pointer("pointerup", 11, [0.9, 0.2]);
    expect(await visitor.probabilities()).not.toBe(drawn);
    await visitor.click("undo");
    expect(await visitor.probabilities()).toBe(drawn);
    await visitor.click("clear");
    expect(await page.getByTestId("prediction").count()).toBe(0);
  });

  test("goes back through tabs, modes and presets without leaving the page", async () => {
    await page.getByTestId("preset").selectOption("No hidden layer");
    await visitor.goesTo(/layers=&/);
    await visitor.click("tab-playground");
    await page.getByTestId("playground-mode-neuron").check({ force: true });
    await visitor.goesTo(/#playground\?mode=neuron/);
    await page.goBack();
    await visitor.goesTo(/#playground$/);
    expect(await page.getByTestId("playground-mode-classify").isChecked()).toBe(true);
    await page.goBack();
    await visitor.goesTo(/layers=&/);
    await page.goBack();
    await visitor.goesTo(/layers=32-relu/);
    await visitor.says("data", /25,450 parameters/);
    await page.goForward();
    await visitor.says("data", /7,850 parameters/);
  });

  test("drops a file anywhere on the page, and is told what is wrong with it, or what can be dropped", async () => {
    await visitor.click("tab-playground");
    expect(await visitor.drop("broken.safetensors", Buffer.from("Dear network"), "playground-start")).toBe(false);
    await visitor.says("fault", /broken\.safetensors/);
    expect(await visitor.drop("letter.txt", Buffer.from("Dear network"), "start")).toBe(false);
    await visitor.says("fault", /^letter\.txt is neither a network nor drawings\. Drop a \.safetensors file/);
    expect(visitor.errors).toEqual([]);
  });
});

test("offers the network again after a reload, and continues at the same step", async () => {
  const visitor = await demo.visit("wasm", SMALL);
  await visitor.reaches("test-accuracy", 80);
  const paused = await visitor.pause();
  await visitor.stores(paused);
  await visitor.page.reload();
  await visitor.says("offer", /^Continue with the network saved at \d\d:\d\d/);
  await visitor.says("offer", new RegExp(`step ${paused.toLocaleString("en")}, test accuracy \\d`));
  await visitor.click("continue");
  await visitor.reaches("step-count", paused + 1);
  expect(await visitor.page.getByTestId("offer").count()).toBe(0);
  await visitor.pause();
  await visitor.reaches("test-accuracy", 75);
});

test("continues both tabs on the CPU after the GPU was lost twice", async () => {
  const visitor = await demo.visit("webgpu", SMALL);
  await visitor.reaches("test-accuracy", 80);
  await loseDevice(visitor.page);
  await visitor.says("notice", /^The device was lost and replaced/);
  const step = await visitor.number("step-count");
  // At once, since a second loss counts only within a minute, in which a busy machine may not train a step.
  await loseDevice(visitor.page);
  await visitor.says("fault", /twice within a minute/);
  await visitor.says("start", /^Start$/);
  await visitor.click("continue-on-cpu");
  await visitor.says("backend", /^CPU$/);
  await visitor.says("adapter", /^\(WebAssembly, 1 thread\)$/);
  // The message stays until the network is there again, and so do its numbers.
  await visitor.page.getByTestId("fault").waitFor({ state: "detached" });
  await visitor.reaches("step-count", step);
  await visitor.reaches("test-accuracy", 75);
  await visitor.click("tab-playground");
  await visitor.reaches("playground-step-count", 3);
});

test("reports invalid settings in an address of the Playground", async () => {
  const visitor = await demo.visit("wasm", "#playground?classify.noise=9&classify.color=red");
  await visitor.says(
    "playground-message",
    /invalid settings: classify\.color=red, classify\.noise=9\. The defaults are used/,
  );
  await visitor.reaches("playground-step-count", 2);
  expect(await visitor.text("playground-message")).toMatch(/classify\.noise=9/);
});

test("reports training that diverges with finite losses", async () => {
  const visitor = await demo.visit("cpu", "#digits?layers=32-relu&batch=32&rate=10&data=digits");
  await visitor.says(
    "fault",
    /^The training has diverged: .*no better than chance.* The learning rate [\d.]+ is too high/,
  );
});

test("shows slow work on the CPU, which can be canceled immediately", async () => {
  const visitor = await demo.visit("cpu", "#digits?layers=2048-relu,2048-relu&batch=256&data=digits");
  await visitor.says("activity", /Running step \d+ …/);
  await visitor.click("start");
  // The page reacts immediately, although the worker is busy.
  expect(await visitor.text("start")).toBe("Start");
  await visitor.says("activity", /Cancel/);
  await visitor.click("cancel-step");
  await visitor.page.getByTestId("preset").selectOption("No hidden layer");
  await visitor.says("data", /7,850 parameters/);
  await visitor.click("start");
  await visitor.reaches("step-count", 3);
});

test.each(["#digits", "#playground", "#playground?mode=surface"])(
  "%s fits windows from 2560 to 320 pixels",
  async (hash) => {
    const visitor = await demo.visit("cpu", hash, { width: 2560 });
    await visitor.reaches(hash === "#digits" ? "step-count" : "playground-step-count", 2);
    for (const width of [2560, 640, 520, 400, 320]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      await expect.poll(() => visitor.page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    }
    expect(await visitor.accessibilityFaults()).toEqual([]);
  },
);

test("compares runs: the last one stays in the charts, any can be drawn, and its settings can be used again", async () => {
  const visitor = await demo.visit("wasm", SMALL);
  const { page } = visitor;
  const legend = (chart: string) => page.getByTestId(chart).locator(".u-legend").innerText();
  await visitor.click("tab-runs");
  await visitor.reaches("step-count", 20);
  await visitor.openExpert();
  await page.getByTestId("seed").fill("5");
  await page.getByTestId("run-1-shown").waitFor();
  expect(await page.getByTestId("run-1-shown").isChecked()).toBe(true);
  for (const chart of ["loss-chart", "accuracy-chart"])
    await expect.poll(() => legend(chart)).toMatch(/run 1\s*\d.*run 1, test/s);
  const rows = page.getByTestId("runs").locator("tbody tr");
  expect(await rows.locator(".differs").allInnerTexts()).toEqual(["1"]);
  // The names of the form, not those of the address.
  const cells = await rows.first().locator("td").allInnerTexts();
  expect(cells.slice(3, 7)).toEqual(["32 relu", "Softmax cross-entropy", "Adam", "0.004"]);
  expect(cells[7]).toBe("Cosine");
  await visitor.reaches("step-count", 20);
  await visitor.click("reset");
  await page.getByTestId("run-2-shown").waitFor();
  expect(await page.getByTestId("run-1-shown").isChecked()).toBe(false);
  await expect.poll(() => legend("loss-chart")).not.toMatch(/run 1/);
  await page.getByTestId("run-1-shown").check();
  await expect.poll(() => legend("loss-chart")).toMatch(/run 2.*run 1/s);
  expect(await visitor.accessibilityFaults()).toEqual([]);
  await visitor.click("run-1-use");
  await visitor.goesTo(/seed=1/);
  expect(await page.getByTestId("seed").inputValue()).toBe("1");
  await visitor.click("run-2-remove");
  await expect.poll(() => legend("loss-chart")).not.toMatch(/run 2/);
  expect(await page.getByTestId("run-2-shown").count()).toBe(0);
});

test("the tools in the drawer of the Digits tab open a view below the window, and scroll to it", async () => {
  const visitor = await demo.visit("wasm", SMALL);
  const { page } = visitor;
  await page.setViewportSize({ width: 1280, height: 500 });
  await visitor.openExpert();
  for (const [tool, tab] of [
    ["show-kernels", "tab-dispatches"],
    ["show-comparison", "tab-comparison"],
  ] as const) {
    await page.evaluate("window.scrollTo(0, 0)");
    const top = async () => (await page.getByTestId(tab).boundingBox())!.y;
    expect(await top()).toBeGreaterThan(500);
    await page.getByTestId(tool).evaluate((button) => (button as HTMLButtonElement).click());
    await expect.poll(top).toBeLessThan(450);
    expect(await top()).toBeGreaterThanOrEqual(0);
  }
});

test.each([false, true])("the page of the benchmark has no accessibility violation, dark: %s", async (dark) => {
  const visitor = await Visitor.arrive(demo.browser, `${demo.site.address}bench.html`, { dark });
  onTestFinished(() => visitor.leave());
  await visitor.page.getByRole("button", { name: "Run" }).waitFor();
  expect(await visitor.accessibilityFaults()).toEqual([]);
});
