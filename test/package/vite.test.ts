/*
 * The package in a page: installed from the tarball with Vite, and run in Chromium.
 */
import type { Browser } from "playwright-core";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { consoleOf, openChromium } from "./chromium.ts";
import { readmeExample } from "./readme.ts";
import { complaintsOfTypes, createProject, pack, stagePackage, type Staged } from "./tarball.ts";

// npm, a type checker or a browser start for each, on cores that other tests use as well.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const page = (script: string) =>
  `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${script}"></script>\n`;

/** The README's example for browsers, which takes what there is, on one device. */
const exampleOn = (device: string) =>
  readmeExample("createBackend()").replace("createBackend()", `createBackend({ device: "${device}", threads: 2 })`);

let staged: Staged;
let app: Staged;
let browser: Browser;

beforeAll(async () => {
  staged = await stagePackage();
  app = createProject(
    {
      "webgpu.html": page("webgpu.ts"),
      "webgpu.ts": exampleOn("webgpu"),
      "webgpu-worker.html": page("start-webgpu.ts"),
      "start-webgpu.ts": 'new Worker(new URL("./webgpu.ts", import.meta.url), { type: "module" });\n',
      "wasm.html": page("wasm.ts"),
      "wasm.ts": exampleOn("wasm"),
      "wasm-worker.html": page("start-wasm.ts"),
      "start-wasm.ts": 'new Worker(new URL("./wasm.ts", import.meta.url), { type: "module" });\n',
    },
    pack(staged),
    "vite",
  );
  browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  app?.remove();
  staged?.remove();
});

test("the README's example for browsers has at most fifteen lines", () => {
  expect(readmeExample("createBackend()").trimEnd().split("\n").length).toBeLessThanOrEqual(15);
});

test("the types pass in a strict page, without skipLibCheck", () => {
  const files = ["webgpu.ts", "wasm.ts", "start-webgpu.ts", "start-wasm.ts"];
  const options = ["--module", "esnext", "--moduleResolution", "bundler", "--types", "vite/client"];
  expect(complaintsOfTypes(app.folder, ...options, ...files)).toBe("");
});

const config = () => ({
  root: app.folder,
  configFile: false as const,
  logLevel: "warn" as const,
  // As the README says: a worker with top-level await or dynamic imports must be a module.
  worker: { format: "es" as const },
});

/** The pages, and the adapter that each computes on. Only a worker of a cross-origin isolated page has other threads. */
const pages = [
  ["webgpu.html", /^swiftshader/],
  ["webgpu-worker.html", /^swiftshader/],
  ["wasm.html", /^WebAssembly, 1 thread$/],
  ["wasm-worker.html", /^WebAssembly, 2 threads$/],
] as const;

const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const servers = {
  "built for production": async () => {
    await build({
      ...config(),
      build: { rolldownOptions: { input: pages.map(([name]) => `${app.folder}/${name}`) } },
    });
    return preview({ ...config(), preview: { port: 0, headers } });
  },
  "served for development": async () => (await createServer({ ...config(), server: { port: 0, headers } })).listen(),
};

describe.each(Object.entries(servers))("%s", (_name, start) => {
  let server: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.close());

  test.each(pages)("%s trains on %s", async (name, adapter) => {
    const lines = await consoleOf(browser, `${server.resolvedUrls!.local[0]}${name}`, "accuracy");
    // Without a GPU there would be a warning.
    expect(lines.filter(({ type }) => type !== "log")).toEqual([]);
    const texts = lines.map(({ text }) => text);
    const losses = texts.filter((text) => /^\d/.test(text)).map((text) => text.split(" ").map(Number));
    // 2000 / 50 steps per epoch, three epochs, one event per step.
    expect(losses.map(([step]) => step)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    expect(losses.at(-1)![1]).toBeLessThan(losses[0]![1]! / 2);
    const [, accuracy, used] = /^accuracy ([\d.]+) on 500 new digits, (.*)$/.exec(texts.at(-1)!)!;
    expect(used).toMatch(adapter);
    expect(Number(accuracy)).toBeGreaterThan(0.8);
  });
});
