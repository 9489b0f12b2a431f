/*
 * The contents of the package: its entries, what each entry imports, and what bundlers include.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProject, pack, packedFiles, root, stagePackage, writeFiles, type Staged } from "./tarball.ts";

const run = promisify(execFile);

let staged: Staged;

beforeAll(async () => {
  staged = await stagePackage();
});
afterAll(() => staged?.remove());

test("the built command is executable", () => {
  expect(() => accessSync(join(staged.folder, "dist", "cli.js"), constants.X_OK)).not.toThrow();
});

test("publint reports nothing", async () => {
  const { messages, pkg } = await publint({ pkgDir: staged.folder, pack: "npm", strict: true });
  expect(messages.map((message) => formatMessage(message, pkg as Record<string, unknown>))).toEqual([]);
});

test("the types are resolved like the modules", async () => {
  // Every Node that wgrad supports can import and require modules; resolution without "exports" is for older versions.
  const attw = join(root, "node_modules", "@arethetypeswrong", "cli", "dist", "index.js");
  const args = [attw, pack(staged), "--profile", "esm-only", "--format", "json"];
  const { stdout } = await run(process.execPath, args, { cwd: staged.folder, maxBuffer: 2 ** 26 });
  const { problems } = JSON.parse(stdout) as { problems: Record<string, { resolutionKind?: string }[]> };
  const counted = Object.values(problems)
    .flat()
    .filter(({ resolutionKind }) => !["node10", "node16-cjs"].includes(resolutionKind!));
  expect(counted).toEqual([]);
});

describe("what npm packs", () => {
  let files: string[];
  beforeAll(() => {
    files = packedFiles(staged);
  });

  test("the kernels of WebAssembly lie where a module looks for them", () => {
    const named = files
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) =>
        [
          ...readFileSync(join(staged.folder, file), "utf8").matchAll(/new URL\("([^"]+\.wasm)", import\.meta\.url\)/g),
        ].map(([, path]) => join(dirname(file), path!)),
      );
    expect(named.sort()).toEqual(["dist/kernels-relaxed.wasm", "dist/kernels.wasm"]);
    expect(files).toEqual(expect.arrayContaining(named));
  });

  test("every declaration is reached from an entry", () => {
    const declarations = files.filter((file) => file.endsWith(".d.ts"));
    expect(declarations).toContain("dist/types/index.d.ts");
    expect(declarations.filter((file) => /types\/(cli|bench|web)\//.test(file))).toEqual([]);
    const imported = declarations.flatMap((file) =>
      [...readFileSync(join(staged.folder, file), "utf8").matchAll(/(?:from|import\() ?"(\.[^"]+)\.ts"/g)].map(
        ([, path]) => `${join(dirname(file), path!)}.d.ts`,
      ),
    );
    const entries = ["dist/types/index.d.ts", "dist/types/node/index.d.ts", "dist/types/formats/onnx/index.d.ts"];
    expect(new Set([...imported, ...entries])).toEqual(new Set(declarations));
  });

  test("every link in its pages leads to a file in the package", () => {
    const links = files
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) =>
        [
          ...readFileSync(join(staged.folder, file), "utf8")
            .replaceAll(/```.*?```/gs, "")
            .matchAll(/\]\(([^)#\s]+)/g),
        ]
          .filter(([, link]) => !/^https?:/.test(link!))
          .map(([, link]) => ({ file, target: join(dirname(file), link!) })),
      );
    expect(links.length).toBeGreaterThan(15);
    expect(links.filter(({ target }) => !files.includes(target))).toEqual([]);
  });

  test("each module has a source map, except the charts of a report, which are another package's", () => {
    const modules = files.filter((file) => file.endsWith(".js"));
    const mapped = modules.filter((file) => files.includes(`${file}.map`));
    for (const file of modules) {
      const text = readFileSync(join(staged.folder, file), "utf8");
      // A module with only imports and exports needs no map.
      const named = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1];
      expect(named && join(dirname(file), named), file).toBe(mapped.includes(file) ? `${file}.map` : undefined);
    }
    expect(mapped).toEqual(expect.arrayContaining(["dist/cli.js", "dist/onnx.js"]));
    expect(mapped.filter((file) => file.startsWith("dist/chunks/core-"))).toHaveLength(1);
    expect(files.filter((file) => /report-.*\.map$/.test(file))).toEqual([]);
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(staged.folder, "dist", "cli.js.map"), "utf8")) as {
      sources: string[];
      sourcesContent: string[];
    };
    expect(sourcesContent).toHaveLength(sources.length);
  });
});

/** Imports that are loaded with the module, and all imports. */
const atOnce = /^(?:import|export)\b[^"'\n]*["']([^"']+)["']/gm;
const atAnyTime = /(?:^(?:import|export)\b[^"'\n]*|\bimport\()["']([^"']+)["']/gm;

/** The files that an entry reaches, and the packages that they import. */
function reach(entry: string, imports = atAnyTime): { files: string[]; packages: string[] } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier] of text.matchAll(imports)) {
      if (specifier!.startsWith(".")) visit(join(dirname(file), specifier!));
      else packages.add(specifier!);
    }
  };
  visit(join(staged.folder, "dist", entry));
  return { files: [...files].map((file) => relative(staged.folder, file)), packages: [...packages].toSorted() };
}

describe("the entries", () => {
  test("wgrad imports no modules of Node and no packages", () => {
    const { files, packages } = reach("index.js");
    expect(packages).toEqual([]);
    // The files include all backends.
    expect(files.length).toBeGreaterThan(8);
  });

  test("wgrad is loaded from few files, without the code of WebGPU and WebAssembly", () => {
    const { files } = reach("index.js", atOnce);
    expect(files.length).toBeLessThanOrEqual(16);
    const code = files.map((file) => readFileSync(join(staged.folder, file), "utf8")).join("\n");
    expect(code).not.toContain(backendMarks.webgpu);
    expect(code).not.toContain(backendMarks.wasm);
  });

  test("wgrad/node imports Dawn, Node's modules, the CSV parser and the decoders of images", () => {
    const { packages } = reach("node.js");
    expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([
      "@jsquash/jpeg/codec/dec/mozjpeg_dec.js",
      "fast-png",
      "papaparse",
      "webgpu",
    ]);
    expect(packages).toContain("node:fs/promises");
  });

  test("no file of the library uses `process` or `require`", () => {
    const { files } = reach("index.js");
    const codeOf = (file: string) =>
      readFileSync(join(staged.folder, file), "utf8").replaceAll(/^\s*(\/?\*|\/\/).*$/gm, "");
    const naming = files.filter((file) => /\b(process\.|require\(|Buffer\.|__dirname)/.test(codeOf(file)));
    expect(naming).toEqual([]);
  });
});

/** Bundles a page that imports some names. */
async function bundle(names: readonly string[]): Promise<Rolldown.OutputChunk[]> {
  writeFiles(staged.folder, {
    "page.js": `import { ${names.join(", ")} } from "./dist/index.js";\nglobalThis.used = [${names.join(", ")}];\n`,
  });
  const result = await build({
    root: staged.folder,
    configFile: false,
    logLevel: "error",
    build: { write: false, rolldownOptions: { input: join(staged.folder, "page.js") } },
  });
  return (result as Rolldown.RolldownOutput).output.filter((chunk) => chunk.type === "chunk");
}

const compressed = (chunks: readonly Rolldown.OutputChunk[]) =>
  chunks.reduce((bytes, { code }) => bytes + gzipSync(code).length, 0);

const mentions = (chunks: readonly Rolldown.OutputChunk[], text: string) =>
  chunks.some(({ code }) => code.includes(text));

/** Strings that occur in only one part of the library, and that minifiers keep. */
const marks = {
  optimizers: "firstMoment",
  schedules: "cosine schedule",
  trainer: "accumulatedGradient",
  "built-in digits": "examples cannot be drawn",
  "the models' file format": "__metadata__",
  streams: "the next call tries again",
  augmentations: "Give the number of classes, such as mixup",
  "layers as text": "there is no layer ",
};

/** The parts of the library, by `marks`, that a bundle contains. */
const markedParts = (chunks: readonly Rolldown.OutputChunk[]) =>
  Object.entries(marks).flatMap(([part, mark]) => (mentions(chunks, mark) ? [part] : []));

/** A chunk with all chunks that it imports statically. */
function loadedWith(chunks: readonly Rolldown.OutputChunk[], chunk: Rolldown.OutputChunk): Rolldown.OutputChunk[] {
  const found = new Set([chunk]);
  for (const one of found) for (const other of chunks) if (one.imports.includes(other.fileName)) found.add(other);
  return [...found];
}

/** Text that only the code of one backend contains. */
const backendMarks = { webgpu: "createShaderModule", wasm: "kernels do not compile", cpu: "CPU reference" };

describe("a bundle", () => {
  test("of a page that uses all parts contains their marks", async () => {
    const used = [
      "augmentations",
      "builtInDigits",
      "createTrainer",
      "layersFromText",
      "loadModel",
      "optimizers",
      "schedules",
    ];
    expect(markedParts(await bundle(used))).toEqual(Object.keys(marks));
  });

  test("of a page that trains contains optimizers, the trainer and all backends", async () => {
    const chunks = await bundle(["createBackend", "createTrainer", "dense", "optimizers", "schedules", "sequential"]);
    expect(markedParts(chunks)).toEqual(["optimizers", "schedules", "trainer", "streams"]);
  });

  test("of a page that only predicts contains nothing that trains", async () => {
    const chunks = await bundle(["createBackend", "createEvaluator", "loadModel"]);
    expect(markedParts(chunks)).toEqual(["the models' file format"]);
  });

  test("of a page that uses one op contains no other op", async () => {
    const chunks = await bundle(["matmul"]);
    expect(mentions(chunks, '"matmul"') || mentions(chunks, "`matmul`")).toBe(true);
    for (const other of ["sigmoid", "integerPower", "softmaxCrossEntropy", "dropoutMask"])
      expect([other, mentions(chunks, other)]).toEqual([other, false]);
  });

  test("loads a backend only when it is chosen", async () => {
    const chunks = await bundle(["createBackend"]);
    const backends = Object.values(backendMarks).map((mark) => chunks.filter(({ code }) => code.includes(mark)));
    expect(backends.map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(backends.flat().every(({ isDynamicEntry }) => isDynamicEntry)).toBe(true);
  });
});

describe("a single file bundled by esbuild", () => {
  let project: Staged;
  let esbuild: { build(options: object): Promise<{ outputFiles: { text: string }[] }> };

  beforeAll(async () => {
    project = createProject({}, "--omit=optional", pack(staged), "esbuild");
    esbuild = createRequire(join(project.folder, "package.json"))("esbuild") as typeof esbuild;
  });
  afterAll(() => project?.remove());

  test.each([
    [["createCpuBackend", "createTrainer", "createEvaluator", "dense", "sequential", "optimizers", "loadModel"], false],
    [["createWebGPUBackend"], true],
    [["createBackend"], true],
  ] as const)("from a page that uses %j contains WebGPU: %s", async (names, carries) => {
    const contents = `import { ${names.join(", ")} } from "wgrad";\nglobalThis.used = [${names.join(", ")}];\n`;
    const { outputFiles } = await esbuild.build({
      stdin: { contents, resolveDir: project.folder },
      bundle: true,
      format: "esm",
      write: false,
    });
    expect(outputFiles[0]!.text.includes("@compute")).toBe(carries);
  });
});

test("the sizes in the README are correct to a tenth", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const pages = {
    "only predicts": ["createBackend", "createEvaluator", "loadModel"],
    trains: [
      "createBackend",
      "createTrainer",
      "dense",
      "makeClassificationDataset",
      "optimizers",
      "schedules",
      "sequential",
    ],
  };
  for (const [what, names] of Object.entries(pages)) {
    const chunks = await bundle(names);
    const [, ...claimed] = new RegExp(`\\| ${what}${" \\| ([\\d.]+) kB".repeat(4)} \\|`).exec(readme) ?? [];
    const first = loadedWith(
      chunks,
      chunks.find(({ isEntry }) => isEntry)!,
    );
    const backends = Object.values(backendMarks).map((mark) => chunks.find(({ code }) => code.includes(mark))!);
    const parts = [
      first,
      ...backends.map((backend) => loadedWith(chunks, backend).filter((chunk) => !first.includes(chunk))),
    ];
    parts.map(compressed).forEach((bytes, part) => {
      expect(
        Math.abs(bytes / 1000 / Number(claimed[part]) - 1),
        `${what}: ${parts.map(compressed).join(", ")} bytes`,
      ).toBeLessThan(0.1);
    });
  }
});
