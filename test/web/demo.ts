import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { vi } from "vitest";
import { noteErrors } from "./browser.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A new production build of the demo. */
export async function buildDemo(): Promise<{ folder: string; remove(): void }> {
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "wgrad-demo-"));
  const outDir = { outDir: folder, emptyOutDir: true };
  // Vitest sets another value, which would make this a build for tests.
  const { NODE_ENV } = process.env;
  process.env["NODE_ENV"] = "production";
  await build({ root, configFile: join(root, "vite.config.ts"), mode: "demo", logLevel: "error", build: outDir });
  process.env["NODE_ENV"] = NODE_ENV;
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** A small network and the built-in digits, so that training is fast on a software GPU. */
export const SMALL = "#digits?layers=32-relu&batch=32&rate=0.004&data=digits";

const WAIT = { timeout: 60_000, interval: 100 };

/** A visitor of the demo. */
export class Visitor {
  readonly page: Page;
  /** The errors and warnings on the console. */
  readonly errors: readonly string[];

  private constructor(page: Page) {
    this.page = page;
    this.errors = noteErrors(page);
  }

  static async arrive(
    browser: Browser,
    address: string,
    options: { dark?: boolean; width?: number } = {},
  ): Promise<Visitor> {
    const { dark = false, width = 1280 } = options;
    const context = await browser.newContext({
      colorScheme: dark ? "dark" : "light",
      viewport: { width, height: 800 },
    });
    const visitor = new Visitor(await context.newPage());
    await visitor.page.goto(address);
    return visitor;
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }

  async text(id: string): Promise<string> {
    return (await this.page.getByTestId(id).textContent()) ?? "";
  }

  async number(id: string): Promise<number> {
    return Number.parseFloat(await this.text(id));
  }

  click(id: string): Promise<void> {
    return this.page.getByTestId(id).click();
  }

  /** Waits until a number on the page is at least `least`. */
  async reaches(id: string, least: number): Promise<void> {
    await vi.waitFor(async () => {
      const now = await this.number(id);
      if (!(now >= least)) throw new Error(`${id} is ${now}, not ${least}`);
    }, WAIT);
  }

  async says(id: string, text: RegExp): Promise<void> {
    await vi.waitFor(async () => {
      const now = await this.text(id);
      if (!text.test(now)) throw new Error(`${id} says "${now}", not ${text}`);
    }, WAIT);
  }

  /** Waits until the address matches. */
  async goesTo(text: RegExp): Promise<void> {
    await vi.waitFor(() => {
      if (!text.test(this.page.url())) throw new Error(`the address is ${this.page.url()}, without ${text}`);
    }, WAIT);
  }

  /** Pauses, and waits until nothing is running. */
  async pause(): Promise<number> {
    await this.click("start");
    await this.says("start", /^Start$/);
    await this.page.locator("[data-testid=activity][data-activity=none]").waitFor({ state: "attached" });
    return this.number("step-count");
  }

  /** Draws strokes on the pad with the mouse. Coordinates are fractions of its side. */
  async draw(...strokes: (readonly [x: number, y: number])[][]): Promise<void> {
    const pad = this.page.getByTestId("draw-pad");
    await pad.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await pad.boundingBox())!;
    const { mouse } = this.page;
    for (const [first, ...others] of strokes) {
      await mouse.move(x + first![0] * width, y + first![1] * height);
      await mouse.down();
      for (const [left, top] of others) await mouse.move(x + left * width, y + top * height, { steps: 5 });
      await mouse.up();
    }
  }

  /** The text of the ten probabilities, once it no longer changes. */
  async probabilities(): Promise<string> {
    let [before, now] = ["", await this.text("probabilities")];
    while (before !== now) {
      await this.page.waitForTimeout(300);
      [before, now] = [now, await this.text("probabilities")];
    }
    return now;
  }

  /** The serious and critical violations that axe-core finds on the page. */
  async accessibilityFaults(): Promise<string[]> {
    const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(source);
    const { violations } = (await this.page.evaluate("axe.run()")) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
  }
}
