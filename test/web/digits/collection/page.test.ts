import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SMALL, useDemo, type Visitor } from "../../demo.ts";

const demo = useDemo();

type Stroke = (readonly [x: number, y: number])[];

const strokes: Readonly<Record<number, readonly Stroke[]>> = {
  1: [
    [
      [0.55, 0.15],
      [0.5, 0.85],
    ],
  ],
  7: [
    [
      [0.25, 0.2],
      [0.75, 0.2],
      [0.45, 0.85],
    ],
  ],
};

const draw = (visitor: Visitor, digit: 1 | 7) => visitor.draw(...strokes[digit]!.map((stroke) => [...stroke]));

/** The texts of the entries of the gallery. */
const entries = (page: Page) => page.getByTestId("drawings").locator("li");

/** The focused element: its test ID, or else its label. */
const focused = (page: Page) =>
  page.evaluate("document.activeElement.dataset.testid ?? document.activeElement.ariaLabel") as Promise<string | null>;

const trainingImages = async (visitor: Visitor) =>
  Number(/([\d,]+) training images/.exec(await visitor.text("data"))![1]!.replace(",", ""));

describe("a class that draws", () => {
  let visitor: Visitor;
  let page: Page;
  const file = () => join(demo.folder, "ours.zip");
  beforeAll(async () => {
    visitor = await demo.arrive("wasm", SMALL);
    page = visitor.page;
    await visitor.reaches("test-accuracy", 85);
  });
  afterAll(() => visitor.leave());

  test("keeps a drawing as what the network reads, and another one as something else", async () => {
    // The sample digit cannot be kept.
    expect(await page.getByTestId("keep-1").count()).toBe(0);
    await visitor.click("clear");
    await page.getByTestId("keep-1").waitFor();
    expect(await page.getByTestId("keep-1").isDisabled()).toBe(true);
    await draw(visitor, 1);
    // The network's answer is proposed.
    await page.locator(".primary[data-testid=keep-1]").waitFor();
    await page.getByTestId("keep-1").focus();
    await page.keyboard.press("Enter");
    await visitor.says("keep-text", /^Kept as 1\. Undo$/);
    // The keyboard can draw the next one.
    expect(await focused(page)).toBe("draw-pad");
    // So it can after Undo, whose button is gone then.
    await page.getByTestId("undo-change").focus();
    await page.keyboard.press("Enter");
    await visitor.says("keep-text", /^Draw a digit/);
    expect(await focused(page)).toBe("draw-pad");
    await draw(visitor, 1);
    await visitor.click("keep-1");
    await visitor.says("keep-text", /^Kept as 1\. /);
    await draw(visitor, 1);
    await visitor.click("keep-8");
    await visitor.says("keep-text", /^Kept as 8\. /);
    await visitor.says("our-accuracy", /^Our 2 drawings: 50\.0 %$/);
  });

  test("sees what the network reads of each, removes one, and undoes that", async () => {
    await visitor.click("tab-drawings");
    await visitor.says("drawings-accuracy", /^50\.0 %$/);
    expect(await entries(page).allInnerTexts()).toEqual([
      expect.stringMatching(/^8\s+✗ read as 1/),
      expect.stringMatching(/^1\s+✓ read right/),
    ]);
    await entries(page).first().getByRole("button").click();
    await visitor.says("our-accuracy", /^Our 1 drawing: 100\.0 %$/);
    await visitor.says("last-change", /^Removed an 8\. Undo$/);
    await page.getByTestId("last-change").getByTestId("undo-change").click();
    await visitor.says("our-accuracy", /^Our 2 drawings: 50\.0 %$/);
    expect(await entries(page).first().innerText()).toMatch(/^8\s/);
    // By keyboard, the focus goes from Remove all to Undo, and from there to the drawings.
    await page.getByTestId("remove-drawings").focus();
    await page.keyboard.press("Enter");
    await visitor.says("last-change", /^Removed 2 drawings\. Undo$/);
    expect(await focused(page)).toBe("undo-change");
    await page.keyboard.press("Enter");
    await visitor.says("last-change", /^$/);
    expect(await focused(page)).toMatch(/^Remove drawing \d+, an 8$/);
    expect(await visitor.accessibilityFaults()).toEqual([]);
  });

  test("draws what the large pad asks for, and Back leaves it", async () => {
    await visitor.click("class-mode");
    await visitor.goesTo(/&class=yes$/);
    await visitor.says("asked", /^Draw a 0$/);
    await visitor.click("skip");
    // There is a 1 already, and no 2.
    await visitor.says("asked", /^Draw a 2$/);
    await draw(visitor, 7);
    await visitor.click("keep-asked");
    await visitor.says("asked", /^Draw a 3$/);
    await visitor.says("drawings-count", /^3 drawings$/);
    await page
      .getByTestId("last-drawings")
      .locator("li")
      .first()
      .filter({ hasText: /^✗ [^2]$/ })
      .waitFor();
    expect(await visitor.accessibilityFaults()).toEqual([]);
    await page.goBack();
    await visitor.says("our-accuracy", /^Our 3 drawings: 33\.3 %$/);
  });

  test("trains on them, too, which changes the number of images at once", async () => {
    expect(await trainingImages(visitor)).toBe(5000);
    const step = await visitor.number("step-count");
    await page.getByTestId("train-on-drawings").check();
    await visitor.goesTo(/&drawings=10/);
    await visitor.says("data", /with 3 of our drawings × 10: 5,030 training images/);
    await visitor.says("training-note", /^Each epoch has 3 × 10 = 30 drawings/);
    expect(await visitor.number("step-count")).toBeGreaterThanOrEqual(step);
    // It learns that the 7 is a 2. Of two equal drawings with different labels, it can read only one right.
    await visitor.says("our-accuracy", /^Our 3 drawings, trained on: 66\.7 %$/);
    await page.getByTestId("drawing-copies").fill("20");
    await visitor.says("data", /5,060 training images/);
    await page.getByTestId("train-on-drawings").uncheck();
    await visitor.says("data", /digits: 5,000 training images/);
  });

  test("exports them, and a visitor with an empty profile imports them", async () => {
    const download = page.waitForEvent("download");
    await visitor.click("export-drawings");
    await (await download).saveAs(file());
    const other = await demo.visit("wasm", `${SMALL}&drawings=2`, { dark: true, width: 320, touch: true });
    // Without drawings, there is nothing to add.
    await visitor.says("data", /digits: 5,000 training images/);
    await other.reaches("step-count", 1);
    await other.click("tab-drawings");
    const choose = (name: string, bytes?: Buffer) =>
      other.page
        .getByTestId("import-drawings")
        .setInputFiles(bytes ? { name, mimeType: "application/zip", buffer: bytes } : name);
    await choose("letter.zip", Buffer.from("Dear network"));
    await other.says("list-fault", /^letter\.zip: the file is no zip archive/);
    await choose(file());
    await other.says("last-change", /^Imported 3 drawings\. Undo$/);
    expect(await other.page.getByTestId("list-fault").count()).toBe(0);
    expect(await entries(other.page).locator("strong").allInnerTexts()).toEqual(["2", "8", "1"]);
    // The training of this visitor has them at once, since the address asked for them.
    await other.says("data", /with 3 of our drawings × 2: 5,006 training images/);
    // The same by dropping the file anywhere, also on another tab.
    await other.click("tab-playground");
    await other.drop("OURS.ZIP", readFileSync(file()));
    await other.says("last-change", /^Imported 0 drawings\. 3 of the file were here already/);
    expect(await other.page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    expect(await other.accessibilityFaults()).toEqual([]);
  });

  test("finds them in another tab, and is told why one cannot be kept", async () => {
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.getByTestId("our-accuracy").filter({ hasText: "Our 3 drawings" }).waitFor();
    await second.getByTestId("tab-drawings").click();
    await entries(second).last().getByRole("button").click();
    await visitor.says("our-accuracy", /^Our 2 drawings/);
    await second.close();
    await visitor.says("our-accuracy", /^Our 2 drawings: 0\.0 %$/);
    await page.evaluate(`
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("no space", "QuotaExceededError");
      };
    `);
    await draw(visitor, 1);
    await visitor.click("keep-1");
    await visitor.says("pad-fault", /^Drawings: the browser's storage is full, so nothing was kept\./);
    // The drawing is still on the pad.
    expect(await page.getByTestId("keep-1").isEnabled()).toBe(true);
    expect(await visitor.text("our-accuracy")).toMatch(/^Our 2 drawings/);
    expect(visitor.errors).toEqual([]);
  });
});

test("trains on a drawing with WebGPU until it reads it as its label", async () => {
  const visitor = await demo.visit("webgpu", `${SMALL}&drawings=50`);
  await visitor.reaches("test-accuracy", 80);
  await draw(visitor, 1);
  await visitor.page.locator(".primary[data-testid=keep-1]").waitFor();
  // The label is not what the network reads.
  await visitor.click("keep-7");
  await visitor.says("data", /with 1 of our drawings × 50: 5,050 training images/);
  await visitor.says("our-accuracy", /^Our 1 drawing, trained on: 100\.0 %$/);
  await visitor.reaches("test-accuracy", 75);
});
