import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LARGEST_KILOBYTES } from "../../../scripts/demo/plugins.ts";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { builtInDigits } from "../../../src/data/digits.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { createEvaluator } from "../../../src/train/index.ts";
import { writeIdx } from "../../data/idx-files.ts";
import { loseDevice } from "../browser.ts";
import { SMALL, useDemo, type Visitor } from "../demo.ts";

const demo = useDemo();

/** A 1, drawn slightly slanted and off center. */
const ONE: (readonly [x: number, y: number])[] = [
  [0.62, 0.2],
  [0.58, 0.5],
  [0.55, 0.82],
];
const drawOne = (visitor: Visitor) => visitor.draw(ONE);

/** The accuracy of a saved network on the page's test set, computed in Node on the CPU. */
async function accuracyInNode(file: string): Promise<number> {
  const { model, normalization, loss } = await loadModelFile(file);
  const backend = createCpuBackend();
  const evaluator = createEvaluator({ model, normalization, loss, backend, session: backend.createSession() });
  const { test: held } = builtInDigits({ train: 5000, test: 500 });
  return (await evaluator.evaluate(held)).accuracy;
}

describe("a visitor of the Digits tab", () => {
  let visitor: Visitor;
  beforeAll(async () => {
    visitor = await demo.arrive("webgpu", SMALL);
  });
  afterAll(() => visitor.leave());

  test("sees the network train on the GPU without a click, to a test accuracy of 90 %", async () => {
    await visitor.reaches("test-accuracy", 90);
    expect(await visitor.text("backend")).toBe("WebGPU");
    expect(await visitor.text("adapter")).toMatch(/swiftshader/i);
    expect(await visitor.text("data")).toMatch(
      /^built-in digits: 5,000 training images, 500 test images, 25,450 parameters/,
    );
    expect(await visitor.number("train-loss")).toBeLessThan(1.5);
  });

  test("pauses training, and runs a single step", async () => {
    const paused = await visitor.pause();
    expect(paused).toBeGreaterThan(0);
    await visitor.page.waitForTimeout(1000);
    expect(await visitor.number("step-count")).toBe(paused);
    await visitor.click("step");
    await visitor.reaches("step-count", paused + 1);
    await visitor.page.waitForTimeout(500);
    expect(await visitor.number("step-count")).toBe(paused + 1);
    expect(await visitor.text("start")).toBe("Start");
  });

  test("draws a 1 that the network recognizes, saves the network, and gets the same prediction after a reload", async () => {
    await drawOne(visitor);
    await visitor.says("prediction", /^1$/);
    const before = await visitor.probabilities();
    expect(await visitor.text("hidden")).toMatch(/Hidden layer 1: \d+ of 32 outputs are positive/);
    const download = visitor.page.waitForEvent("download");
    await visitor.click("save");
    const file = join(demo.folder, "kept.safetensors");
    await (await download).saveAs(file);
    const accuracy = `${(100 * (await accuracyInNode(file))).toFixed(1)} %`;
    // On a slow device, 100 images are evaluated during training, and all of them some time after it pauses.
    await expect.poll(() => visitor.text("test-accuracy")).toBe(accuracy);

    await visitor.page.reload();
    await visitor.reaches("step-count", 1);
    await visitor.page.getByTestId("load").setInputFiles(file);
    await visitor.says("data", /from kept\.safetensors$/);
    await visitor.says("start", /^Start$/);
    expect(await visitor.number("step-count")).toBe(0);
    await expect.poll(() => visitor.text("test-accuracy")).toBe(accuracy);
    await drawOne(visitor);
    await visitor.says("prediction", /^1$/);
    expect(await visitor.probabilities()).toBe(before);
  });

  test("gets an error for a file that is not a network, and keeps the current one", async () => {
    const before = await visitor.probabilities();
    const file = join(demo.folder, "letter.txt");
    writeFileSync(file, "Dear network");
    await visitor.page.getByTestId("load").setInputFiles(file);
    await visitor.says("fault", /letter\.txt/);
    expect(await visitor.text("data")).toMatch(/from kept\.safetensors$/);
    expect(await visitor.probabilities()).toBe(before);
  });

  test("resets, and training starts again with the same first loss", async () => {
    const firstLoss = async () => {
      await visitor.click("reset");
      await visitor.says("step-count", /^0$/);
      await visitor.says("train-loss", /^–$/);
      await visitor.click("step");
      await visitor.says("step-count", /^1$/);
      return visitor.text("train-loss");
    };
    const first = await firstLoss();
    expect(Number(first)).toBeGreaterThan(1);
    await visitor.click("step");
    await visitor.says("step-count", /^2$/);
    expect(await visitor.text("train-loss")).not.toBe(first);
    expect(await firstLoss()).toBe(first);
  });

  test("uses keys for start, step and reset outside text fields", async () => {
    const { keyboard } = visitor.page;
    await visitor.page.locator("h1").click();
    await keyboard.press("s");
    await visitor.says("step-count", /^2$/);
    await keyboard.press(" ");
    await visitor.says("start", /^Pause$/);
    await visitor.reaches("step-count", 3);
    await keyboard.press(" ");
    await visitor.says("start", /^Start$/);
    await keyboard.press("r");
    await visitor.says("step-count", /^0$/);
    await visitor.openExpert();
    await visitor.page.getByTestId("seed").focus();
    await keyboard.press("s");
    await visitor.page.waitForTimeout(300);
    expect(await visitor.text("step-count")).toBe("0");
  });

  test("changes options without a restart, and restarts with another network", async () => {
    await visitor.click("step");
    await visitor.says("step-count", /^1$/);
    await visitor.page.getByTestId("learning-rate").fill("0.005");
    await visitor.goesTo(/rate=0\.005/);
    expect(await visitor.text("step-count")).toBe("1");
    await visitor.page.getByTestId("width-0").fill("24");
    await visitor.says("data", /19,090 parameters/);
    await visitor.goesTo(/layers=24-relu/);
    expect(await visitor.text("step-count")).toBe("0");
  });

  test("loses the GPU during training, and training continues", async () => {
    await visitor.click("start");
    await visitor.reaches("step-count", 5);
    await loseDevice(visitor.page);
    await visitor.says("notice", /^The device was lost and replaced\. Training continues from step \d+\./);
    const step = await visitor.number("step-count");
    await visitor.reaches("step-count", step + 10);
    expect(await visitor.text("backend")).toBe("WebGPU");
    expect(await visitor.page.getByTestId("fault").count()).toBe(0);
  });

  test("leaves the tab, where training pauses until the visitor returns", async () => {
    await visitor.click("tab-playground");
    expect(await visitor.page.getByTestId("step-count").count()).toBe(0);
    await visitor.goesTo(/#playground/);
    await visitor.click("tab-digits");
    const step = await visitor.number("step-count");
    await visitor.reaches("step-count", step + 5);
    await visitor.pause();
  });

  test("views mistakes, a comparison of the devices and the list of dispatches", async () => {
    await visitor.click("tab-confusion");
    const confusion = () => visitor.page.locator("[data-testid=confusion] button").allTextContents();
    // On a slow device, 100 images are evaluated during training, and all of them when it pauses.
    await expect.poll(async () => (await confusion()).reduce((sum, text) => sum + Number(text), 0)).toBe(500);
    const cells = await confusion();
    const busiest = cells.map(Number).reduce((best, count, index, all) => (count > all[best]! ? index : best), 0);
    await visitor.page.locator("[data-testid=confusion] button").nth(busiest).click();
    await visitor.page.getByTestId("cell-pictures").waitFor();

    await visitor.click("tab-comparison");
    await visitor.click("compare");
    // Rounding differs by about 1e-7 of the loss, and Adam divides small gradients by their size: over 30 steps the curves
    // of the same training differ by less than a thousandth.
    await visitor.says("largest-difference", /^(0|\d\.\de-[4-9])$/);
    for (const device of ["webgpu", "wasm", "cpu"]) {
      expect(await visitor.text(`compared-${device}`)).toMatch(/^[1-9][\d,]*$/);
    }
    expect(await visitor.text("speed-ratio")).toMatch(/^[\d.]+ ×$/);

    await visitor.click("tab-dispatches");
    const table = visitor.page.getByTestId("dispatches");
    await table.waitFor();
    const kernels = await table.locator("tbody td:first-child").allTextContents();
    expect(kernels).toHaveLength(7);
    expect(kernels[0]).toMatch(/^matmul/);
    await visitor.click("profile");
    await table.locator("th", { hasText: "µs" }).waitFor();
  });

  test("has seen no console error and no missing file", () => {
    expect(visitor.errors).toEqual([]);
    expect(demo.site.missing).toEqual([]);
  });
});

test("restores the whole state from an address", async () => {
  const hash =
    "#digits?layers=20-tanh-0.1,12-sigmoid&loss=meanSquaredError&optimizer=momentum&rate=0.02&schedule=step&batch=16" +
    "&epochs=3&seed=7&data=digits&axis=time&scale=log";
  const visitor = await demo.visit("wasm", hash);
  await visitor.reaches("step-count", 1);
  const value = (id: string) => visitor.page.getByTestId(id).inputValue();
  const ids = [
    "width-0",
    "width-1",
    "loss",
    "optimizer",
    "learning-rate",
    "schedule",
    "batch-size",
    "epochs",
    "seed",
    "data-choice",
    "axis",
  ];
  expect(await Promise.all(ids.map(value))).toEqual([
    "20",
    "12",
    "meanSquaredError",
    "momentum",
    "0.02",
    "step",
    "16",
    "3",
    "7",
    "digits",
    "time",
  ]);
  expect(await visitor.page.getByTestId("log-scale").isChecked()).toBe(true);
  await visitor.page.waitForTimeout(500);
  expect(new URL(visitor.page.url()).hash).toBe(hash);
  await visitor.page.evaluate("location.hash = '#digits?batch=0&seed=5&data=digits'");
  await visitor.says("notice", /batch=0/);
  await expect.poll(() => value("seed")).toBe("5");
});

test("stops and reports training that diverges, and a reset starts it again", async () => {
  const visitor = await demo.visit(
    "webgpu",
    "#digits?layers=16-relu&batch=32&loss=halfSumOfSquares&optimizer=sgd&rate=10&data=digits",
  );
  await visitor.says(
    "fault",
    /the loss at step \d+ is (NaN|Infinity|-Infinity)\. Choose a lower learning rate and reset\./,
  );
  await visitor.says("start", /^Start$/);
  await visitor.page.getByTestId("learning-rate").fill("0.01");
  await visitor.click("reset");
  await visitor.says("step-count", /^0$/);
  await visitor.click("start");
  await visitor.reaches("step-count", 10);
  expect(await visitor.page.getByTestId("fault").count()).toBe(0);
  expect(await visitor.number("train-loss")).toBeGreaterThan(0);
});

test("starts training on the Digits tab when it is first shown, if the address names the other tab", async () => {
  const visitor = await demo.visit("webgpu", "#playground");
  await visitor.says("backend", /^WebGPU$/);
  expect(await visitor.page.getByTestId("step-count").count()).toBe(0);
  await visitor.click("tab-digits");
  await visitor.reaches("step-count", 2);
});

test.each([
  { dark: false, width: 1280 },
  { dark: true, width: 390 },
])("has no accessibility violation: %j", async (options) => {
  const visitor = await demo.visit("wasm", SMALL, options);
  await visitor.reaches("step-count", 2);
  await visitor.pause();
  await drawOne(visitor);
  await visitor.page.getByTestId("prediction").waitFor();
  expect(await visitor.page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(options.width);
  for (const look of ["weights", "confusion", "comparison", "dispatches"]) {
    await visitor.click(`tab-${look}`);
    if (look === "comparison") {
      await visitor.click("compare");
      await visitor.page.getByTestId("speed-ratio").waitFor();
    }
    // The rest of the page stays the same.
    expect(await visitor.accessibilityFaults(look === "weights" ? undefined : ".look")).toEqual([]);
  }
  await visitor.click("tab-playground");
  expect(await visitor.accessibilityFaults()).toEqual([]);
});

test("loads little JavaScript on a first visit, and the code of another tab when it is opened", async () => {
  const site = await demo.serveApart();
  const visitor = await demo.visit("webgpu", SMALL, { site, serviceWorker: false });
  await visitor.reaches("test-accuracy", 10);
  const scripts = () => [...new Set(site.served)].filter((path) => path.endsWith(".js"));
  const first = scripts();
  const filesOf = (paths: readonly string[]) => paths.map((path) => readFileSync(join(demo.folder, path)));
  // The browser's adapter is SwiftShader, which alone needs the products of separate variables.
  const onGpus = first.filter((path) => !path.includes("/webgpu-variables-"));
  expect(onGpus).toHaveLength(first.length - 1);
  const loaded = filesOf(onGpus.map((path) => path.replace("/some/where/", "")));
  // What is loaded beside that on a GPU.
  const ofGpus = readdirSync(join(demo.folder, "assets"))
    .filter((name) => name.startsWith("webgpu-registers-") && loaded.some((text) => text.includes(name)))
    .map((name) => `assets/${name}`);
  expect(ofGpus).toHaveLength(1);
  const sizes = [...loaded, ...filesOf(ofGpus)].map((text) => gzipSync(text).length);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`JavaScript of a first visit on a GPU: ${bytes} bytes gzipped`);
  expect(bytes).toBeLessThan(1000 * LARGEST_KILOBYTES);
  await visitor.click("tab-playground");
  await visitor.reaches("playground-step-count", 2);
  expect(scripts().length).toBeGreaterThan(first.length + 1);
});

test("uses MNIST if its files are beside the page", async () => {
  const { train, test: held } = builtInDigits({ train: 300, test: 60 });
  const files = {
    "train-images-idx3-ubyte.gz": gzipSync(writeIdx([300, 28, 28], train.features as Uint8Array)),
    "train-labels-idx1-ubyte.gz": gzipSync(writeIdx([300], Uint8Array.from(train.labels))),
    "t10k-images-idx3-ubyte": writeIdx([60, 28, 28], held.features as Uint8Array),
    "t10k-labels-idx1-ubyte": writeIdx([60], Uint8Array.from(held.labels)),
  };
  mkdirSync(join(demo.folder, "mnist"), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(demo.folder, "mnist", name), bytes);
  writeFileSync(join(demo.folder, "mnist", "files.json"), JSON.stringify(Object.keys(files)));
  const visitor = await demo.visit("webgpu", "#digits?layers=16-relu&batch=32");
  await visitor.says("data", /^MNIST: 300 training images, 60 test images/);
  await visitor.reaches("step-count", 2);
});
