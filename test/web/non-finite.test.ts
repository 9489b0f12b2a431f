/*
 * NaN and infinities in a browser on SwiftShader, whose compiler differs from lavapipe's.
 */
import { expect, test } from "vitest";
import { consoleOf, openChromium } from "../package/chromium.ts";
import { serveSources } from "./sources.ts";

test("every op gives PyTorch's results for NaN and infinities on SwiftShader", async () => {
  const [server, browser] = await Promise.all([serveSources("test/web/non-finite-page.ts"), openChromium()]);
  try {
    const lines = await consoleOf(browser, server.resolvedUrls!.local[0]!, "Compared on");
    expect(lines.map(({ text }) => text).filter((text) => !text.startsWith("Compared on"))).toEqual([]);
    expect(lines.at(-1)!.text).toMatch(/SwiftShader/i);
  } finally {
    await browser.close();
    await server.close();
  }
}, 300_000);
