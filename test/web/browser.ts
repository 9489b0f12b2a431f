import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, extname, join, normalize } from "node:path";
import { chromium, type Browser, type ConsoleMessage, type Page } from "playwright-core";

interface Browsers {
  findBrowser(machine?: object): string | undefined;
  NO_BROWSER: string;
}

const { findBrowser, NO_BROWSER } = (await import(`../../scripts/setup/${"browser"}.mjs`)) as Browsers;

/** Flags that make Chromium offer WebGPU on a machine without a GPU, and not contact any server. */
const WITH_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const QUIET = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a headless browser.
 * @throws Error with instructions if none is installed
 */
export async function launchBrowser({ webgpu }: { webgpu: boolean }): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error(NO_BROWSER);
  const args = [...QUIET, ...(webgpu ? WITH_WEBGPU : ["--disable-features=WebGPU,WebGPUService"])];
  return chromium.launch({ executablePath, args });
}

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};

/** Code for the worker that remembers its last device, so that a test can destroy it. */
const KEEP_DEVICE = `
if (typeof GPUAdapter !== "undefined") {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...options) {
    return (globalThis.lastDevice = await requestDevice.apply(this, options));
  };
}
`;

/** Destroys the device of the page's worker, as a failure of the driver would. */
export async function loseDevice(page: Page): Promise<void> {
  await page.workers().at(-1)!.evaluate("lastDevice.destroy()");
}

/** A served folder. */
export interface Site {
  readonly address: string;
  /** The paths of the answered requests, and of the requests for missing files. */
  readonly served: readonly string[];
  readonly missing: readonly string[];
  close(): Promise<void>;
}

export interface ServeOptions {
  /** The number of cores that the page's worker sees; by default that of the machine. */
  readonly cores?: number;
}

/**
 * Serves a folder's files under /some/where/, like a static host without headers of its own. The page's worker gets code that
 * lets `loseDevice` destroy its device.
 */
export async function serve(folder: string, { cores }: ServeOptions = {}): Promise<Site> {
  const served: string[] = [];
  const missing: string[] = [];
  const setCores =
    cores === undefined ? "" : `Object.defineProperty(navigator, "hardwareConcurrency", { value: ${cores} });`;
  const contentOf = (file: string) =>
    /^worker-.*\.js$/.test(basename(file)) ? KEEP_DEVICE + setCores + readFileSync(file, "utf8") : readFileSync(file);
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, "http://localhost").pathname)).replace(
      /\/$/,
      "/index.html",
    );
    const file = join(folder, path.replace(/^\/some\/where\//, ""));
    if (!path.startsWith("/some/where/") || !existsSync(file) || !statSync(file).isFile()) {
      missing.push(path);
      response.writeHead(404).end();
      return;
    }
    served.push(path);
    response
      .writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
      .end(contentOf(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/`,
    served,
    missing,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Records each error that the page or its worker logs or does not catch, and each request that fails: one line with its
 * source and the seconds since the page opened.
 */
export function noteErrors(page: Page): string[] {
  const errors: string[] = [];
  const opened = performance.now();
  const note = (text: string) => errors.push(`${((performance.now() - opened) / 1000).toFixed(1)} s: ${text}`);
  page.on("console", (message: ConsoleMessage) => {
    const { url, lineNumber, columnNumber } = message.location();
    if (message.type() === "error") note(`console: ${message.text()} (${url}:${lineNumber}:${columnNumber})`);
  });
  page.on("pageerror", (error) => note(`not caught: ${error.stack ?? error}`));
  page.on("requestfailed", (request) => {
    const { errorText } = request.failure()!;
    note(`request: ${request.method()} ${request.url()} (${request.resourceType()}): ${errorText}`);
  });
  return errors;
}
