import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

// The scripts are plain JavaScript, since parts of them run from the archive: these are the types in their JSDoc.
interface Machine {
  root: string;
  environment: Record<string, string | undefined>;
  linkerCache: ReadonlyMap<string, string>;
}

interface Way {
  title: string;
  manifest?: string;
  library?: string;
  folders: string[];
}

interface Drivers {
  parseLinkerCache(text: string): Map<string, string>;
  findManifests(machine: Machine): { file: string; library: string | undefined }[];
  waysToDriver(machine: Machine): Way[];
  environmentOf(machine: Machine, way: Way, bundled: { folder: string; names: string[] }): Machine["environment"];
  manifestFor(library: string): string;
}

interface Contents {
  contentsOf(from: { project: string; node: string; mnist: string; system: string }): {
    name: string;
    source?: string;
    bytes?: Uint8Array;
  }[];
}

interface Recipes {
  plannedRecipes(options: Record<string, string>): {
    target: number;
    seeds: number;
    recipes: Record<string, unknown>[];
  };
}

interface Summaries {
  summarize(found: {
    reports: { runs: object[] }[];
    benchmark?: object;
    cnn?: object;
    gpt?: object;
    tilings?: Record<string, string>;
    target: number;
  }): {
    recipes: { name: string; seeds: number; modes: Record<string, object> }[];
    goals: { goal: string; measured: string; reached: boolean | null }[];
  };
  summaryLines(summary: object): string[];
}

const load = async <Module>(name: string) => (await import(`../../bench/pack/${name}.mjs`)) as Module;
const { parseLinkerCache, findManifests, waysToDriver, environmentOf, manifestFor } = await load<Drivers>("drivers");
const { contentsOf } = await load<Contents>("contents");
const { plannedRecipes } = await load<Recipes>("recipes");
const { summarize, summaryLines } = await load<Summaries>("summary");

const project = fileURLToPath(new URL("../..", import.meta.url));
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "wgrad-pack-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Uint8Array = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe("the way to a Vulkan driver", () => {
  const machine = (environment: Machine["environment"] = {}, linkerCache = new Map<string, string>()): Machine => ({
    root,
    environment,
    linkerCache,
  });
  const lent = "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json";
  const bySelf = { title: "the Vulkan loader's default", folders: [] };

  test("is the Vulkan loader if there is no driver", () => {
    expect(waysToDriver(machine())).toEqual([bySelf]);
  });

  test("prefers a driver under /usr/local/nvidia to a software driver", () => {
    write("/usr/share/vulkan/icd.d/lvp_icd.json", manifestFor("libvulkan_lvp.so"));
    write(lent, manifestFor("libGLX_nvidia.so.0"));
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    const folders = ["/usr/local/nvidia/lib64"];
    const library = "libGLX_nvidia.so.0";
    expect(waysToDriver(machine())).toEqual([
      { title: lent, manifest: lent, library, folders },
      { title: `a new manifest for ${library}`, library, folders },
      bySelf,
    ]);
  });

  test("needs no folder for a library that the linker finds", () => {
    const file = "/etc/vulkan/icd.d/nvidia_icd.json";
    write(file, manifestFor("libGLX_nvidia.so.0"));
    const expected = { manifest: file, folders: [] };
    expect(waysToDriver(machine({}, new Map([["libGLX_nvidia.so.0", "/opt/libGLX_nvidia.so.0"]])))[0]).toMatchObject(
      expected,
    );
    write("/usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0");
    expect(waysToDriver(machine())[0]).toMatchObject(expected);
  });

  test("uses a new manifest for libraries without one, EGL's second", () => {
    write("/usr/local/nvidia/lib64/libEGL_nvidia.so.0");
    write("/opt/driver/libGLX_nvidia.so.0");
    const ways = waysToDriver(machine({ LD_LIBRARY_PATH: "/opt/driver" }));
    expect(ways.map(({ library, folders }) => [library, folders])).toEqual([
      ["libGLX_nvidia.so.0", []],
      ["libEGL_nvidia.so.0", ["/usr/local/nvidia/lib64"]],
      [undefined, []],
    ]);
  });

  test.each(["VK_DRIVER_FILES", "VK_ICD_FILENAMES"])("what %s names is taken as it is", (variable) => {
    write(lent, manifestFor("libGLX_nvidia.so.0"));
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    const named = machine({ [variable]: "/my.json" });
    const [way, ...others] = waysToDriver(named);
    expect(others).toEqual([]);
    expect(environmentOf(named, way!, { folder: "/lib", names: [] })).toEqual({
      [variable]: "/my.json",
      LD_LIBRARY_PATH: "/usr/local/nvidia/lib64",
    });
  });

  test("reads manifests with a library's name, absolute path, relative path, or none", () => {
    const folder = "/etc/vulkan/icd.d";
    write(`${folder}/a.json`, manifestFor("libA.so"));
    write(`${folder}/b.json`, manifestFor("/opt/libB.so"));
    write(`${folder}/c.json`, manifestFor("../libC.so"));
    write(`${folder}/d.json`, "{");
    write(`${folder}/readme.txt`);
    expect(findManifests(machine()).map(({ library }) => library)).toEqual([
      "libA.so",
      "/opt/libB.so",
      "/etc/vulkan/libC.so",
      undefined,
    ]);
  });

  test("uses the archive's libraries only for missing ones, after the machine's own", () => {
    write("/usr/local/nvidia/lib64/libGLX_nvidia.so.0");
    write("/usr/local/nvidia/lib64/libEGL.so.1");
    write("/lib64/libX11.so.6");
    const here = machine(
      { LD_LIBRARY_PATH: "/opt/own", HOME: "/root" },
      new Map([["libXext.so.6", "/x/libXext.so.6"]]),
    );
    const names = ["libvulkan.so.1", "libX11.so.6", "libXext.so.6", "libEGL.so.1"];
    const way = { title: "", manifest: lent, folders: ["/usr/local/nvidia/lib64"] };
    expect(environmentOf(here, way, { folder: "/archive/lib", names })).toEqual({
      HOME: "/root",
      VK_DRIVER_FILES: lent,
      VK_ICD_FILENAMES: lent,
      LD_LIBRARY_PATH: "/opt/own:/usr/local/nvidia/lib64:/archive/lib/libvulkan.so.1",
    });
    expect(environmentOf(machine(), { title: "", folders: [] }, { folder: "/archive/lib", names: [] })).toEqual({});
  });

  test("parses the output of ldconfig", () => {
    const text = `2 libs found in cache \`/etc/ld.so.cache'
\tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1
\tlibold.so.1 (libc6) => /lib/i386-linux-gnu/libold.so.1
\tlibm.so.6 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/x86_64-linux-gnu/libm.so.6
Cache generated by: ldconfig (Debian GLIBC 2.36) stable release version 2.36
`;
    expect([...parseLinkerCache(text)]).toEqual([
      ["libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"],
      ["libm.so.6", "/lib/x86_64-linux-gnu/libm.so.6"],
    ]);
  });
});

describe("the archive's contents", () => {
  const digits = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
  ];
  const from = () => ({ project: root, node: "/opt/node", mnist: join(root, "digits"), system: join(root, "system") });

  /** The project with a dist of its own, so that the test needs no build. */
  beforeEach(() => {
    for (const name of ["node_modules", "bench", "scripts", "package.json", "LICENSE"])
      symlinkSync(join(project, name), join(root, name));
    const built = [
      "cli.js",
      "index.js",
      "kernels.wasm",
      "node.js",
      "chunks/a.js",
      "types/index.d.ts",
      "pages/assets/a.js",
    ];
    for (const name of [...built, "wgrad-bench.tar.gz"]) write(`dist/${name}`);
    for (const name of digits) write(`digits/${name}.gz`, gzipSync(name));
    for (const name of ["libvulkan.so.1", "libstdc++.so.6"]) write(`system/usr/lib/x86_64-linux-gnu/${name}`);
  });

  test("are Node, wgrad, Dawn for this platform only, the loader, and MNIST unpacked", () => {
    const entries = contentsOf(from());
    const names = entries.map(({ name }) => name);
    expect(names.filter((name) => /^(bin|dist|lib|mnist)\//.test(name) || name.endsWith(".node"))).toEqual([
      "bin/node",
      "dist/chunks/a.js",
      "dist/cli.js",
      "dist/index.js",
      "dist/kernels.wasm",
      "dist/node.js",
      "node_modules/webgpu/dist/linux-x64/dawn.node",
      "lib/libvulkan.so.1/libvulkan.so.1",
      "lib/libstdc++.so.6/libstdc++.so.6",
      ...digits.map((name) => `mnist/${name}`),
    ]);
    expect(new Set(names).size).toBe(names.length);
    expect(
      entries.filter(({ name, source }) => name !== "bin/node" && source !== undefined && !existsSync(source)),
    ).toEqual([]);
    expect(entries.flatMap(({ bytes }) => (bytes ? [new TextDecoder().decode(bytes)] : []))).toEqual(digits);
  });

  test("include every import of every script", () => {
    const entries = contentsOf(from());
    const names = new Set(entries.map(({ name }) => name));
    const packages = new Set(["webgpu", "commander"]);
    const scripts = entries.filter(({ name }) => name.endsWith(".mjs") && !name.startsWith("node_modules/"));
    expect(scripts.length).toBeGreaterThan(5);
    for (const { name, source } of scripts) {
      for (const [, wanted] of readFileSync(source!, "utf8").matchAll(/(?:from |import\()"([^"]+)"/g)) {
        if (wanted!.startsWith("node:")) continue;
        const isThere = wanted!.startsWith(".")
          ? names.has(posix.join(posix.dirname(name), wanted!))
          : packages.has(wanted!);
        expect(isThere, `${name} imports ${wanted}`).toBe(true);
      }
    }
  });

  test("include every package that the built code imports, directly or indirectly", () => {
    const names = new Set(contentsOf(from()).map(({ name }) => name));
    const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
      dependencies: object;
    };
    // fast-png's own.
    for (const name of [...Object.keys(dependencies), "fflate", "iobuffer"])
      expect(names).toContain(`node_modules/${name}/package.json`);
  });

  test("include MNIST's uncompressed files unchanged", () => {
    for (const name of digits) write(`digits/${name}`, name);
    const sources = contentsOf(from())
      .filter(({ name }) => name.startsWith("mnist/"))
      .map(({ source }) => source);
    expect(sources).toEqual(digits.map((name) => join(root, "digits", name)));
  });

  test.each([
    ["dist/cli.js", "Run `npm run build` first"],
    ["digits/t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte: neither this file nor its .gz exists"],
    ["system/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "install libvulkan1"],
  ])("need %s, and the error says how to get it", (path, message) => {
    rmSync(join(root, path));
    expect(() => contentsOf(from())).toThrow(message);
  });
});

describe("the recipes", () => {
  test("are the agreed ones, with five seeds", () => {
    expect(plannedRecipes({})).toEqual({
      target: 0.98,
      seeds: 5,
      recipes: [
        { name: "batch 64", batch: 64, width: 128, epochs: 10, learningRate: 2e-3 },
        { name: "batch 512", batch: 512, width: 256, epochs: 10, learningRate: 4e-3 },
      ],
    });
  });

  test("are shortened by options, and invalid options are refused", () => {
    const { seeds, recipes } = plannedRecipes({ epochs: "2", "max-steps": "30", seeds: "1" });
    expect(seeds).toBe(1);
    expect(recipes[1]).toMatchObject({ batch: 512, epochs: 2, maxSteps: 30 });
    for (const text of ["0", "-1", "1.5", "many", ""]) expect(() => plannedRecipes({ seeds: text })).toThrow("--seeds");
  });
});

describe("the summary", () => {
  const seed = (seconds: number, ...accuracyAtEpoch: number[]) => ({
    seconds,
    imagesPerSecond: 1000 / seconds,
    accuracy: accuracyAtEpoch.at(-1)!,
    secondsAtEpoch: accuracyAtEpoch.map((_, epoch) => (seconds * (epoch + 1)) / accuracyAtEpoch.length),
    accuracyAtEpoch,
  });
  const recipe = { name: "batch 64", batch: 64, width: 128, steps: 20 };
  const wgrad = {
    mode: "wgrad",
    ...recipe,
    seeds: [seed(0.4, 0.97, 0.981), seed(0.8, 0.98, 0.982), seed(0.6, 0.96, 0.979)],
  };
  const eager = { mode: "PyTorch eager", ...recipe, seeds: [seed(3, 0.97, 0.98)] };
  const graphs = { mode: "PyTorch CUDA graphs", ...recipe, seeds: [seed(0.5, 0.9, 0.95)] };

  test("has medians of all modes, and the goals", () => {
    const benchmark = {
      ceilings: { flopsPerSecond: 50e12 },
      kernels: [
        { flops: 2 * 1024 ** 3, flopsPerSecond: 40e12 },
        { flops: 2 * 4096 ** 3, flopsPerSecond: 35e12 },
      ],
    };
    const slowest = [{ kernel: "matmul", shapes: "[2] → [3]", grid: [4, 2, 1], microseconds: 61.26 }];
    const summary = summarize({
      reports: [{ runs: [wgrad] }, { runs: [eager, graphs] }],
      benchmark,
      cnn: { testAccuracy: 0.9931, seconds: 9.9, imagesPerSecond: 36_659.4, steps: 1872 },
      gpt: { parameters: 809_856, batch: 12, context: 64, millisecondsPerStep: 2.5, dispatches: 191, slowest },
      tilings: { "64×128 · 128×8": "4×2 outputs" },
      target: 0.98,
    });
    expect(summary.recipes).toHaveLength(1);
    expect(summary.recipes[0]!.modes).toMatchObject({
      wgrad: { seconds: 0.6, accuracy: 0.981, firstEpoch: 2, secondsToTarget: 0.4 },
      "PyTorch eager": { seconds: 3, firstEpoch: 2, secondsToTarget: 3 },
      "PyTorch CUDA graphs": { seconds: 0.5, firstEpoch: null, secondsToTarget: null },
    });
    expect(summary.goals).toEqual([
      {
        goal: "98.00 % on the test set in under 1 s, whole schedule",
        measured: "0.600 s (batch 64), 98.10 %",
        reached: true,
      },
      { goal: "batch 64: images/s at least 3 × PyTorch eager", measured: "5.00 ×", reached: true },
      { goal: "batch 64: images/s at least 1 × PyTorch CUDA graphs", measured: "0.83 ×", reached: false },
      { goal: "99.30 % with the preset cnn in under 10 s", measured: "9.900 s, 99.31 %", reached: true },
      {
        goal: "float32 product 4096³: at least 60 % of the measured multiply-add ceiling",
        measured: "70.00 %",
        reached: true,
      },
    ]);
    expect(summaryLines(summary)).toEqual([
      "784-128-10, batch 64, 20 steps, medians of 3 seeds",
      "                                       wgrad       PyTorch eager PyTorch CUDA graphs",
      "images/s                               1,667                 333               2,000",
      "whole schedule, s                      0.600               3.000               0.500",
      "final test accuracy                  98.10 %             98.00 %             95.00 %",
      "first epoch at 98.00 %                     2                   2                none",
      "s to the end of it                     0.400               3.000                none",
      "",
      "preset cnn, 1872 steps: 9.900 s, 36,659 images/s, test accuracy 99.31 %",
      "",
      "GPT of 809,856 parameters, 12 × 64 tokens: 2.500 ms a step, 191 dispatches; the slowest:",
      "     61.3 µs  4×2×1       matmul  [2] → [3]",
      "",
      "Tilings: by the tuner for 1 classes of products, else defaults",
      "",
      "yes  98.00 % on the test set in under 1 s, whole schedule: 0.600 s (batch 64), 98.10 %",
      "yes  batch 64: images/s at least 3 × PyTorch eager: 5.00 ×",
      "no   batch 64: images/s at least 1 × PyTorch CUDA graphs: 0.83 ×",
      "yes  99.30 % with the preset cnn in under 10 s: 9.900 s, 99.31 %",
      "yes  float32 product 4096³: at least 60 % of the measured multiply-add ceiling: 70.00 %",
    ]);
  });

  test("has no result for a mode that is absent or failed", () => {
    const failed = { ...graphs, seeds: [], failed: "RuntimeError: no capture" };
    const summary = summarize({ reports: [{ runs: [wgrad] }, { runs: [failed] }], target: 0.99 });
    expect(summary.goals.map(({ measured, reached }) => [measured, reached])).toEqual([
      ["accuracy not reached", false],
      ["not measured", null],
      ["not measured", null],
      ["not measured", null],
      ["not measured", null],
    ]);
    const slow = summarize({
      reports: [],
      cnn: { testAccuracy: 0.9929, seconds: 6, imagesPerSecond: 1 },
      target: 0.99,
    });
    expect(slow.goals[3]).toMatchObject({ measured: "6.000 s, 99.29 %", reached: false });
    expect(summaryLines(slow)).toContain("Tilings: defaults");
    expect(summaryLines(summary)[2]).toBe(
      "images/s                               1,667                   –                   –",
    );
    expect(summarize({ reports: [], target: 0.98 }).goals.every(({ reached }) => reached === null)).toBe(true);
  });
});
