/*
 * The choice of the page's device, and its service worker.
 */
import { describe, expect, test } from "vitest";
import { browserWithoutWebGPU, SMALL, useDemo, type Visitor } from "./demo.ts";

// One of the cores is reserved for the page itself.
const demo = useDemo({ cores: 3 });

const isIsolated = ({ page }: Visitor) => page.evaluate("crossOriginIsolated");

const untilInstalled = ({ page }: Visitor) => page.evaluate("navigator.serviceWorker.ready.then(() => {})");

/** The text of the loss at the third step after a reset. */
async function thirdLoss(visitor: Visitor): Promise<string> {
  await visitor.pause();
  await visitor.click("reset");
  for (let step = 1; step <= 3; step++) {
    await visitor.says("step-count", new RegExp(`^${step - 1}$`));
    await visitor.click("step");
  }
  await visitor.says("step-count", /^3$/);
  return visitor.text("train-loss");
}

test("WebAssembly has one thread on the first visit and more after a reload, even offline, with the same losses", async () => {
  const site = await demo.serveApart();
  const visitor = await demo.visit("wasm", SMALL, { site });
  await visitor.reaches("step-count", 3);
  expect(await visitor.text("backend")).toBe("CPU");
  expect(await visitor.text("adapter")).toBe("(WebAssembly, 1 thread)");
  const loss = await thirdLoss(visitor);
  await untilInstalled(visitor);
  // The page does not reload itself to become isolated.
  expect(await isIsolated(visitor)).toBe(false);
  expect(await visitor.text("step-count")).toBe("3");

  await visitor.page.reload();
  await visitor.reaches("step-count", 3);
  expect(await isIsolated(visitor)).toBe(true);
  expect(await visitor.text("adapter")).toBe("(WebAssembly, 2 threads)");
  expect(await thirdLoss(visitor)).toBe(loss);

  await site.close();
  await visitor.page.reload();
  await visitor.reaches("step-count", 3);
  expect(await visitor.text("adapter")).toBe("(WebAssembly, 2 threads)");
  expect(await thirdLoss(visitor)).toBe(loss);
});

test.each(["webgpu", "cpu"] as const)("the page works offline after it has loaded with ?device=%s", async (device) => {
  const site = await demo.serveApart();
  const visitor = await demo.visit(device, SMALL, { site });
  await visitor.reaches("step-count", 1);
  await untilInstalled(visitor);
  await site.close();
  await visitor.page.reload();
  await visitor.reaches("step-count", 1);
});

test.each(["webgpu", "wasm", "cpu"] as const)("?device=%s loads WebAssembly only if it is chosen", async (device) => {
  const site = await demo.serveApart();
  const visitor = await demo.visit(device, SMALL, { site, serviceWorker: false });
  await visitor.reaches("step-count", 1);
  const loaded = site.served.filter((path) => path.includes("wasm"));
  const kinds = loaded.map((path) => path.slice(path.lastIndexOf("."))).sort();
  expect(kinds).toEqual(device === "wasm" ? [".js", ".wasm"] : []);
});

describe("without a device in the address", () => {
  test("uses the CPU if WebGPU has only a software adapter, and says why", async () => {
    const visitor = await demo.visit("auto", SMALL);
    await visitor.reaches("step-count", 3);
    expect(await visitor.text("backend")).toBe("CPU");
    expect(await visitor.text("adapter")).toMatch(/^\(WebAssembly, /);
    expect(await visitor.text("cpu-reason")).toMatch(/^No GPU \(.*swiftshader.* is a software adapter\): /i);
  });

  test("uses the CPU if there is no WebGPU, and says why", async () => {
    const visitor = await demo.visit("auto", SMALL, { browser: await browserWithoutWebGPU() });
    await visitor.reaches("step-count", 20);
    expect(await visitor.text("backend")).toBe("CPU");
    expect(await visitor.text("cpu-reason")).toMatch(/^No GPU \(.+\): computing on the CPU/);
    // On a phone, the reason has the width of the window.
    await visitor.page.setViewportSize({ width: 390, height: 844 });
    const { x, width } = (await visitor.page.getByTestId("cpu-reason").boundingBox())!;
    expect([x, width]).toEqual([16, 358]);
  });
});

test("reports that ?device=webgpu found no adapter, and offers the CPU", async () => {
  const visitor = await demo.visit("webgpu", SMALL, { browser: await browserWithoutWebGPU() });
  await visitor.says("page-fault", /(no adapter was found|no navigator\.gpu).*hardware acceleration/);
  const text = await visitor.page.locator("body").innerText();
  expect(text).not.toMatch(/Preparing|npm/);
  expect(text).not.toContain("MNIST");
  await visitor.click("continue-on-cpu");
  await visitor.reaches("step-count", 3);
  expect(await visitor.page.getByTestId("page-fault").count()).toBe(0);
});
