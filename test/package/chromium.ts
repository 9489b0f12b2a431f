import { chromium, type Browser } from "playwright-core";

/** Starts Chromium with WebGPU on SwiftShader, its software adapter. CHROMIUM may name another binary than Debian's. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface ConsoleLine {
  /** The level, such as "log" or "warning"; "error" includes uncaught errors. */
  readonly type: string;
  readonly text: string;
}

/**
 * Collects what a page and its workers write to the console until a line that starts with `last`, or an error.
 * @param url the page's address
 */
export async function consoleOf(browser: Browser, url: string, last: string): Promise<ConsoleLine[]> {
  const page = await browser.newPage();
  try {
    return await new Promise<ConsoleLine[]>((resolve, reject) => {
      const lines: ConsoleLine[] = [];
      const note = (line: ConsoleLine) => {
        if (line.type !== "debug") lines.push(line);
        if (line.text.startsWith(last) || line.type === "error") resolve(lines);
      };
      page.on("console", (message) => note({ type: message.type(), text: message.text() }));
      page.on("pageerror", ({ message }) => note({ type: "error", text: message }));
      page.goto(url).catch(reject);
    });
  } finally {
    await page.close();
  }
}
