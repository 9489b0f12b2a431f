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
  /** Whether the visitor's system asks for less motion; false by default. */
  readonly lessMotion?: boolean;
  /** The width of the window in CSS pixels; 1280 by default. */
  readonly width?: number;
  /** Whether the window has a touch screen; false by default. */
  readonly touch?: boolean;
  /** Whether the page may install its service worker, which caches every file; true by default. */
  readonly serviceWorker?: boolean;
}

/** Serves a copy of the built demo and starts a browser before the tests of a file, and stops them afterwards. */
export function useDemo(options: ServeOptions = {}): Demo {
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

/** The step of the network that the current visit has stored; undefined if there is none. Runs in the page. */
const storedStep = () =>
  new Promise<number | undefined>((resolve) => {
    const opening = indexedDB.open("wgrad-demo");
    // Only the page may create the database.
    opening.addEventListener("upgradeneeded", () => opening.transaction!.abort());
    opening.addEventListener("error", () => resolve(undefined));
    opening.addEventListener("success", () => {
      const db = opening.result;
      const reading = db.transaction("networks").objectStore("networks").get("present");
      reading.addEventListener("success", () => {
        db.close();
        resolve((reading.result as { snapshot: { step: number } } | undefined)?.snapshot.step);
      });
    });
  });

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
    options: Omit<VisitOptions, "browser" | "site"> = {},
  ): Promise<Visitor> {
    const { dark = false, lessMotion = false, width = 1280, touch = false, serviceWorker = true } = options;
    const context = await browser.newContext({
      colorScheme: dark ? "dark" : "light",
      reducedMotion: lessMotion ? "reduce" : "no-preference",
      viewport: { width, height: 800 },
      hasTouch: touch,
      serviceWorkers: serviceWorker ? "allow" : "block",
    });
    context.setDefaultTimeout(WAIT.timeout);
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

  /** The number at the start of an element's text, which may have thousands separators, as "1,234 of 2,000". */
  async number(id: string): Promise<number> {
    return Number.parseFloat((await this.text(id)).replaceAll(",", ""));
  }

  /** The bytes that an element's text states, as "950 kB" or "1.2 MB". */
  async bytes(id: string): Promise<number> {
    const text = await this.text(id);
    const [, count, unit] = /^([\d.]+) (kB|MB)$/.exec(text) ?? [];
    if (count === undefined) throw new Error(`${id} says "${text}", which is not a size in kB or MB`);
    return Number(count) * (unit === "kB" ? 1e3 : 1e6);
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

  /**
   * Pauses, and waits until the last step is done and all that the worker has sent of it is drawn.
   * @param prefix the start of the tab's test IDs
   * @returns the number of steps
   */
  async pause(prefix = ""): Promise<number> {
    await this.click(`${prefix}start`);
    await this.says(`${prefix}start`, /^Start$/);
    await this.page.locator("[data-idle=true]").waitFor({ state: "attached" });
    await this.painted();
    return this.number(`${prefix}step-count`);
  }

  /** Waits until the canvases show what the page's signals say: effects run in the frame after a change, and may draw in the next. */
  async painted(): Promise<void> {
    await this.page.evaluate(async () => {
      for (let frame = 0; frame < 3; frame++)
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    });
  }

  /** Waits until the browser's storage has the network of the Digits tab after so many steps. */
  async stores(step: number): Promise<void> {
    await vi.waitFor(async () => {
      const now = await this.page.evaluate(storedStep);
      if (now !== step) throw new Error(`the browser has stored step ${now}, not ${step}`);
    }, WAIT);
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

  /**
   * Drops a file on an element, or on the page without its test ID.
   * @returns whether the browser would have left the page to show the file
   */
  drop(name: string, bytes: Iterable<number>, testId?: string): Promise<boolean> {
    const target = testId === undefined ? this.page.locator("body") : this.page.getByTestId(testId);
    const file = { name, bytes: [...bytes] };
    return target.evaluate((element, { name: fileName, bytes: content }) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(content)], fileName));
      const options = { bubbles: true, cancelable: true, dataTransfer };
      element.dispatchEvent(new DragEvent("dragover", options));
      return element.dispatchEvent(new DragEvent("drop", options));
    }, file);
  }

  /** From now on, notes what moves without an input. A button's text is in the middle, so that another text begins elsewhere. */
  async noteShifts(): Promise<void> {
    // What has just appeared moves others only in the next frame.
    await this.painted();
    await this.page.evaluate(() => {
      interface Shift extends PerformanceEntry {
        readonly value: number;
        readonly hadRecentInput: boolean;
        readonly sources: readonly { readonly node: Node | null }[];
      }
      const shifts: string[] = [];
      Object.assign(globalThis, { shifts });
      const isLabel = (node: Node | null) => node instanceof Text && node.parentElement?.closest("button") !== null;
      const described = (node: Node | null) =>
        (node instanceof Element ? node.outerHTML : node?.textContent)?.slice(0, 99);
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
          const moved = sources.map(({ node }) => node).filter((node) => !isLabel(node));
          if (!hadRecentInput && moved.length > 0) shifts.push(`${value}: ${moved.map(described).join(", ")}`);
        }
      }).observe({ type: "layout-shift" });
    });
  }

  /** The layout shifts since `noteShifts`: the score of each, and what moved. */
  shifts(): Promise<string[]> {
    return this.page.evaluate("shifts");
  }

  /** The text of the ten probabilities, once the network has read the whole drawing. They change while it trains. */
  async probabilities(): Promise<string> {
    // The page proposes the digit that it has read only then.
    await this.page.locator(".keep-digits .primary").waitFor();
    return this.text("probabilities");
  }

  /**
   * The violations that axe-core finds on the page, whatever their impact.
   * @param within a selector of the only part to look at, if the rest has been looked at before
   */
  async accessibilityFaults(within?: string): Promise<string[]> {
    if (!(await this.page.evaluate("'axe' in globalThis"))) {
      const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
      await this.page.evaluate(source);
    }
    const place = within === undefined ? "document" : JSON.stringify(within);
    const { violations } = (await this.page.evaluate(`axe.run(${place}, { resultTypes: ["violations"] })`)) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
    );
  }
}
