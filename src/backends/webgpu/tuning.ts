/*
 * Which tiling is fastest differs from GPU to GPU, and no rule of thumb knows them all. The tuner times the candidates on
 * the adapter at hand, one class of products after the other; its choices are kept by whoever has a place for them. As
 * every tiling gives the same bits, a choice changes speed and nothing else.
 */
import type { Device } from "../../device/device.ts";
import { defineGraph } from "../../graph/graph.ts";
import { parameter } from "../../graph/leaves.ts";
import { matmul, type MatmulAttributes } from "../../ops/matmul/index.ts";
import { possibleTilings, productClass } from "../../ops/matmul/tilings.ts";
import { Random } from "../../random.ts";
import { version } from "../../version.ts";
import { launchLimitsOf } from "./record.ts";
import { WebGPUSession } from "./session.ts";

/** Where choices are kept between processes, under a key that names adapter and library. */
export interface TuningStore {
  /** The text saved under the key, or undefined. */
  load(key: string): Promise<string | undefined>;
  save(key: string, text: string): Promise<void>;
}

/** The tiling's name for each class of products. */
export type TuningChoices = Readonly<Record<string, string>>;

/** Choices hold for this adapter, driver and version of wgrad. */
export function tuningKey({ gpu: { adapterInfo: info } }: Device): string {
  return ["wgrad", version, info.vendor, info.architecture, info.device, info.description].join("|");
}

/**
 * Reads kept choices; what cannot be read is ignored, with one line that says so.
 * @param log takes that line
 */
export async function loadChoices(store: TuningStore, key: string, log: (line: string) => void): Promise<TuningChoices> {
  try {
    const text = await store.load(key);
    if (text === undefined) return {};
    const kept: unknown = JSON.parse(text);
    if (isChoices(kept)) return kept;
    log("The tuner's kept choices are not of the form that this version writes; they are ignored.");
  } catch (error) {
    log(`The tuner's kept choices cannot be read (${error instanceof Error ? error.message : String(error)}); they are ignored.`);
  }
  return {};
}

function isChoices(kept: unknown): kept is TuningChoices {
  return typeof kept === "object" && kept !== null && !Array.isArray(kept) && Object.values(kept).every((name) => typeof name === "string");
}

/** One candidate's time for one class. */
export interface TuningResult {
  readonly product: string;
  readonly tiling: string;
  /** The fastest run of the product, in milliseconds; undefined where the candidate gave other bits and is out. */
  readonly milliseconds: number | undefined;
}

/** What one candidate may take for one class, so that a sweep stays a matter of seconds on the slowest adapter. */
const CANDIDATE_MILLISECONDS = 20;

/**
 * Times every possible tiling for each class of the products given.
 * @param report takes each result as it comes
 * @returns the fastest tiling of each class
 */
export async function tune(device: Device, products: readonly MatmulAttributes[], report: (result: TuningResult) => void): Promise<TuningChoices> {
  const classes = new Map(products.map((product) => [productClass(product), product]));
  const choices: Record<string, string> = {};
  for (const [product, attributes] of classes) {
    let best = Infinity;
    let expected: ArrayLike<number> | undefined;
    for (const tiling of Object.keys(possibleTilings(launchLimitsOf(device)))) {
      const { milliseconds, values } = await timeTiling(device, attributes, tiling);
      expected ??= values;
      const same = sameBits(values, expected);
      report({ product, tiling, milliseconds: same ? milliseconds : undefined });
      if (!same || milliseconds >= best) continue;
      best = milliseconds;
      choices[product] = tiling;
    }
  }
  return choices;
}

function sameBits(values: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  for (let index = 0; index < expected.length; index++) if (!Object.is(values[index], expected[index])) return false;
  return true;
}

async function timeTiling(device: Device, attributes: MatmulAttributes, tiling: string) {
  const session = new WebGPUSession(device, { guards: false, tilingOf: () => tiling });
  const executable = await session.compile(productGraph(attributes));
  await executable.run(0, 1);
  let milliseconds = await timeRuns(executable, 1);
  const steps = Math.max(1, Math.min(256, Math.floor(CANDIDATE_MILLISECONDS / 3 / milliseconds)));
  for (let repetition = 0; repetition < 3; repetition++) milliseconds = Math.min(milliseconds, await timeRuns(executable, steps));
  const values = await executable.read("product");
  session.dispose();
  return { milliseconds, values };
}

async function timeRuns(executable: { run(first: number, count: number): Promise<unknown> }, steps: number): Promise<number> {
  const began = performance.now();
  await executable.run(0, steps);
  return (performance.now() - began) / steps;
}

function productGraph({ rows, inner, columns, transposeLeft, transposeRight, precision }: MatmulAttributes) {
  const random = new Random(1);
  const drawn = (name: string, a: number, b: number) =>
    parameter(name, [a, b], Float32Array.from({ length: a * b }, () => random.uniform(-1, 1)));
  const left = transposeLeft ? drawn("left", inner, rows) : drawn("left", rows, inner);
  const right = transposeRight ? drawn("right", columns, inner) : drawn("right", inner, columns);
  return defineGraph({ product: matmul(left, right, { transposeLeft, transposeRight, precision }) });
}
