import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished, vi } from "vitest";
import type { DeviceChoice } from "../../src/index.ts";
import { builtPages } from "../builds.ts";
import { launchBrowser, noteErrors, serve, type ServeOptions, type Site } from "./browser.ts";

/** The built demo on a static server, and a browser, shared by the tests of a file. */
export class Demo {
  /** The folder of the served page. */
  folder!: string;
  site!: Site;
  /** A browser with WebGPU on a software adapter. */
  browser!: Browser;
  readonly #options: ServeOptions;

  constructor(options: ServeOptions) {
    this.#options = options;
  }

  /** Serves the page at another address. The caller must close it. */
  serve(): Promise<Site> {
    return serve(this.folder, this.#options);
  }

  /** Serves the page at another address for one test. */
  async serveApart(): Promise<Site> {
    const site = await this.serve();
    onTestFinished(() => site.close());
    return site;
  }

  /**
   * A visitor with empty browser storage. The caller must call `leave`.
   * @param device the device to use, since the choice of "auto" depends on the machine
   */
  arrive(device: DeviceChoice, hash: string, options: VisitOptions = {}): Promise<Visitor> {
    const { browser = this.browser, site = this.site, ...rest } = options;
    return Visitor.arrive(browser, `${site.address}?device=${device}${hash}`, rest);
  }

  /** A visitor for one test, who leaves at its end. The test fails if the console had an error. */
  async visit(device: DeviceChoice, hash: string, options?: VisitOptions): Promise<Visitor> {
    const visitor = await this.arrive(device, hash, options);
    onTestFinished(async () => {
      await visitor.leave();
      if (visitor.errors.length > 0) throw new Error(`the console had errors:\n${visitor.errors.join("\n")}`);
    });
    return visitor;
  }
}

export interface VisitOptions {
  /** The browser and the server; those of the demo by default. */
  readonly browser?: Browser;
  readonly site?: Site;
  readonly dark?: boolean;
  /** The width of the window in CSS pixels; 1280 by default. */
  readonly width?: number;
  /** Whether the window has a touch screen; false by default. */
  readonly touch?: boolean;
  /** Whether the page may install its service worker, which caches every file; true by default. */
  readonly serviceWorker?: boolean;
}

/** Serves a copy of the built demo and starts a browser before the tests of a file, and stops them afterwards. */
export function useDemo(options: ServeOptions = {}): Demo {
  // The GPU is software, and the machine runs other tests at the same time.
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
  const demo = new Demo(options);
  beforeAll(async () => {
    demo.folder = mkdtempSync(join(tmpdir(), "wgrad-demo-"));
    cpSync(await builtPages(), demo.folder, { recursive: true });
    demo.site = await demo.serve();
    demo.browser = await launchBrowser({ webgpu: true });
  });
  afterAll(async () => {
    await demo.browser?.close();
    await demo.site?.close();
    rmSync(demo.folder, { recursive: true });
  });
  return demo;
}

/** Starts a browser without WebGPU for one test. */
export async function browserWithoutWebGPU(): Promise<Browser> {
  const browser = await launchBrowser({ webgpu: false });
  onTestFinished(() => browser.close());
  return browser;
}

/**
 * A small network and the built-in digits, so that training is fast on a software GPU. Training does not end within a
 * test: on WebAssembly it makes hundreds of steps a second, and 20 epochs may end before a test pauses it.
 */
export const SMALL = "#digits?layers=32-relu&batch=32&rate=0.004&epochs=1000&data=digits";

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
    { dark = false, width = 1280, touch = false, serviceWorker = true }: Omit<VisitOptions, "browser" | "site"> = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      colorScheme: dark ? "dark" : "light",
      viewport: { width, height: 800 },
      hasTouch: touch,
      serviceWorkers: serviceWorker ? "allow" : "block",
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

  /** Opens the drawer of settings for experts. */
  async openExpert(): Promise<void> {
    const drawer = this.page.locator("details.expert");
    await drawer.waitFor();
    if ((await drawer.getAttribute("open")) === null) await this.click("expert");
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

  /**
   * The serious and critical violations that axe-core finds on the page.
   * @param within a selector of the only part to look at, if the rest has been looked at before
   */
  async accessibilityFaults(within?: string): Promise<string[]> {
    if (!(await this.page.evaluate("'axe' in globalThis"))) {
      const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
      await this.page.evaluate(source);
    }
    const place = within === undefined ? "document" : JSON.stringify(within);
    const { violations } = (await this.page.evaluate(`axe.run(${place}, { resultTypes: ["violations"] })`)) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
  }
}
