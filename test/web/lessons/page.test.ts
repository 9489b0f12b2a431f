import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SMALL, useDemo, type Visitor } from "../demo.ts";

const demo = useDemo();

const step = ({ page }: Visitor) => page.getByTestId("lesson").getAttribute("data-step");

const heightOf = async ({ page }: Visitor) => (await page.getByTestId("lesson").boundingBox())!.height;

/** The numbers in a text, with the minus sign of the page. */
const numbersIn = (text: string) =>
  [...text.matchAll(/−?\d+(?:\.\d+)?/g)].map(([number]) => Number(number.replace("−", "-")));

/** Opens a lesson from the list. */
async function open(visitor: Visitor, name: string): Promise<void> {
  await visitor.click("lessons");
  await visitor.click(`lesson-${name}`);
  await visitor.goesTo(new RegExp(`[?&]lesson=${name}$`));
  await expect.poll(() => step(visitor)).toBe("Predict");
}

async function predict(visitor: Visitor, choice: number): Promise<void> {
  const { page } = visitor;
  await visitor.click(`predict-${choice}`);
  await visitor.goesTo(new RegExp(`&answer=${choice}$`));
  expect(await step(visitor)).toBe("Do");
  // The controls that the lesson is about are outlined.
  expect(await page.locator("style").allInnerTexts()).toContainEqual(expect.stringContaining("outline"));
}

/** Waits for the last step, in which the card must be as high as before. Every text has at most 80 words. */
async function see(visitor: Visitor, height: number): Promise<string> {
  const { page } = visitor;
  await expect.poll(() => step(visitor)).toBe("See");
  expect(await heightOf(visitor)).toBe(height);
  const texts = await page.locator(".lesson-text > *").evaluateAll((all) => all.map(({ textContent }) => textContent));
  expect(texts.length).toBe(3);
  for (const text of texts) expect(text!.split(/\s+/).length).toBeLessThanOrEqual(80);
  return visitor.text("lesson-seen");
}

const act = (visitor: Visitor, action: number) => visitor.click(`lesson-action-${action}`);

test("one neuron: its border is a straight line with the three numbers that the page shows", async () => {
  const visitor = await demo.visit("wasm", "#playground", { dark: true, width: 390, touch: true });
  await open(visitor, "neuron");
  const { page } = visitor;
  expect(await visitor.text("playground-step-count")).toBe("0");
  expect(await visitor.accessibilityFaults()).toEqual([]);
  await page.getByTestId("playground-speed").selectOption("100");
  await page.getByTestId("predict-1").tap();
  const height = await heightOf(visitor);
  await page.getByTestId("lesson-action-1").tap();
  const seen = await see(visitor, height);
  expect(seen).toMatch(/^Your prediction was right\. After \d+ steps, all points are right/);
  // All points are right, so that the perceptron no longer changes.
  const shown = numbersIn((await visitor.text("playground-weights")).replaceAll(/[w₁₂b]/g, " "));
  expect(shown.length).toBe(3);
  const told = [/w₁ = (\S+),/, /w₂ = (\S+) and/, /b = (\S+)\. The/].map(
    (number) => numbersIn(number.exec(seen)![1]!)[0]!,
  );
  told.forEach((value, index) => expect(Math.abs(value - shown[index]!)).toBeLessThan(0.001));
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  expect(await visitor.accessibilityFaults()).toEqual([]);
});

test("on a phone, a lesson begins with its card at the top, also on a tab whose code is not loaded yet", async () => {
  const visitor = await demo.visit("wasm", SMALL, { width: 390, touch: true });
  const { page } = visitor;
  // Loads the code of the lessons.
  await open(visitor, "templates");
  await open(visitor, "neuron");
  await page.getByTestId("playground-start").waitFor();
  // The page scrolls by whole pixels of the screen.
  expect(Math.abs((await page.getByTestId("lesson").boundingBox())!.y)).toBeLessThan(1);
});

test("XOR on WebGPU: a perceptron has three of four points right at best", async () => {
  const visitor = await demo.visit("webgpu", "#playground");
  await open(visitor, "xor");
  await predict(visitor, 3);
  const height = await heightOf(visitor);
  await act(visitor, 1);
  const [steps, most] = numbersIn((await see(visitor, height)).replace(/^You predicted: All four\. /, ""));
  expect(steps).toBeGreaterThanOrEqual(100);
  expect(most).toBe(3);
});

describe("a visitor who takes one lesson after the other", () => {
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    visitor = await demo.arrive("wasm", SMALL);
    page = visitor.page;
  });
  afterAll(() => visitor.leave());

  test("ten templates: reads the visitor's own drawing, and Back leaves the lesson", async () => {
    await visitor.reaches("step-count", 2);
    await visitor.click("lessons");
    await visitor.click("lesson-templates");
    await visitor.says("data", /7,850 parameters/);
    await predict(visitor, 2);
    const height = await heightOf(visitor);
    expect(await visitor.text("start")).toBe("Start");
    await act(visitor, 1);
    await visitor.says("lesson-note", /Now draw a digit\.$/);
    await act(visitor, 2);
    const weights = page.getByTestId("weights").locator("canvas");
    await expect.poll(() => weights.count()).toBe(10);
    await expect.poll(async () => (await weights.first().boundingBox())!.y).toBeLessThan(800);
    // The pad, which is above the weights, is a button away.
    await act(visitor, 3);
    const card = (await page.getByTestId("lesson").boundingBox())!;
    const pad = (await page.getByTestId("draw-pad").boundingBox())!;
    expect(pad.y).toBeGreaterThanOrEqual(card.y + card.height);
    expect(pad.y + pad.height).toBeLessThanOrEqual(800);
    await visitor.draw([
      [0.5, 0.15],
      [0.5, 0.85],
    ]);
    const seen = await see(visitor, height);
    expect(seen).toMatch(/yours as a 1 \(\d/);
    expect(numbersIn(seen)[0]).toBeGreaterThanOrEqual(80);
    await page.goBack();
    await page.getByTestId("lesson").waitFor({ state: "detached" });
    await visitor.says("data", /25,450 parameters/);
  });

  test("hidden layers: a closed border needs hidden units", async () => {
    await open(visitor, "hidden-layers");
    await predict(visitor, 2);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /^Without a hidden layer: [\d.]+ %\. Now train with 4 units\.$/);
    await act(visitor, 2);
    const [without, withFour] = numbersIn(await see(visitor, height));
    expect(without).toBeLessThan(70);
    expect(withFour).toBeGreaterThanOrEqual(98);
  });

  test("learning rate: 0.3 is better than 0.001, and 3 diverges", async () => {
    await open(visitor, "learning-rate");
    await page.getByTestId("playground-speed").selectOption("100");
    await predict(visitor, 1);
    const height = await heightOf(visitor);
    for (const [action, done] of [
      [2, /^rate 0\.3: [\d.]+\.$/],
      [1, /^rate 0\.001: [\d.]+\. rate 0\.3: [\d.]+\.$/],
    ] as const) {
      await act(visitor, action);
      await visitor.says("lesson-note", done);
    }
    await act(visitor, 3);
    const seen = await see(visitor, height);
    expect(seen).toMatch(/^You predicted: 0\.001\. .*growing without bound with 3/);
    const [small, right] = [/([\d.]+) with 0\.001/, /([\d.]+) with 0\.3/].map((number) =>
      Number(number.exec(seen)![1]),
    );
    expect(small).toBeGreaterThan(10 * right!);
  });

  test("momentum: the same rate needs a fraction of the steps", async () => {
    await open(visitor, "momentum");
    await page.getByTestId("playground-speed").selectOption("300");
    await predict(visitor, 2);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /Without momentum: \d+ steps\.$/);
    await act(visitor, 2);
    const [without, withMomentum] = numbersIn(await see(visitor, height));
    expect(withMomentum).toBeGreaterThan(10);
    expect(without).toBeGreaterThan(4 * withMomentum!);
  });

  test("dropout: training and test loss come closer", async () => {
    await open(visitor, "dropout");
    await predict(visitor, 2);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /Without dropout: training loss [\d.]+, test loss [\d.]+\.$/);
    // The losses, which the lesson is about, are in view below its card.
    const { y: cardTop, height: cardHeight } = (await page.getByTestId("lesson").boundingBox())!;
    const { y, height: chartHeight } = (await page.getByTestId("loss-chart").boundingBox())!;
    expect(y).toBeGreaterThanOrEqual(cardTop + cardHeight);
    expect(y + chartHeight).toBeLessThan(800);
    // The button to press next stands out.
    expect(await page.locator(".lesson .primary").allInnerTexts()).toEqual(["With dropout"]);
    await act(visitor, 2);
    const seen = await see(visitor, height);
    const [tested, times, training, testWith, trainingWith] = numbersIn(seen);
    expect(Math.abs(tested! / training! - times!)).toBeLessThan(1);
    expect(times).toBeGreaterThan(10);
    expect(testWith! / trainingWith!).toBeLessThan(3);
    expect(seen).toMatch(testWith! < tested! ? /reads new digits better/ : /needs more steps/);
  });

  test("mistakes: a cell of the confusion matrix, and how sure the network is of a wrong answer", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await open(visitor, "mistakes");
    await predict(visitor, 3);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /Now choose a cell with mistakes\.$/);
    await act(visitor, 2);
    const cell = page.getByTestId("confusion").locator("button.wrong:not(:empty)").first();
    // In one task of the page: training goes on, and another cell may be the first one at any time.
    const clicked = await cell.evaluate((button: HTMLButtonElement) => {
      button.click();
      return button.ariaLabel!;
    });
    const [, actual, predicted] = numbersIn(clicked);
    const seen = await see(visitor, height);
    const [ofActual, asPredicted] = [actual, predicted].map((digit) => (digit === 8 ? "an 8" : `a ${digit}`));
    expect(seen).toContain(` of ${ofActual} that was read as ${asPredicted}. `);
    expect(Number(/with ([\d.]+) %/.exec(seen)![1])).toBeGreaterThan(50);
    expect(await visitor.accessibilityFaults()).toEqual([]);
  });

  test("convolution and shift: which network loses more of its accuracy", async () => {
    await page.setViewportSize({ width: 768, height: 1024 });
    await open(visitor, "shift");
    await predict(visitor, 2);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /Now move the digit\.$/);
    await page.getByTestId("convolution-shifts-dense").locator("button").first().click();
    const seen = await see(visitor, height);
    expect(seen).toMatch(/ is (a [0-79]|an 8) to the convolutional network and (a [0-79]|an 8) to the dense one\./);
    const lost = [/loses (\d+) %/, /dense one (\d+) %/].map((share) => Number(share.exec(seen)![1]));
    for (const share of lost) expect(share).toBeGreaterThan(10);
    // The verdict follows from the numbers, which depend on when the networks were tested.
    const differ = /A filter finds its pattern anywhere/.test(seen);
    expect(seen.startsWith("Your prediction was right")).toBe(differ);
    // Both numbers are rounded.
    if (differ) expect(lost[1]! - lost[0]!).toBeGreaterThanOrEqual(0);
    else expect(lost[1]! - lost[0]!).toBeLessThanOrEqual(2);
  });

  test("text: letters get vectors in the order of the alphabet", async () => {
    await open(visitor, "text");
    await page.getByTestId("text-nearest").waitFor();
    await predict(visitor, 1);
    const height = await heightOf(visitor);
    await act(visitor, 1);
    await visitor.says("lesson-note", /Now point at a letter\.$/);
    const letter = page.getByTestId("text-sample").locator("[data-row='2'][data-place='1']");
    await letter.click();
    const name = await letter.innerText();
    const index = "=abcdefghij".indexOf(name);
    const seen = await see(visitor, height);
    expect(seen).toContain(`Your “${name}” has the index ${index}.`);
    const [, ordered] = /for (\d+) of 10 letters/.exec(seen)!;
    expect(Number(ordered)).toBeGreaterThanOrEqual(6);
    expect(seen).toMatch(/^Your prediction was right/);
    // The view has the same letter, and its neighbors.
    expect(await page.getByTestId("text-indices").locator("td.chosen").innerText()).toBe(String(index));
    const [nearest] = await page.getByTestId("text-nearest").locator(".text-vector").allInnerTexts();
    expect(nearest!.replaceAll("\n", " ")).toMatch(/^[a-j] 0\.\d\d$/);
    expect(await visitor.accessibilityFaults()).toEqual([]);
  });

  test("backpropagation: shows each number, and the weights of the input 0 stay", async () => {
    await open(visitor, "backpropagation");
    expect(await page.getByTestId("playground-start").count()).toBe(0);
    await visitor.click("predict-3");
    const height = await heightOf(visitor);
    const formulas = [
      /^h₁ = σ\(w₁₁x₁ .* = 0\.646h₂/,
      /^y = σ.*Loss = ½/,
      /^δ = \(y − t\)/,
      /^δ₁ = δv₁/,
      /^Each weight w becomes/,
    ];
    for (const formula of formulas) {
      await act(visitor, 1);
      await visitor.says("backpropagation-formulas", formula);
    }
    const [before, after, lossBefore, lossAfter] = numbersIn(await see(visitor, height));
    expect(after).toBeGreaterThan(before!);
    expect(lossAfter).toBeLessThan(lossBefore!);
    // Half the squared error, with three decimals.
    expect(Math.abs((1 - before!) ** 2 / 2 - lossBefore!)).toBeLessThan(0.001);
    const rows = await page.getByTestId("backpropagation-parameters").locator("tbody tr").allInnerTexts();
    const changed = rows.map((row) => row.split("\t")).filter(([, value, , next]) => value !== next);
    expect(rows.length - changed.length).toBe(2);
    expect(changed.map(([name]) => name)).not.toContain("w₂₁");
    expect(await visitor.accessibilityFaults()).toEqual([]);
    await visitor.click("leave-lesson");
    await page.getByTestId("playground-start").waitFor();
    // After the last lesson, the list is a button away.
    await open(visitor, "text");
    await visitor.click("all-lessons");
    await page.getByTestId("lesson-templates").waitFor();
    await page.keyboard.press("Escape");
  });

  test("has seen no console error", () => {
    expect(visitor.errors).toEqual([]);
  });
});

test("the keyboard opens a lesson, predicts, acts, and goes to the next one; another tab leaves it", async () => {
  const visitor = await demo.visit("wasm", "#playground?mode=neuron&lesson=unknown");
  const { page } = visitor;
  const { keyboard } = page;
  await page.getByText("There is no lesson unknown.").waitFor();
  await page.getByTestId("lessons").focus();
  await keyboard.press("Enter");
  await page.getByTestId("lesson-neuron").focus();
  expect(await visitor.accessibilityFaults()).toEqual([]);
  await keyboard.press("Enter");
  await visitor.goesTo(/lesson=neuron$/);
  await page.getByTestId("lesson-neuron").waitFor({ state: "detached" });
  await page.getByTestId("predict-2").focus();
  await keyboard.press("Enter");
  await expect.poll(() => page.evaluate("document.activeElement.dataset.testid")).toBe("lesson-action-1");
  await keyboard.press("Enter");
  await visitor.reaches("playground-step-count", 2);
  await page.getByTestId("next-lesson").focus();
  await keyboard.press("Enter");
  await visitor.goesTo(/lesson=xor$/);
  await visitor.click("tab-digits");
  await page.getByTestId("lesson").waitFor({ state: "detached" });
  await page.goBack();
  await visitor.goesTo(/#playground\?.*lesson=xor$/);
  await expect.poll(() => step(visitor)).toBe("Predict");
  // The address keeps a prediction.
  await page.evaluate("location.hash += '&answer=2'");
  await expect.poll(() => step(visitor)).toBe("Do");
});

test("the view for a projector has what the lessons are about, also if it hides that otherwise", async () => {
  const visitor = await demo.visit("wasm", `&view=projector${SMALL}`);
  const { page } = visitor;
  for (const [name, testId] of [
    ["templates", "weights"],
    ["neuron", "playground-accuracy"],
    ["dropout", "loss-chart"],
    ["mistakes", "tab-confusion"],
    ["shift", "convolution-shifts-dense"],
    ["text", "text-vectors"],
  ] as const) {
    await open(visitor, name);
    await predict(visitor, 1);
    await page.getByTestId(testId).waitFor();
    // What has a canvas takes its new size in the next frame.
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBe(1280);
  }
  await visitor.click("leave-lesson");
  await page.getByTestId("text-vectors").waitFor({ state: "hidden" });
});
