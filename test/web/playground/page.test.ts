import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loseDevice } from "../browser.ts";
import { useDemo, Visitor } from "../demo.ts";

const demo = useDemo();

const at = (name: string) => `playground-${name}`;

/** Checks a radio button, which its text covers. */
const choose = ({ page }: Visitor, name: string) => page.getByTestId(at(name)).check({ force: true });

/** Clicks the large picture. Coordinates are fractions of its width and height, from the top left. */
async function clickPicture({ page }: Visitor, x: number, y: number): Promise<void> {
  const canvas = page.getByTestId(at("surface"));
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
}

/** The difference of blue and red at a pixel of the large picture. */
const blueness = (page: Page, x: number, y: number) =>
  page.getByTestId(at("surface")).evaluate(
    (canvas, place) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const context = (canvas as HTMLCanvasElement).getContext("2d")!;
      const [red, , blue] = context.getImageData(place[0]! * width, place[1]! * height, 1, 1).data;
      return blue! - red!;
    },
    [x, y],
  );

async function addressHas({ page }: Visitor, part: string): Promise<void> {
  await expect.poll(() => page.url()).toContain(part);
}

/** A network and XOR data that are small enough for a software GPU. */
const XOR =
  "#playground?classify.data=xor&classify.noise=0&classify.count=60&classify.layers=8-tanh&classify.learningRate=0.03";

describe("a visitor of the Playground tab", () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await demo.arrive("webgpu", XOR);
  });
  afterAll(() => visitor.leave());

  test("sees the network learn XOR without a click, and the classes in the colors of the picture", async () => {
    await visitor.reaches(at("accuracy"), 100);
    await visitor.pause(at(""));
    // Class 1 is blue, where the signs of x and y differ. No points are in the corners.
    expect(await blueness(visitor.page, 0.03, 0.03)).toBeGreaterThan(30);
    expect(await blueness(visitor.page, 0.97, 0.97)).toBeGreaterThan(30);
    expect(await blueness(visitor.page, 0.97, 0.03)).toBeLessThan(-30);
  });

  test("points at a unit, which the large picture then shows, and moves to others with the keyboard", async () => {
    const { page } = visitor;
    const surface = page.getByTestId(at("surface"));
    const output = await blueness(page, 0.03, 0.03);
    await page.getByTestId(at("unit-0-0")).hover();
    await expect.poll(() => surface.getAttribute("aria-label")).toMatch(/^Input x over the input space/);
    // x is positive on the right and negative on the left, also where the output is above one half.
    await expect.poll(() => blueness(page, 0.97, 0.03)).toBeGreaterThan(100);
    expect(await blueness(page, 0.03, 0.03)).toBeLessThan(-100);
    await page.mouse.move(0, 0);
    await expect.poll(() => blueness(page, 0.03, 0.03)).toBe(output);
    await page.getByTestId(at("unit-0-0")).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await expect
      .poll(() => surface.getAttribute("aria-label"))
      .toMatch(/^Unit 2 of hidden layer 1 over the input space/);
    expect(await visitor.text(at("unit"))).toMatch(
      /^Unit 2 of hidden layer 1\. Its weights: −?[\d.]+, −?[\d.]+\. Its bias: −?[\d.]+$/,
    );
    // An edge of a large weight ends at the output.
    const inked = await page.getByTestId(at("edges")).evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
    });
    expect(inked).toBeGreaterThan(0.03);
    // The focus leaves the unit, so that the picture shows the output again.
    await page.getByTestId(at("start")).focus();
    await expect.poll(() => surface.getAttribute("aria-label")).toMatch(/^60 points of two classes/);
    await visitor.painted();
  });

  test("shows the test points, and classes only", async () => {
    const { page } = visitor;
    const surface = page.getByTestId(at("surface"));
    const pixels = () => surface.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const plain = await pixels();
    await page.getByTestId(at("test-points")).check();
    await addressHas(visitor, "test=yes");
    await expect.poll(pixels).not.toBe(plain);
    await page.getByTestId(at("test-points")).uncheck();
    await expect.poll(pixels).toBe(plain);
    // In the corners, a class is as certain as it can be; near the axes, only after it was discretized.
    const probable = await blueness(page, 0.47, 0.3);
    await page.getByTestId(at("discretized")).check();
    await expect.poll(() => blueness(page, 0.47, 0.3)).not.toBe(probable);
    expect(await blueness(page, 0.45, 0.25)).toBe(await blueness(page, 0.03, 0.03));
    await page.getByTestId(at("discretized")).uncheck();
  });

  test("runs a step and resets to the same loss, also with keys", async () => {
    const held = await visitor.number(at("step-count"));
    // A training that still ran would make steps in this time.
    await visitor.page.waitForTimeout(500);
    expect(await visitor.number(at("step-count"))).toBe(held);
    await visitor.click(at("step"));
    await visitor.says(at("step-count"), new RegExp(`^${held + 1}$`));
    await visitor.click(at("reset"));
    await visitor.says(at("step-count"), /^0$/);
    const first = await visitor.text(at("loss"));
    await visitor.page.locator("h1").click();
    const { keyboard } = visitor.page;
    await keyboard.press("s");
    await visitor.says(at("step-count"), /^1$/);
    expect(await visitor.text(at("loss"))).not.toBe(first);
    await keyboard.press("r");
    await visitor.says(at("step-count"), /^0$/);
    expect(await visitor.text(at("loss"))).toBe(first);
    await keyboard.press(" ");
    await visitor.reaches(at("step-count"), 3);
    await keyboard.press(" ");
    await visitor.says(at("start"), /^Start$/);
  });

  test("adds points by click and by coordinates, edits layers, and the address contains all of it", async () => {
    const { page } = visitor;
    await clickPicture(visitor, 0.75, 0.25);
    await addressHas(visitor, "classify.points=");
    const [x, y, label] = /classify\.points=([^&]*)/.exec(page.url())![1]!.split("_").map(Number);
    // Three quarters of −1.25 … 1.25, to two pixels of about 500.
    expect(Math.abs(x! - 0.625)).toBeLessThan(0.01);
    expect(Math.abs(y! - 0.625)).toBeLessThan(0.01);
    expect(label).toBe(0);
    await choose(visitor, "class-1");
    await page.getByTestId(at("point-x")).fill("-0.5");
    await page.getByTestId(at("point-y")).fill("0.25");
    await page.getByTestId(at("point-y")).press("Enter");
    await addressHas(visitor, "*-0.5_0.25_1");
    await page.getByTestId(at("layer-0-units")).fill("3");
    await visitor.click(at("add-layer"));
    await page.getByTestId(at("layer-1-activation")).selectOption("relu");
    await addressHas(visitor, "classify.layers=3-tanh_3-relu");
    // The same address on WebAssembly, which starts faster than a software GPU.
    const other = await Visitor.arrive(demo.browser, page.url().replace("device=webgpu", "device=wasm"));
    await other.reaches(at("step-count"), 1);
    const value = (id: string) => other.page.getByTestId(at(id)).inputValue();
    // The address has half the number of points.
    expect(await Promise.all(["layer-0-units", "layer-1-activation", "count"].map(value))).toEqual([
      "3",
      "relu",
      "120",
    ]);
    expect(await other.page.getByTestId(at("dataset-xor")).isChecked()).toBe(true);
    await expect
      .poll(() => other.page.getByTestId(at("surface")).getAttribute("aria-label"))
      .toMatch(/^62 points of two classes/);
    expect(other.errors).toEqual([]);
    await other.leave();
    await visitor.click(at("remove-points"));
    await addressHas(visitor, "classify.data=own");
    await page.getByText("Click or tap to add points").waitFor();
  });

  test("fits a curve, gets an error for a too high learning rate, and trains again with a lower one", async () => {
    const { page } = visitor;
    await choose(visitor, "mode-regress");
    await visitor.says(at("loss"), /^0\.\d{4}$/);
    const first = await visitor.number(at("loss"));
    await page.getByTestId(at("learning-rate")).fill("0.03");
    await visitor.click(at("start"));
    await visitor.reaches(at("step-count"), 150);
    expect(await visitor.number(at("loss"))).toBeLessThan(first / 3);
    await page.getByTestId(at("optimizer")).selectOption("sgd");
    await page.getByTestId(at("layer-0-activation")).selectOption("identity");
    await page.getByTestId(at("layer-1-activation")).selectOption("identity");
    const box = await page.getByTestId(at("surface")).boundingBox();
    await page.getByTestId(at("learning-rate")).fill("3");
    await visitor.says(at("message"), /the learning rate is too high/);
    // A message moves nothing.
    expect(await page.getByTestId(at("surface")).boundingBox()).toEqual(box);
    await visitor.says(at("start"), /^Start$/);
    await page.getByTestId(at("learning-rate")).fill("0.01");
    // The weights are not finite, so it starts over.
    await visitor.says(at("step-count"), /^0$/);
    await visitor.click(at("start"));
    await visitor.reaches(at("step-count"), 20);
    expect(await visitor.number(at("loss"))).toBeLessThan(1);
  });

  test("watches a neuron until its line separates the classes, and a descent from the clicked point", async () => {
    const { page } = visitor;
    await choose(visitor, "mode-neuron");
    await page.getByTestId(at("speed")).selectOption("100");
    await visitor.reaches(at("accuracy"), 100);
    expect(await visitor.text(at("weights"))).toMatch(/^w₁−?\d\.\d{4}w₂−?\d\.\d{4}b−?\d\.\d{4}$/);
    await choose(visitor, "mode-surface");
    await visitor.reaches(at("step-count"), 1);
    await clickPicture(visitor, 0.1, 0.9);
    await addressHas(visitor, "surface.start=-0.");
    await page.getByTestId(at("speed")).selectOption("30");
    await visitor.reaches(at("step-count"), 60);
    // Noise of 0.2 leaves a mean squared error of about 0.04.
    expect(await visitor.number(at("loss"))).toBeLessThan(0.1);
  });

  test("loses the GPU during training, and training continues", async () => {
    await loseDevice(visitor.page);
    await visitor.says(at("message"), /and replaced\. Training continues/);
    await visitor.reaches(at("step-count"), (await visitor.number(at("step-count"))) + 5);
  });

  test("has seen no console error", () => {
    expect(visitor.errors).toEqual([]);
  });
});

test.each(["wasm", "cpu"] as const)("trains on the CPU with ?device=%s", async (device) => {
  const visitor = await demo.visit(device, XOR);
  await visitor.reaches(at("accuracy"), 100);
  expect(await visitor.text("backend")).toBe("CPU");
});

describe("a visitor who changes the network at its diagram", () => {
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    visitor = await demo.arrive(
      "wasm",
      "#playground?classify.data=xor&classify.noise=0&classify.count=60&classify.layers=none&classify.learningRate=0.1",
      { dark: true, width: 390 },
    );
    page = visitor.page;
  });
  afterAll(() => visitor.leave());

  test("adds the product of both inputs, with which one unit separates XOR, and takes another away by key", async () => {
    await visitor.reaches(at("epoch"), 20);
    // A straight line has at most three of the four quadrants on its sides.
    expect(await visitor.number(at("accuracy"))).toBeLessThan(80);
    const product = page.getByTestId(at("unit-0-4"));
    expect(await product.getAttribute("aria-pressed")).toBe("false");
    await product.click();
    await addressHas(visitor, "classify.features=x_y_xy");
    expect(await product.getAttribute("aria-pressed")).toBe("true");
    await visitor.reaches(at("accuracy"), 100);
    await page.getByTestId(at("unit-0-1")).focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await addressHas(visitor, "classify.features=y_xy");
    await page.getByTestId(at("unit-0-1")).click();
    await addressHas(visitor, "classify.features=xy");
    // The last input stays.
    await product.click();
    expect(await visitor.text(at("unit"))).toBe("Input xy of each point. A network needs at least one input.");
    await visitor.reaches(at("accuracy"), 100);
  });

  test("sets the weight of the only edge, which turns the colors around, and the bias by key", async () => {
    await visitor.pause(at(""));
    expect(await blueness(page, 0.03, 0.03)).toBeGreaterThan(20);
    const edges = page.getByTestId(at("edges"));
    await edges.scrollIntoViewIfNeeded();
    // From the fifth of seven inputs to the output: halfway, it is half a row below the middle of the diagram.
    const { x, y, width, height } = (await edges.boundingBox())!;
    await page.mouse.click(x + width / 2, y + height / 2 + height / 14);
    expect(await page.getByTestId(at("parameter")).inputValue()).toBe("0");
    expect(await visitor.accessibilityFaults()).toEqual([]);
    await page.keyboard.type("20");
    await page.keyboard.press("Enter");
    await page.getByText("Value (now 20.0000)").waitFor();
    await expect.poll(() => blueness(page, 0.03, 0.03)).toBeLessThan(-20);
    await page.keyboard.press("Escape");
    expect(await page.getByTestId(at("set-parameter")).count()).toBe(0);
    // The output has the focus. With a large bias, all is class 1.
    await page.keyboard.press("Enter");
    await page.locator(`[data-testid=${at("parameter-value")}]:focus`).waitFor();
    await page.keyboard.type("99");
    await page.keyboard.press("Enter");
    await expect.poll(() => blueness(page, 0.03, 0.03)).toBeGreaterThan(20);
    expect(await visitor.text(at("unit"))).toBe("Output. Its weights: 20.0000. Its bias: 99.0000");
    // Another parameter of the unit; the choice keeps the focus.
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator(`[data-testid=${at("parameter")}]:focus`).inputValue()).toBe("0");
    expect(await page.getByTestId(at("parameter-value")).inputValue()).toBe("20");
    await page.keyboard.press("Escape");
  });

  test("adds and removes layers and units", async () => {
    await visitor.click(at("add-layer"));
    await visitor.click(at("layer-0-more"));
    await visitor.click(at("layer-0-more"));
    await visitor.click(at("add-layer"));
    await visitor.click(at("layer-1-fewer"));
    await addressHas(visitor, "classify.layers=6-tanh_5-tanh");
    expect(await page.locator("[id^=playground-unit-2]").count()).toBe(5);
    await visitor.click(at("remove-layer"));
    await visitor.click(at("remove-layer"));
    await addressHas(visitor, "classify.layers=none");
    expect(await page.getByTestId(at("remove-layer")).isDisabled()).toBe(true);
  });

  test("sees L1 set a weight to 0, and fewer test points after a change of the share", async () => {
    await page.getByTestId(at("regularization")).selectOption("l1");
    await page.getByTestId(at("regularization-rate")).selectOption("3");
    await addressHas(visitor, "classify.regularization=l1&classify.regularizationRate=3");
    await visitor.click(at("start"));
    await page.getByTestId(at("unit-1-0")).focus();
    await visitor.says(at("unit"), /^Output\. Its weights: 0\.0000\. Its bias: /);
    await page.getByTestId(at("training-share")).fill("90");
    expect(await page.locator("label", { has: page.getByTestId(at("training-share")) }).innerText()).toBe(
      "Training points 90 %",
    );
    await expect
      .poll(() => page.getByTestId(at("surface")).getAttribute("aria-label"))
      .toMatch(/^108 points of two classes/);
    await choose(visitor, "dataset-spirals");
    await addressHas(visitor, "classify.data=spirals");
    await visitor.openExpert();
    const before = await page.getByTestId(at("seed")).inputValue();
    await visitor.click(at("new-data"));
    expect(await page.getByTestId(at("seed")).inputValue()).toBe(String(Number(before) + 1));
    expect(visitor.errors).toEqual([]);
  });
});

test.each([
  ["classify", { dark: false }],
  ["regress", { dark: true, width: 320 }],
  ["neuron", { dark: true, width: 390 }],
  ["surface", { dark: false, width: 2560 }],
])("has no accessibility violation in mode %s, and is no wider than the window", async (mode, options) => {
  const visitor = await demo.visit("wasm", `#playground?mode=${mode}`, options);
  await visitor.reaches(at("step-count"), 1);
  expect(await visitor.accessibilityFaults()).toEqual([]);
  const [wide, window] = (await visitor.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as [
    number,
    number,
  ];
  expect(wide).toBeLessThanOrEqual(window);
});
