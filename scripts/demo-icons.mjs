// `npm run demo:icons`: the PNGs of public/icon.svg, for systems that install the page and take no SVG.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { findBrowser, NO_BROWSER } from "./setup/browser.mjs";

const folder = fileURLToPath(new URL("../public", import.meta.url));
const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(NO_BROWSER);

const icons = [
  { name: "icon-192.png", size: 192 },
  { name: "icon-512.png", size: 512 },
  // iOS shows transparent pixels as black, and cuts off the corners.
  { name: "apple-touch-icon.png", size: 180, padding: 26, background: "#fff" },
];

const svg = readFileSync(join(folder, "icon.svg")).toString("base64");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const { name, size, padding = 0, background = "transparent" } of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(
    `<body style="margin: 0; background: ${background}"><img src="data:image/svg+xml;base64,${svg}"
      style="display: block; box-sizing: border-box; width: 100vw; height: 100vh; padding: ${padding}px" />`,
  );
  await page.locator("img").evaluate((image) => image.decode());
  const png = await page.screenshot({ omitBackground: true });
  writeFileSync(join(folder, name), png);
  console.log(`public/${name}: ${png.length} bytes`);
  await page.close();
}
await browser.close();
