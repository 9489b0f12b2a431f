import { expect, test } from "vitest";
import { consoleOf, openChromium } from "../package/chromium.ts";
import { serveSources } from "./sources.ts";

test("Chromium multiplies with relaxed SIMD, and loads its kernels only then", async () => {
  const [server, browser] = await Promise.all([serveSources("test/web/relaxed-simd-page.ts"), openChromium()]);
  try {
    const lines = await consoleOf(browser, server.resolvedUrls!.local[0]!, "Loaded");
    const [plain, relaxed, loaded] = lines.map(({ text }) => text) as [string, string, string];
    const [, ofPlain, filesBefore] = /^WebAssembly, 1 thread: (\S+) (\d+)$/.exec(plain)!;
    const [, ofRelaxed] = /^WebAssembly, 1 thread, relaxed SIMD: (\S+) 2$/.exec(relaxed)!;
    expect(filesBefore).toBe("1");
    // 16 · 2⁻²⁴ · √300 times the root of the mean square of an element, √300 / 3.
    for (const error of [ofPlain, ofRelaxed].map(Number)) {
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(1e-4);
    }
    expect(loaded).toBe("Loaded kernels.wasm, kernels-relaxed.wasm");
  } finally {
    await browser.close();
    await server.close();
  }
}, 300_000);
