import { describe, expect, test } from "vitest";

// The scripts are plain JavaScript that runs without a build: these are the types in their JSDoc.
interface Task {
  readonly batch: number;
  readonly count: number;
  readonly features: Uint8Array;
  readonly labels: Uint32Array;
  readonly scale: number;
  readonly offset: number;
  readonly order: Uint32Array;
}

interface Networks {
  readonly networks: Record<"dense" | "convolutional", { shapes: number[][] }>;
  networkNamed(name: string): { shapes: number[][] };
  initialParameters(network: string, draw: () => number): Float32Array[];
  permuted(values: Float32Array, shape: number[], order: number[]): { values: Float32Array; shape: number[] };
  channelsFirst(parameters: readonly Float32Array[]): { values: Float32Array; shape: number[] }[];
}

interface Batches {
  readyBatches<Ready>(
    task: Task,
    upload: (features: Float32Array, classes: Float32Array) => Ready,
  ): (step: number) => Ready;
}

interface Runtime {
  readonly name: string;
  readonly device: string;
}

interface Rows {
  readonly allMeasures: readonly string[];
  applies(measure: string, runtime: Runtime): boolean;
}

type Results = Record<string, Record<string, object[]>>;

interface GrowthCase {
  readonly network: string;
  readonly batch: number;
}

interface Growth {
  readonly axes: Record<
    string,
    { readonly values: number[]; readonly quick: number[]; caseOf(value: number): GrowthCase }
  >;
  workOf(growthCase: GrowthCase): number;
  slopeOf(points: readonly { value: number; cost: number }[]): number | undefined;
}

interface SummaryRow {
  readonly label: string;
  readonly values: Record<string, unknown>;
}

interface Report {
  summarize(runtimes: readonly Runtime[], results: Results): SummaryRow[];
  tableText(runtimes: readonly Runtime[], summary: SummaryRow[], threads: Record<string, number | undefined>): string;
  goalLines(summary: SummaryRow[]): string[];
  markdownText(runtimes: readonly Runtime[], summary: SummaryRow[]): string;
  remarks(runtimes: readonly Runtime[], results: Results): string[];
}

const load = async <Module>(name: string) =>
  (await import(new URL(`../../bench/peers/${name}.mjs`, import.meta.url).href)) as Module;
const { networks, networkNamed, initialParameters, permuted, channelsFirst } = await load<Networks>("networks");
const growth = await load<Growth>("growth/axes");
const { readyBatches } = await load<Batches>("runtimes/batches");
const { allRuntimes } = await load<{ allRuntimes: readonly Runtime[] }>("runtimes/index");
const { allMeasures, applies } = await load<Rows>("measures/rows");
const { summarize, tableText, goalLines, markdownText, remarks } = await load<Report>("report/table");

const counting = (length: number) => Float32Array.from({ length }, (_, index) => index);

describe("the networks of the comparison", () => {
  test("have the parameters that their titles say", () => {
    const sizes = (network: string) => initialParameters(network, () => 1).map(({ length }) => length);
    expect(sizes("dense")).toEqual([784 * 128, 128, 1280, 10]);
    expect(sizes("convolutional").reduce((all, one) => all + one, 0)).toBe(32_058);
  });

  test("start from weights within the bound of He, and biases of 0", () => {
    const [kernel, biases] = initialParameters("convolutional", () => -1);
    expect(kernel![0]).toBeCloseTo(-Math.sqrt(6 / 9), 6);
    expect(new Set(biases)).toEqual(new Set([-0]));
  });

  test("move axes as a transpose does", () => {
    // [2, 3, 4] to [4, 2, 3]: element [k, i, j] is [i, j, k].
    const { values, shape } = permuted(counting(24), [2, 3, 4], [2, 0, 1]);
    expect(shape).toEqual([4, 2, 3]);
    expect([values[0], values[1], values[6], values[3 * 6 + 1 * 3 + 2]]).toEqual([0, 4, 1, 1 * 12 + 2 * 4 + 3]);
  });

  test("give libraries with the channels first the same kernels and last weights", () => {
    const parameters = networks.convolutional.shapes.map((shape) => counting(shape.reduce((all, one) => all * one, 1)));
    const given = channelsFirst(parameters);
    expect(given.map(({ shape }) => shape.length)).toEqual([4, 1, 4, 1, 4, 1, 4, 1, 2, 1]);
    // Filter 5, channel 2, row 1, column 0 of a [3, 3, 16, 32] kernel.
    expect(given[4]!.shape).toEqual([32, 16, 3, 3]);
    expect(given[4]!.values[((5 * 16 + 2) * 3 + 1) * 3]).toBe((3 * 16 + 2) * 32 + 5);
    // Channel 3, row 2, column 6, class 4.
    expect(given[8]!.values[((3 * 7 + 2) * 7 + 6) * 10 + 4]).toBe(((2 * 7 + 6) * 32 + 3) * 10 + 4);
  });
});

test("batches of the peers are the examples in their order, standardized, and used in turn", () => {
  const count = 110;
  const task: Task = {
    batch: 2,
    count,
    features: Uint8Array.from({ length: count * 784 }, (_, index) => Math.floor(index / 784)),
    labels: Uint32Array.from({ length: count }, (_, example) => example % 10),
    scale: 0.5,
    offset: -1,
    order: Uint32Array.from({ length: count }, (_, position) => count - 1 - position),
  };
  let uploads = 0;
  const batchAt = readyBatches(task, (features, classes) => ({ features, classes, upload: uploads++ }));
  expect(uploads).toBe(50);
  const { features, classes } = batchAt(1);
  // Examples 107 and 106.
  expect([features[0], features[783], features[784]]).toEqual([52.5, 52.5, 52]);
  expect(classes.findIndex((one) => one === 1)).toBe(7);
  expect(classes.lastIndexOf(1)).toBe(10 + 6);
  expect(batchAt(53).upload).toBe(3);
  expect(uploads).toBe(50);
});

describe("the report of the comparison", () => {
  const speeds = { wgrad: 20, tfjs: 2, jax: 4.5, "wgrad-wasm": 90, "wgrad-wasm1": 60, "jax-wasm": 30, pytorch: 87 };
  const results: Results = Object.fromEntries(allRuntimes.map(({ name }) => [name, {}]));
  for (const [name, imagesPerSecond] of Object.entries(speeds))
    results[name] = { batch64: [0.9, 1, 7].map((factor) => ({ imagesPerSecond: factor * imagesPerSecond })) };
  results["tfjs-wasm"] = { batch64: [{ failed: "the process ended" }], conv: [{ wrong: "the loss is 3" }] };
  results["wgrad"]!["calls"] = [{ dispatches: 7, passes: 0.1, submits: 0.04, bindGroups: 0, buffers: 1 }];
  const summary = summarize(allRuntimes, results);

  test("shows medians, and what failed", () => {
    const { values } = summary.find(({ label }) => label === "images/s, batch 64")!;
    expect(values).toEqual({ ...speeds, "tfjs-wasm": "failed" });
    expect(summary.find(({ label }) => label === "submits, 20 steps")!.values["wgrad"]).toBeCloseTo(0.8);
    expect(remarks(allRuntimes, results)).toEqual([
      "tfjs wasm, batch64: the process ended",
      "tfjs wasm, conv: the loss is 3",
    ]);
  });

  test("judges each goal of a row against its own peers", () => {
    expect(goalLines(summary)).toEqual([
      "dispatches, a step: wgrad webgpu at most 7: met",
      "compute passes, 20 steps: wgrad webgpu at most 1: missed",
      "submits, 20 steps: wgrad webgpu at most 1: met",
      "bind groups made, a step: wgrad webgpu at most 0: met",
      "buffers made, a step: wgrad webgpu at most 0: missed",
      "images/s, batch 64: wgrad webgpu at least 5 × tfjs webgpu and jax-js webgpu: floor met (4.44 ×)",
      "images/s, batch 64: wgrad wasm at least 2.5 × jax-js wasm: met (3 ×)",
      "images/s, batch 64: wgrad wasm at least 1 × PyTorch: met (1.03 ×)",
    ]);
  });

  test("compares with nobody if no peer was measured", () => {
    const alone = allRuntimes.filter(({ name }) => name === "wgrad-wasm");
    const lines = goalLines(summarize(alone, { "wgrad-wasm": { batch512: [{ imagesPerSecond: 9 }] } }));
    expect(lines).toEqual(["images/s, batch 512: wgrad wasm at least 0.7 × PyTorch: not compared"]);
  });

  test("fits into 100 columns, and says the threads of each column", () => {
    const [libraries, devices, threads, ...rows] = tableText(allRuntimes, summary, {
      "wgrad-wasm": 2,
      pytorch: 1,
    }).split("\n");
    expect(libraries).toMatch(/^ +wgrad +tfjs +jax-js +wgrad +wgrad +tfjs +jax-js +PyTorch$/);
    expect(devices).toMatch(/^( +webgpu){3}( +wasm){4} +cpu$/);
    expect(threads).toMatch(/^threads( +driver){3} +2( +driver){3} +1$/);
    expect(rows.length).toBe(summary.length);
    expect(Math.max(...[libraries!, ...rows].map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test("is also written in Markdown, with the goals beside the numbers", () => {
    const chosen = allRuntimes.filter(({ name }) => ["wgrad-wasm", "tfjs-wasm", "pytorch"].includes(name));
    expect(markdownText(chosen, summarize(chosen, { ...results, pytorch: {} }))).toBe(
      [
        "|  | wgrad wasm | tfjs wasm | PyTorch | goals |",
        "|---|---|---|---|---|",
        "| images/s, batch 64 | 90 | failed | – | wgrad wasm at least 2.5 × jax-js wasm: not compared; wgrad wasm at least 1 × PyTorch: not compared |",
        "| conv: images/s, batch 64 | – | wrong | – |  |",
        "",
      ].join("\n"),
    );
  });

  test("has measures that no other device than WebGPU can make", () => {
    const made = (device: string) => allMeasures.filter((measure) => applies(measure, { name: "any", device }));
    expect(allMeasures.filter((measure) => !made("wasm").includes(measure))).toEqual([
      "calls",
      "coldStart",
      "convCalls",
    ]);
    expect(made("wasm").filter((measure) => !made("cpu").includes(measure))).toEqual(["start"]);
    expect(made("webgpu")).toEqual(allMeasures);
  });
});

describe("the growth of a step", () => {
  const { axes, workOf, slopeOf } = growth;

  test("is measured over cases whose work is that of their products", () => {
    // Forward 784 · 128 + 128 · 10, and twice as much backward except for the gradient of the examples.
    expect(workOf(axes["batch"]!.caseOf(7))).toBe(7 * (3 * (784 * 128 + 1280) - 784 * 128));
    expect(workOf(axes["depth"]!.caseOf(3))).toBe(64 * (3 * (784 * 128 + 2 * 128 ** 2 + 1280) - 784 * 128));
    const [first, ...others] = [64 * 9 * 16, 64 * 9 * 256, 16 * 9 * 512, 16 * 9 * 1024, 4 * 320];
    const products = [first!, ...others].reduce((sum, one) => sum + one, 0);
    expect(workOf(axes["image"]!.caseOf(8))).toBe(16 * (3 * products - first!));
    // Two blocks: 3 + 1 + 4 + 4 products with 128² weights, and the scores and the values of 32 / 2 keys on average.
    const ofToken = 2 * (12 * 128 ** 2 + 2 * 16 * 128) + 65 * 128;
    expect(workOf(axes["context"]!.caseOf(32))).toBe(3 * 2 * 32 * ofToken);
    for (const { values, quick, caseOf } of Object.values(axes)) {
      const works = values.map((value) => workOf(caseOf(value)));
      expect(works).toEqual(works.toSorted((a, b) => a - b));
      expect(quick.every((value) => values.includes(value))).toBe(true);
    }
    const ends = Object.entries(axes).map(([name, { values }]) => [name, values[0], values.at(-1)]);
    expect(ends).toEqual([
      ["batch", 1, 8192],
      ["width", 16, 4096],
      ["depth", 1, 40],
      ["image", 8, 128],
      ["context", 16, 512],
    ]);
  });

  test("has the exponent of its upper half as the slope", () => {
    const costs = (cost: (value: number) => number, ...values: number[]) =>
      values.map((value) => ({ value, cost: cost(value) }));
    expect(slopeOf(costs((value) => 3 * value ** 2, 1, 2, 4, 8, 16))).toBeCloseTo(2, 12);
    // A constant part below 100 does not count.
    expect(slopeOf(costs((value) => Math.max(100, value), 1, 10, 100, 1000, 10_000))).toBeCloseTo(1, 12);
    expect(slopeOf(costs(() => 5, 8))).toBeUndefined();
  });

  test("has networks of other sizes by their names", () => {
    expect(networkNamed("dense 16×2").shapes).toEqual([[784, 16], [16], [16, 16], [16], [16, 10], [10]]);
    expect(networkNamed("convolutional 8").shapes[8]).toEqual([128, 10]);
    expect(() => networkNamed("recurrent 8")).toThrow('there is no network "recurrent 8"');
  });
});
