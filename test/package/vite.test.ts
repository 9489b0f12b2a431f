/*
 * The package as a page has it: installed from the tarball beside Vite, and run in Chromium.
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

let staged: Staged;
let app: Staged;
let browser: Browser;

beforeAll(async () => {
  staged = await stagePackage();
  app = createProject(
    {
      "index.html": page("page.ts"),
      "page.ts": readmeExample("createBackend()"),
      "worker.html": page("start-worker.ts"),
      "start-worker.ts": 'new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });\n',
      "worker.ts": readmeExample("createBackend()"),
      "wasm.html": page("wasm.ts"),
      "wasm.ts": readmeExample("createBackend()").replace("createBackend()", 'createBackend({ device: "wasm" })'),
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

test("its types serve a strict page, and are checked themselves", () => {
  const files = ["page.ts", "worker.ts", "start-worker.ts", "wasm.ts"];
  const options = ["--module", "esnext", "--moduleResolution", "bundler", "--types", "vite/client"];
  expect(complaintsOfTypes(app.folder, ...options, ...files)).toBe("");
});

const config = () => ({
  root: app.folder,
  configFile: false as const,
  logLevel: "warn" as const,
  // The README's advice: code of a worker that waits at its top level, or that loads parts later, is no classic script.
  worker: { format: "es" as const },
});

const servers = {
  "built for production": async () => {
    await build({
      ...config(),
      build: { rolldownOptions: { input: ["index", "worker", "wasm"].map((name) => `${app.folder}/${name}.html`) } },
    });
    return preview({ ...config(), preview: { port: 0 } });
  },
  "served for development": async () => (await createServer({ ...config(), server: { port: 0 } })).listen(),
};

describe.each(Object.entries(servers))("%s", (_name, start) => {
  let server: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.close());

  test.each([
    ["index.html", "swiftshader"],
    ["worker.html", "swiftshader"],
    ["wasm.html", "WebAssembly"],
  ])("%s trains by %s", async (name, adapter) => {
    const lines = await consoleOf(browser, `${server.resolvedUrls!.local[0]}${name}`, "accuracy");
    // That there is no GPU would be a warning.
    expect(lines.filter(({ type }) => type !== "log")).toEqual([]);
    const texts = lines.map(({ text }) => text);
    const losses = texts.filter((text) => /^\d/.test(text)).map((text) => text.split(" ").map(Number));
    // 2000 / 50 steps an epoch, three epochs, an event a step.
    expect(losses.map(([step]) => step)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    expect(losses.at(-1)![1]).toBeLessThan(losses[0]![1]! / 2);
    const [, accuracy, on] = /^accuracy ([\d.]+) on 500 new digits, (.*)$/.exec(texts.at(-1)!)!;
    expect(Number(accuracy)).toBeGreaterThan(0.8);
    expect(on).toContain(adapter);
  });
});
