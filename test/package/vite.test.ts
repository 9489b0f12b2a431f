/*
 * The package in a page: installed from the tarball, served by Vite or without a bundler, and run in Chromium.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../web/browser.ts";
import { consoleOf, openChromium, type ConsoleLine } from "./chromium.ts";
import { readmeExample } from "./readme.ts";
import { complaintsOfTypes, createProject, pack, root, stagePackage, type Staged } from "./tarball.ts";

const page = (script: string) =>
  `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${script}"></script>\n`;

/** The README's example for browsers, which takes what there is, on one device. */
const exampleOn = (device: string) =>
  readmeExample("createBackend()").replace("createBackend()", `createBackend({ device: "${device}", threads: 2 })`);

/** The files of the app in docs/guide/in-a-page.md: the blocks that begin with a path. */
function guideApp(): Record<string, string> {
  const text = readFileSync(join(root, "docs", "guide", "in-a-page.md"), "utf8");
  return Object.fromEntries(
    Array.from(text.matchAll(/^```js\n\/\/ (src\/\S+)\n(.*?)^```$/gms), ([, path, code]) => [path!, code!]),
  );
}

/** A page for the guide's app: predicts without a model, trains on a table, and predicts two records. */
const guidePage = `<!doctype html><link rel="icon" href="data:,"><button id="stop">Stop</button><output></output>
<script type="module">
  import { predict, trainOn } from "/src/main.js";
  await predict({ size: 1 }).catch(({ message }) => console.log(message));
  const sizes = Array.from({ length: 80 }, (_, index) => index / 10);
  const output = document.querySelector("output");
  new MutationObserver(async () => {
    if (!output.textContent.startsWith("trained")) return;
    console.log("predicted", await predict({ size: 0.5 }), await predict({ size: 7.5 }));
  }).observe(output, { childList: true });
  trainOn([["size", "kind"], ...sizes.map((size) => [String(size), size < 4 ? "cat" : "dog"])], "kind");
</script>
`;

/** A page that runs the README's example without a bundler. */
const plainPage = (device: string) => `<!doctype html><link rel="icon" href="data:,"><script type="module">
${exampleOn(device).replace('"wgrad"', '"./node_modules/wgrad/dist/index.js"')}</script>
`;

let staged: Staged;
let app: Staged;
let browser: Browser;

beforeAll(async () => {
  staged = await stagePackage();
  app = createProject(
    {
      ...guideApp(),
      "guide.html": guidePage,
      "plain-webgpu.html": plainPage("webgpu"),
      "plain-wasm.html": plainPage("wasm"),
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

/** Asserts that the README's example has trained, from what it wrote to the console. */
function expectTraining(lines: readonly ConsoleLine[], adapter: RegExp): void {
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
}

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
      build: {
        rolldownOptions: {
          input: [...pages.map(([name]) => name), "guide.html"].map((name) => join(app.folder, name)),
        },
      },
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
    expectTraining(lines, adapter);
  });

  test("the guide's app trains in a worker, and predicts with the model that it stored", async () => {
    const lines = await consoleOf(browser, `${server.resolvedUrls!.local[0]}guide.html`, "predicted");
    expect(lines.map(({ text }) => text)).toEqual([
      "No model is stored yet.",
      "No GPU: swiftshader (google) is a software adapter.",
      "predicted cat dog",
    ]);
  });
});

describe("without a bundler", () => {
  test.each([
    ["plain-webgpu.html", /^swiftshader/],
    ["plain-wasm.html", /^WebAssembly, 1 thread$/],
  ])("%s trains with the package's files as they are", async (name, adapter) => {
    const site = await serve(app.folder);
    try {
      expectTraining(await consoleOf(browser, `${site.address}${name}`, "accuracy"), adapter);
      expect(site.missing).toEqual([]);
    } finally {
      await site.close();
    }
  });
});
