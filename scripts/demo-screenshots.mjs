// `npm run demo:screenshots`: pictures of the built demo's tabs for the README, light and dark, wide and narrow, in docs, and one for
// links to the page, in public. Names of tabs after `--` choose among them.
// They are PNGs of 256 colours, so that each stays small. It also says how long the page itself was busy meanwhile.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { findBrowser, NO_BROWSER } from "./setup/browser.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(NO_BROWSER);

const tabs = {
  digits: async (page) => {
    await reached(page, "step-count", 300);
    await reached(page, "test-accuracy", 93);
    await page.waitForTimeout(3000);
  },
  playground: async (page) => page.waitForTimeout(15_000),
  convolution: async (page) => {
    await reached(page, "convolution-step-count", 300);
    await page.waitForTimeout(3000);
  },
  text: async (page) => reached(page, "text-exact", 80),
};

/** Waits until a number of the page is large enough. */
const reached = (page, testId, least) =>
  page.waitForFunction(`parseFloat(document.querySelector("[data-testid=${testId}]")?.textContent) >= ${least}`, null, {
    timeout: 600_000,
  });

/** Runs in the page before all else: notes each task of its own thread that takes more than 50 ms. */
const noteLongTasks = () => {
  const noted = (globalThis.longTasks = []);
  new PerformanceObserver((list) => noted.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: "longtask",
  });
};

const site = await preview({
  root,
  configFile: join(root, "vite.config.ts"),
  mode: "demo",
  logLevel: "error",
  preview: { port: 0 },
});
const address = `http://localhost:${site.httpServer.address().port}/`;
const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--disable-quic"];
const browser = await chromium.launch({ executablePath, args });
const wanted = process.argv.slice(2);
for (const [tab, prepare] of Object.entries(tabs)) {
  if (wanted.length > 0 && !wanted.includes(tab)) continue;
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height } });
      const page = await context.newPage();
      await page.addInitScript(noteLongTasks);
      // WebAssembly, since a software GPU trains more slowly.
      await page.goto(`${address}?device=wasm#${tab}`);
      await prepare(page);
      const longTasks = await page.evaluate("longTasks");
      const small = await reduced(page, await page.screenshot());
      const name = `demo-${tab}-${colorScheme}-${width}.png`;
      writeFileSync(join(root, "docs", name), small);
      const busy = longTasks.length === 0 ? "none" : `${longTasks.length}, the longest ${Math.max(...longTasks)} ms`;
      console.log(`docs/${name}: ${Math.round(small.length / 1000)} KB; tasks of the page over 50 ms: ${busy}`);
      await context.close();
    }
  }
}
// The picture for links to the page.
const shared = await browser.newPage({ colorScheme: "light", viewport: { width: 1200, height: 630 } });
await shared.goto(`${address}?device=wasm#digits`);
await tabs.digits(shared);
writeFileSync(join(root, "public", "share.png"), await reduced(shared, await shared.screenshot()));
await browser.close();
await site.close();

/** The same picture with the 256 colours that it has most of, as a PNG of one byte a pixel. */
async function reduced(page, png) {
  const { width, height, palette, indices } = await page.evaluate(indexed, png.toString("base64"));
  const rows = Buffer.alloc((width + 1) * height);
  const pixels = Buffer.from(indices, "base64");
  for (let row = 0; row < height; row++) pixels.copy(rows, row * (width + 1) + 1, row * width, (row + 1) * width);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits a pixel, from a palette.
  header.set([8, 3, 0, 0, 0], 8);
  const parts = [
    ["IHDR", header],
    ["PLTE", Buffer.from(palette)],
    ["IDAT", deflateSync(rows, { level: 9 })],
    ["IEND", Buffer.alloc(0)],
  ];
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    ...parts.map(([type, data]) => chunk(type, data)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Runs in the page: colours in steps of 8, then the commonest ones, and for each pixel the nearest of these. */
async function indexed(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const keyAt = (place) =>
    ((data[4 * place] >> 3) << 10) | ((data[4 * place + 1] >> 3) << 5) | (data[4 * place + 2] >> 3);
  const found = new Map();
  for (let place = 0; place < width * height; place++) {
    const key = keyAt(place);
    const colour = found.get(key) ?? { key, count: 0, rgb: [...data.subarray(4 * place, 4 * place + 3)] };
    colour.count++;
    found.set(key, colour);
  }
  const kept = [...found.values()].sort((a, b) => b.count - a.count).slice(0, 256);
  const distance = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  for (const colour of found.values()) {
    let best = 0;
    for (let index = 1; index < kept.length; index++) {
      if (distance(kept[index].rgb, colour.rgb) < distance(kept[best].rgb, colour.rgb)) best = index;
    }
    colour.index = best;
  }
  const indices = new Uint8Array(width * height);
  for (let place = 0; place < indices.length; place++) indices[place] = found.get(keyAt(place)).index;
  let text = "";
  for (let start = 0; start < indices.length; start += 8192)
    text += String.fromCharCode(...indices.subarray(start, start + 8192));
  return { width, height, palette: kept.flatMap(({ rgb }) => rgb), indices: btoa(text) };
}
