import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const repository = fileURLToPath(new URL("..", import.meta.url));
const shader = "../../../shaders/matmul.wgsl?raw";
const packages = ["node:fs", "node:fs/promises", "fs", "path", "webgpu", "commander"];

/** The folders of those that use the library. */
const users = ["bench", "cluster", "node", "cli", "web"];

/** The specifiers that a file may import, and those that it may not. */
interface ImportRules {
  allowed: string[];
  forbidden: string[];
}

const folders: Record<string, ImportRules> = {
  "src/errors.ts": { allowed: ["./random.ts", "./text.ts"], forbidden: ["./graph/graph.ts", ...packages] },
  "src/index.ts": {
    allowed: ["./errors.ts", "./graph/detour.ts", "./train/fit.ts", "./backends/webgpu/index.ts"],
    forbidden: [
      "./bench/index.ts",
      "./cluster/queue.ts",
      "./formats/onnx/index.ts",
      "./node/files.ts",
      "./web/page.ts",
      "../shaders/matmul.wgsl?raw",
      ...packages,
    ],
  },
  "src/graph/graph.ts": {
    allowed: ["../errors.ts", "../random.ts", "./tensor.ts"],
    forbidden: [
      ...fromFolder("ops", "device", "compiler", "backends", "nn", "train", "data", "formats", ...users),
      shader,
      ...packages,
    ],
  },
  "src/ops/matmul/index.ts": {
    allowed: ["../../errors.ts", "../../graph/graph.ts", "../reduce/index.ts"],
    forbidden: [
      ...fromInnerFolder("device", "compiler", "backends", "nn", "train", "data", "formats", ...users),
      "./cpu.ts",
      "./webgpu.ts",
      "./webgpu-tilings.ts",
      "../webgpu/wgsl.ts",
      "./wasm.ts",
      "../wasm/words.ts",
      "../reduce/cpu.ts",
      "../reduce/position.ts",
      shader,
      ...packages,
    ],
  },
  "src/ops/matmul/position.ts": {
    allowed: ["./index.ts", "../position-rule.ts", "../elementwise/index.ts"],
    forbidden: [...fromInnerFolder("backends", "nn", "train"), "./cpu.ts", "./webgpu.ts", "./wasm.ts", shader],
  },
  "src/ops/matmul/cpu.ts": {
    allowed: ["../../graph/graph.ts", "./index.ts", "../reduce/cpu.ts"],
    forbidden: [
      ...fromInnerFolder("device", "compiler", "backends", "nn", "train", "data"),
      "./webgpu.ts",
      "../webgpu/wgsl.ts",
      shader,
      ...packages,
    ],
  },
  "src/ops/matmul/webgpu.ts": {
    allowed: [
      "../../graph/graph.ts",
      "./index.ts",
      "./webgpu-tilings.ts",
      "../elementwise/webgpu.ts",
      "../webgpu/wgsl.ts",
      shader,
    ],
    forbidden: [...fromInnerFolder("device", "compiler", "backends", "nn", "train", "data"), "./cpu.ts", ...packages],
  },
  "src/ops/matmul/webgpu-tilings.ts": {
    allowed: ["../kernel.ts", "./index.ts", shader],
    forbidden: [...fromInnerFolder("device", "compiler", "backends"), "./cpu.ts", ...packages],
  },
  "src/ops/webgpu/wgsl.ts": {
    allowed: ["../kernel.ts", shader],
    forbidden: [...fromInnerFolder("device", "compiler", "backends"), "../matmul/cpu.ts", ...packages],
  },
  "src/ops/matmul/wasm.ts": {
    allowed: ["../wasm-kernel.ts", "./index.ts", "../wasm/words.ts"],
    forbidden: [
      ...fromInnerFolder("device", "compiler", "backends", "nn", "train", "data"),
      "./cpu.ts",
      "./webgpu-tilings.ts",
      shader,
      ...packages,
    ],
  },
  "src/device/device.ts": {
    allowed: ["../errors.ts", "./buffers.ts", shader],
    forbidden: [...fromFolder("graph", "ops", "backends", "nn", "train", "data", "formats", ...users), ...packages],
  },
  "src/compiler/plan.ts": {
    allowed: ["../ops/layout/index.ts", "../graph/graph.ts", "./backend-rules.ts"],
    forbidden: [
      ...fromFolder("device", "backends", "nn", "train", "data", "formats", ...users),
      "../ops/kernel.ts",
      "../ops/matmul/webgpu.ts",
      "../ops/matmul/wasm.ts",
      "../ops/matmul/cpu.ts",
      shader,
      ...packages,
    ],
  },
  "src/backends/webgpu/compile.ts": {
    allowed: [
      "../backend.ts",
      "../../ops/webgpu.ts",
      "../../device/device.ts",
      "../../compiler/plan.ts",
      "../../graph/graph.ts",
      shader,
    ],
    forbidden: [...fromInnerFolder("nn", "train", "data", "formats", ...users), ...packages],
  },
  "src/nn/sequential.ts": {
    allowed: ["../errors.ts", "../random.ts", "../graph/graph.ts", "../ops/matmul/index.ts"],
    forbidden: [
      ...fromFolder("device", "backends", "train", "data", "formats", ...users),
      "../ops/matmul/cpu.ts",
      "../ops/matmul/webgpu.ts",
      "./layers/dense/onnx.ts",
      "./layers/dense/pytorch.ts",
      shader,
      ...packages,
    ],
  },
  "src/nn/layers/dense/onnx.ts": {
    allowed: ["../../../errors.ts", "../activation/onnx.ts", "../forms.ts"],
    forbidden: [
      "../../../formats/onnx/protobuf.ts",
      "../../../train/fit.ts",
      "../../../ops/matmul/cpu.ts",
      "@bufbuild/protobuf",
      ...packages,
    ],
  },
  "src/train/fit.ts": {
    allowed: [...fromFolder("graph", "ops", "nn", "data", "formats"), "../backends/backend.ts"],
    forbidden: [
      ...fromFolder("device", "backends", ...users),
      "../backends/index.ts",
      "../backends/cpu/index.ts",
      "../backends/webgpu/index.ts",
      shader,
      ...packages,
    ],
  },
  "src/train/callbacks/checkpoint.ts": {
    allowed: ["../fit.ts", "../../backends/backend.ts", "../../data/order.ts"],
    forbidden: ["../../backends/cpu/index.ts", "../../device/device.ts", "../../node/files.ts"],
  },
  "src/data/mnist.ts": {
    allowed: ["../errors.ts", "../random.ts", "./idx.ts"],
    forbidden: [
      ...fromFolder("graph", "ops", "device", "backends", "nn", "train", "formats", ...users),
      shader,
      ...packages,
    ],
  },
  "src/data/text/byte-pairs/index.ts": {
    allowed: ["../../../errors.ts", "../tokenizer.ts", "@huggingface/tokenizers"],
    forbidden: ["../../../graph/graph.ts", "../../../train/index.ts", "@huggingface/transformers", ...packages],
  },
  "src/data/text/bytes.ts": {
    allowed: ["../../errors.ts", "./tokenizer.ts"],
    forbidden: ["../../train/index.ts", "@huggingface/tokenizers", ...packages],
  },
  "src/formats/model.ts": {
    allowed: ["../errors.ts", "../graph/graph.ts", "../nn/sequential.ts", "../data/table-schema.ts"],
    forbidden: [
      ...fromFolder("ops", "device", "compiler", "backends", "train", ...users),
      shader,
      "@bufbuild/protobuf",
      ...packages,
    ],
  },
  "src/formats/onnx/graph.ts": {
    allowed: [
      "../../errors.ts",
      "../../graph/graph.ts",
      "../../nn/sequential.ts",
      "../model.ts",
      "@bufbuild/protobuf",
      "@bufbuild/protobuf/wkt",
    ],
    forbidden: [...fromInnerFolder("ops", "device", "backends", "train", ...users), shader, "@types/node", ...packages],
  },
  "src/bench/step.ts": {
    allowed: [
      ...fromFolder("graph", "ops", "device", "backends", "nn", "train", "data", "formats"),
      "../../shaders/matmul.wgsl?raw",
    ],
    forbidden: [...fromFolder("cluster", "node", "web"), ...packages],
  },
  "src/cluster/queue.ts": {
    allowed: [
      ...fromFolder("graph", "nn", "train", "data", "formats"),
      "@nats-io/jetstream",
      "@nats-io/transport-node",
    ],
    forbidden: [
      ...fromFolder("ops", "device", "compiler", "bench", "node", "cli", "web"),
      "@huggingface/tokenizers",
      shader,
      ...packages,
    ],
  },
  "src/node/files.ts": {
    allowed: [
      ...fromFolder("graph", "ops", "device", "backends", "nn", "train", "data", "formats", "bench"),
      "node:fs",
      "webgpu",
    ],
    forbidden: [...fromFolder("cluster", "cli", "web"), shader],
  },
  "src/cli/main.ts": {
    allowed: [
      ...fromFolder("graph", "ops", "device", "backends", "nn", "train", "data", "formats", "bench", "cluster", "node"),
      "node:fs",
      "commander",
    ],
    forbidden: [...fromFolder("web"), shader],
  },
  "src/web/page.ts": {
    allowed: [
      ...fromFolder("graph", "ops", "device", "backends", "nn", "train", "data", "formats", "bench"),
      "comlink",
    ],
    forbidden: [...fromFolder("node", "cli"), shader, "node:fs", "node:fs/promises", "webgpu", "commander"],
  },
};

/** Every form of an import, of a file that graph must not import. */
const forms = [
  'import { sum } from "../ops/reduce/index.ts";',
  'import type { Sum } from "../ops/reduce/index.ts";',
  'import "../ops/reduce/index.ts";',
  'export { sum } from "../ops/reduce/index.ts";',
  'export * from "../ops/reduce/index.ts";',
  'export const loaded = await import("../ops/reduce/index.ts");',
  'import { sum } from "./../ops/reduce/index.ts";',
  'import { sum } from "../graph/../ops/reduce/index.ts";',
];

let folder: string;
let reported: Finding[];

interface Finding {
  code: string;
  filename: string;
  labels: { span: { line: number } }[];
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-lint-"));
  copyFileSync(join(repository, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const [file, { allowed, forbidden }] of Object.entries(folders)) {
    write(file, [...allowed, ...forbidden].map(importLine));
  }
  for (const [index, form] of forms.entries()) write(`src/graph/form-${index}.ts`, [form]);
  write("src/graph/inline-type.ts", ['export type Sum = import("../ops/reduce/index.ts").Sum;']);
  write("src/graph/detour.ts", ['export { fit } from "../index.ts";']);
  write("src/train/data-type.ts", ['import type { Dataset } from "../data/dataset.ts";']);
  const oxlint = join(repository, "node_modules", ".bin", "oxlint");
  const { stdout } = spawnSync(oxlint, ["--format", "json"], { cwd: folder, encoding: "utf8" });
  ({ diagnostics: reported } = JSON.parse(stdout) as { diagnostics: Finding[] });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a folder imports only what the import directions allow", () => {
  test.each(Object.entries(folders))("%s", (file, { allowed, forbidden }) => {
    const specifiers = [...allowed, ...forbidden];
    expect(restrictedLines(file).map((line) => specifiers[line - 1])).toEqual(forbidden);
  });

  test.each(forms.map((form, index) => [form, index] as const))("%s", (_form, index) => {
    expect(restrictedLines(`src/graph/form-${index}.ts`)).toEqual([1]);
  });

  test("an inline type import, which the import rules do not see, is refused", () => {
    expect(codes("src/graph/inline-type.ts")).toContain("typescript(consistent-type-imports)");
  });

  test("an import of the library's entry from a folder is refused as a cycle", () => {
    expect(codes("src/graph/detour.ts")).toContain("import(no-cycle)");
  });

  test("train may import types from data", () => {
    expect(restrictedLines("src/train/data-type.ts")).toEqual([]);
  });
});

function codes(file: string): string[] {
  return reported.filter(({ filename }) => filename === file).map(({ code }) => code);
}

function restrictedLines(file: string): number[] {
  return reported
    .filter(({ code, filename }) => code === "eslint(no-restricted-imports)" && filename === file)
    .map(({ labels }) => labels[0]!.span.line)
    .toSorted((a, b) => a - b);
}

function write(file: string, lines: string[]): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
}

function importLine(specifier: string, index: number): string {
  return `import { value${index} } from "${specifier}";`;
}

/** Specifiers of files in other folders, from a file directly in a folder of src. */
function fromFolder(...names: string[]): string[] {
  return names.map((name) => `../${name}/part.ts`);
}

/** The same from a file in a subfolder. */
function fromInnerFolder(...names: string[]): string[] {
  return names.map((name) => `../../${name}/part.ts`);
}
