import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loseDevice } from "../browser.ts";
import { useDemo, type Visitor } from "../demo.ts";

const demo = useDemo();

const at = (name: string) => `text-${name}`;

/** One layer learns to reverse five letters in about 100 steps. */
const TAB = "#text?data=reversing&layers=1&heads=2&width=32&rate=0.01";

/** More than a thousand characters. */
const story = readFileSync(new URL("../../../src/web/README.md", import.meta.url), "utf8").slice(0, 3000);

/** A character of the sample: a letter of the row's question, "=" at place 5, or one of the answer. */
const character = (page: Page, row: number, place: number) =>
  page.getByTestId(at("sample")).locator(`[data-row="${row}"][data-place="${place}"]`);

const focused = (page: Page) => page.evaluate("document.activeElement?.id");

/** The probability of the likeliest character, in percent. */
const firstBar = async (page: Page) =>
  Number.parseFloat(await page.getByTestId(at("bars")).locator(".value").first().innerText());

describe("a visitor of the Text tab", () => {
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    visitor = await demo.arrive("wasm", TAB);
    page = visitor.page;
  });
  afterAll(() => visitor.leave());

  test("sees a network learn to answer without a click", async () => {
    await visitor.reaches(at("exact"), 95);
    expect(await visitor.number(at("bits"))).toBeLessThan(0.5);
    await visitor.says(at("network"), /GPT of 13,440 parameters reads 9,000 groups of letters to reverse/);
    expect(await visitor.number(at("speed"))).toBeGreaterThan(0);
    await visitor.pause(at(""));
    expect(await visitor.text(at("sample-step"))).toBe(await visitor.text(at("step-count")));
    const rows = await page.getByTestId(at("sample")).locator(".text-row").allInnerTexts();
    expect(rows).toHaveLength(8);
    for (const row of rows) {
      const [, question, answer, mark] = /^([a-j]{5})=(\S{5})\s*(✓|✗)/.exec(row.replace(/\n/g, ""))!;
      expect(mark).toBe([...question!].reverse().join("") === answer ? "✓" : "✗");
    }
    expect(rows.filter((row) => row.includes("✓")).length).toBeGreaterThanOrEqual(6);
    // The lines of the chart: log₂ 11 is uniform, log₂ 10 unigram.
    const legend = await page.getByTestId(at("chart")).locator(".u-legend").innerText();
    expect(legend.replace(/\s+/g, " ")).toMatch(/uniform ?3\.46.*unigram ?3\.32.*bigram ?3\.[23]/);
  });

  test("points at characters with the mouse, the keyboard and a finger, and sees how each was chosen", async () => {
    const row = (await page.getByTestId(at("sample")).locator(".text-line").first().innerText()).replace(/\n/g, "");
    await character(page, 0, 6).hover();
    await visitor.says(at("chosen"), new RegExp(`^After “${row.slice(0, 6)}” it wrote “${row[6]}”`));
    const bars = page.getByTestId(at("bars")).locator("li");
    expect(await bars.count()).toBe(8);
    expect(await bars.first().locator(".name").innerText()).toBe(row[6]);
    const values = (await bars.locator(".value").allInnerTexts()).map(Number.parseFloat);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    await character(page, 0, 6).focus();
    for (const key of ["ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
    expect(await focused(page)).toBe("text-character-1-7");
    expect(await character(page, 1, 7).getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("Home");
    await visitor.says(at("chosen"), /is the first character: nothing comes before it/);
    await page.keyboard.press("ArrowRight");
    await visitor.says(at("chosen"), /was given\. The bars are what it would have written/);
    await character(page, 2, 8).dispatchEvent("pointerover", { pointerType: "touch" });
    expect(await character(page, 2, 8).getAttribute("aria-pressed")).toBe("true");
  });

  test("sees as arcs what attention read, a head at a time", async () => {
    await character(page, 0, 7).hover();
    const arcs = page.getByTestId(at("arcs"));
    const widthsOf = () =>
      arcs
        .locator("path")
        .evaluateAll((paths) =>
          paths.map((path) => [
            Number(path.getAttribute("data-position")),
            Number.parseFloat((path as SVGElement).style.strokeWidth),
          ]),
        );
    const seen: string[] = [];
    for (const head of [1, 2]) {
      await page.getByTestId(at(`head-${head}`)).check({ force: true });
      await expect
        .poll(() => arcs.getAttribute("aria-label"))
        .toMatch(new RegExp(`^Attention of head ${head} of layer 1`));
      const widths = await widthsOf();
      const [position] = widths.reduce((widest, one) => (one[1]! > widest[1]! ? one : widest));
      const letter = await character(page, 0, position!).innerText();
      const text = await visitor.text(at("attended"));
      expect(text).toMatch(new RegExp(`^Most of all: “${letter}” \\d+ % \\(${7 - position!} back\\)`));
      seen.push(text);
    }
    expect(seen[0]).not.toBe(seen[1]);
    await visitor.goesTo(/head=2/);
  });

  test("makes unlikely characters likelier with the temperature", async () => {
    await character(page, 0, 6).hover();
    const slider = page.getByTestId(at("temperature"));
    await slider.focus();
    await page.keyboard.press("End");
    await visitor.goesTo(/temperature=2/);
    await expect.poll(() => firstBar(page)).toBeLessThan(99.9);
    await page.keyboard.press("Home");
    await expect.poll(() => firstBar(page)).toBe(100);
    // At 0, each character that it wrote is the likeliest one.
    await expect.poll(() => page.getByTestId(at("sample")).locator(".unlikely").count()).toBe(0);
  });

  test("looks into an earlier step, and returns to the newest one", async () => {
    const now = await visitor.text(at("sample-step"));
    const first = page.getByTestId(at("history")).locator("button").first();
    expect(await first.innerText()).toMatch(/^Step\s*0/);
    await first.click();
    await visitor.says(at("sample-step"), /^0$/);
    const marks = await page.getByTestId(at("mark")).allInnerTexts();
    expect(marks.filter((mark) => mark.includes("✗")).length).toBeGreaterThanOrEqual(7);
    // The right answer beside a wrong one has the color of what is right, as the key says.
    const wrong = page.getByTestId(at("mark")).filter({ hasText: "✗" }).first();
    const colors = [wrong, wrong.locator(".right")].map((part) =>
      part.evaluate((element) => getComputedStyle(element).color),
    );
    expect(new Set(await Promise.all(colors)).size).toBe(2);
    expect(await wrong.locator(".right").innerText()).toMatch(/^[a-j]{5}$/);
    await visitor.click(at("newest"));
    await visitor.says(at("sample-step"), new RegExp(`^${now}$`));
  });

  test("steps, resets and starts, and only a change of the network starts over", async () => {
    const step = await visitor.number(at("step-count"));
    await visitor.click(at("step"));
    await visitor.says(at("step-count"), new RegExp(`^${step + 1}$`));
    await page.getByTestId(at("rate")).fill("0.003");
    await page.getByTestId(at("batch")).fill("16");
    await visitor.goesTo(/batch=16/);
    await page.locator("h1").click();
    await page.keyboard.press("s");
    await visitor.says(at("step-count"), new RegExp(`^${step + 2}$`));
    for (const [name, value] of [
      ["heads", "4"],
      ["width", "16"],
      ["layers", "2"],
    ] as const) {
      await page.getByTestId(at(name)).selectOption(value);
      await visitor.goesTo(new RegExp(name));
    }
    await visitor.says(at("network"), /GPT of 6,928 parameters/);
    await visitor.says(at("step-count"), /^0$/);
    await page.keyboard.press("s");
    await visitor.says(at("step-count"), /^1$/);
    await visitor.openExpert();
    await page.getByTestId(at("seed")).fill("2");
    await visitor.goesTo(/seed=2/);
    await visitor.says(at("step-count"), /^0$/);
    await page.locator("h1").click();
    await page.keyboard.press(" ");
    await visitor.reaches(at("step-count"), 3);
    await visitor.click(at("start"));
    await visitor.says(at("start"), /^Start$/);
    await visitor.click(at("reset"));
    await visitor.says(at("step-count"), /^0$/);
    await visitor.click(at("start"));
    await visitor.says(at("start"), /^Pause$/);
  });

  test("leaves the tab, where training pauses, and continues where it was after returning with Back", async () => {
    await visitor.reaches(at("step-count"), 3);
    await visitor.click("tab-playground");
    await visitor.goesTo(/#playground/);
    await page.goBack();
    await visitor.goesTo(/#text\?.*seed=2/);
    const step = await visitor.number(at("step-count"));
    expect(step).toBeGreaterThan(2);
    await visitor.reaches(at("step-count"), step + 2);
  });

  test("gives it a text, pasted or dropped, and is told what is wrong with another", async () => {
    await page.getByTestId(at("data")).selectOption("own");
    const paste = page.getByTestId(at("own"));
    await visitor.click(at("learn"));
    await visitor.says(at("own-fault"), /no text.*at least 1,000/);
    await paste.fill("too short");
    await visitor.click(at("learn"));
    await visitor.says(at("own-fault"), /^9 characters are too few/);
    await visitor.click(at("cancel"));
    expect(await page.getByTestId(at("data")).inputValue()).toBe("reversing");
    await page.getByTestId(at("data")).selectOption("own");
    await paste.fill(story);
    await visitor.click(at("learn"));
    await visitor.goesTo(/data=own/);
    await visitor.says(at("network"), /reads 2,\d{3} characters of your text/);
    await page.getByTestId(at("context")).selectOption("16");
    await expect.poll(() => page.getByTestId(at("sample")).locator("button").count()).toBe(17);
    expect(await page.getByTestId(at("exact")).count()).toBe(0);

    await visitor.drop("network.safetensors", [0xff, 0xff]);
    await visitor.says(at("own-fault"), /network\.safetensors is not a text in UTF-8/);
    await visitor.drop("cat.txt", Buffer.from("The cat sat on the mat. ".repeat(50)));
    await visitor.says(at("network"), /reads 1,0\d\d characters of your text/);
    await visitor.click(at("change"));
    await page.getByTestId(at("file")).setInputFiles({
      name: "dog.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("A dog dug. ".repeat(200)),
    });
    await visitor.says(at("network"), /reads 1,9\d\d characters of your text/);
  });

  test("is told which parts of an address are not allowed, and that it has no text", async () => {
    await page.evaluate("location.hash = '#text?data=sorting&width=17&layers=1'");
    await visitor.says(at("message"), /width=17/);
    await visitor.says(at("network"), /letters to sort/);
    await page.evaluate("location.hash = '#text?data=own'");
    await visitor.says(at("network"), /reads 1,9\d\d characters of your text/);
    await page.reload();
    await visitor.says(at("message"), /does not contain the text.*Paste a text again/);
    await visitor.reaches(at("step-count"), 1);
    await visitor.says(at("network"), /sums of two numbers/);
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
  await visitor.page.evaluate("location.hash = '#text?data=reversing&layers=1&heads=2&width=16&batch=16'");
  await visitor.reaches(at("step-count"), 2);
  expect(await visitor.page.getByTestId(at("mark")).count()).toBe(8);
  const loaded = (await scripts()).filter((name) => !before.includes(name));
  expect(loaded.some((name) => name.endsWith(".js"))).toBe(true);
  expect(loaded.some((name) => name.endsWith(".css"))).toBe(true);
  await loseDevice(visitor.page);
  await visitor.says(at("message"), /and replaced\. Training continues/);
  const step = await visitor.number(at("step-count"));
  await visitor.reaches(at("step-count"), step + 1);
  await visitor.reaches(at("sample-step"), step + 1);
});

test.each([
  { dark: false, width: 1280 },
  { dark: true, width: 390 },
])("has no accessibility violation, and nothing moves while it trains: %j", async (options) => {
  const visitor = await demo.visit("wasm", TAB, options);
  const { page } = visitor;
  await visitor.reaches(at("exact"), 1);
  await visitor.noteShifts();
  const step = await visitor.number(at("sample-step"));
  await visitor.reaches(at("sample-step"), step + 20);
  await visitor.reaches(at("exact"), 90);
  expect(await visitor.shifts()).toEqual([]);
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: options.dark ? "dark" : "light" });
  expect(
    await page.evaluate("getComputedStyle(document.querySelector('.text-bars .bar > span')).transitionDuration"),
  ).toBe("0s");
  await visitor.reaches(at("step-count"), (await visitor.number(at("step-count"))) + 10);
  expect(await visitor.accessibilityFaults()).toEqual([]);
  await page.getByTestId(at("data")).selectOption("own");
  expect(await visitor.accessibilityFaults()).toEqual([]);
  for (const width of options.dark ? [320, 390, 600, 840] : [960, 1000, 1280, 1560, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    // Charts take their new width in the next frame.
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  }
});
