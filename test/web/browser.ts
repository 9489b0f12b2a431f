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

/**
 * Serves a folder's files under /some/where/, like a static host, and records requests for missing files. The page's worker
 * gets code that lets `loseDevice` destroy its device.
 */
export async function serve(folder: string): Promise<{ address: string; missing: string[]; close(): Promise<void> }> {
  const missing: string[] = [];
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
    response
      .writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
      .end(/^worker-.*\.js$/.test(basename(file)) ? KEEP_DEVICE + readFileSync(file, "utf8") : readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/`,
    missing,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Records the console errors and warnings of the page and its worker, and uncaught errors. */
export function noteErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message: ConsoleMessage) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  return errors;
}
