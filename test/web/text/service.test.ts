import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/index.ts";
import type { PreparedEvent, Sample, TextEvent, TextRunSettings } from "../../../src/web/text/contract.ts";
import { createTextService } from "../../../src/web/text/service/service.ts";
import { attentionAt, correction, probabilitiesAt, rowOf } from "../../../src/web/text/state/reading.ts";
import { acquireWasmBackend } from "../../wasm.ts";

let backend: Backend;
beforeAll(async () => (backend = await acquireWasmBackend()));
afterAll(() => backend.dispose());

/** One layer learns to reverse five letters in about 100 steps. */
const settings: TextRunSettings = {
  data: "reversing",
  layers: 1,
  heads: 2,
  width: 32,
  context: 16,
  seed: 1,
  rate: 0.01,
  batch: 64,
};

/** "the cat sat. the dog sat. " and so on, in an order that a bigram cannot know. */
const verse = Array.from({ length: 80 }, (_, line) => `the ${["cat", "dog", "cow"][(line * line) % 3]} sat. `).join("");

type Of<Kind extends TextEvent["kind"]> = Extract<TextEvent, { kind: Kind }>;

/** A service, its recorded events, and the last event of a kind. */
async function listen() {
  let used = backend;
  const service = createTextService(async () => used);
  const events: TextEvent[] = [];
  const waiting = new Set<() => void>();
  await service.subscribe((event) => {
    events.push(event);
    for (const look of waiting) look();
  });
  const last = <Kind extends TextEvent["kind"]>(kind: Kind) =>
    events.findLast((event) => event.kind === kind) as Of<Kind>;
  const sample = (): Sample => last("sample").sample;
  /** Waits until an event of progress has this step. */
  const reached = (step: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!(last("progress")?.step >= step)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    });
  /** The rows of the last sample as text. */
  const texts = () => {
    const { characters } = last("prepared");
    return Array.from({ length: sample().rows }, (_, row) =>
      Array.from(rowOf(sample(), row), (token) => characters[token]).join(""),
    );
  };
  const use = (other: Backend) => void (used = other);
  return { service, events, last, sample, reached, texts, use };
}

const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

describe("the service of the Text tab", () => {
  let tab: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    tab = await listen();
    await tab.service.configure(1, settings);
  });

  test("prepares a network, and shows what it writes before the first step", () => {
    const prepared: PreparedEvent = tab.last("prepared");
    expect(prepared).toMatchObject({ fresh: true, data: "reversing", layers: 1, heads: 2, training: 9000, test: 400 });
    expect(prepared.characters.join("")).toBe("=abcdefghij");
    // Embeddings of 11 characters and 10 positions; 12 · width² weights, 13 · width biases and norms; the last norm.
    expect(prepared.parameters).toBe((11 + 10) * 32 + 12 * 32 ** 2 + 13 * 32 + 2 * 32);
    expect(prepared.references.uniform).toBeCloseTo(Math.log2(11), 10);
    // The letters of the answers are almost uniform, and independent of those before.
    expect(prepared.references.unigram).toBeCloseTo(Math.log2(10), 2);
    expect(prepared.references.bigram).toBeCloseTo(Math.log2(10), 1);
    const sample = tab.sample();
    expect(sample).toMatchObject({ step: 0, rows: 8, length: 11, given: 6 });
    for (const text of tab.texts()) expect(text).toMatch(/^[a-j]{5}=/);
    // Vectors of 32 normal numbers: the largest of them is the unit of the bytes.
    expect(sample.vectors).toHaveLength(11 * 32);
    expect(sample.vectors.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBe(127);
  });

  test("learns the task, and is right about unseen questions", async () => {
    const reached = tab.reached(150);
    await tab.service.start(2);
    await reached;
    await tab.service.setTemperature(3, 0);
    await tab.service.pause(4);
    expect(tab.last("test").exact).toBeGreaterThan(0.95);
    expect(tab.last("test").loss).toBeLessThan(0.3);
    expect(tab.last("progress").loss).toBeLessThan(0.3);
    expect(tab.last("progress").tokensPerSecond).toBeGreaterThan(0);
    const right = tab.texts().filter((text) => Array.from(text.slice(0, 5)).toReversed().join("") === text.slice(6));
    expect(right.length).toBeGreaterThanOrEqual(7);
    const sample = tab.sample();
    const marked = Array.from({ length: 8 }, (_, row) => correction(sample, row)).filter((answer) => !answer);
    expect(marked).toHaveLength(right.length);
  });

  test("a sample's logits are those of the written characters, and attention finds the letter to copy", () => {
    const sample = tab.sample();
    let found = 0;
    for (let row = 0; row < sample.rows; row++)
      for (let place = sample.given; place < sample.length; place++) {
        // With a temperature of 0, the likeliest character was written.
        expect(largest(probabilitiesAt(sample, { row, place }, 1)!)).toBe(rowOf(sample, row)[place]);
        const heads = [0, 1].map((head) => attentionAt(sample, { row, place }, { layer: 0, head }));
        for (const weights of heads) {
          expect(weights).toHaveLength(place);
          // Each of at most ten bytes is rounded.
          expect(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(5.5 / 255);
        }
        if (heads.some((weights) => largest(weights) === sample.length - 1 - place)) found++;
      }
    expect(found).toBeGreaterThanOrEqual(0.9 * 40);
  });

  test("continues after a change of the learning rate, and starts over after one of the seed", async () => {
    const { service, last, sample } = tab;
    const { step } = sample();
    await service.configure(5, { ...settings, rate: 0.001 });
    expect(last("prepared").fresh).toBe(false);
    expect(sample().step).toBe(step);
    await service.step(6);
    expect(sample().step).toBe(step + 1);
    expect(last("test")).toMatchObject({ step: step + 1 });
    expect(last("test").exact).toBeGreaterThan(0.9);
    await service.configure(7, { ...settings, seed: 2 });
    expect(last("prepared").fresh).toBe(true);
    expect(sample().step).toBe(0);
  });

  test("continues with the saved weights on another device", async () => {
    const { service, last, sample, use } = tab;
    await service.step(8);
    await service.pause(9);
    const before = sample();
    const other = await acquireWasmBackend();
    use(other);
    await service.configure(10, { ...settings, seed: 2 });
    expect(last("prepared").fresh).toBe(false);
    expect(sample().step).toBe(before.step);
    expect(sample().logits).toEqual(before.logits);
    use(backend);
    other.dispose();
  });

  test("learns an own text, whose samples continue the text that is only tested with", async () => {
    const { service, last, sample, texts } = tab;
    const text = verse.trim();
    await service.configure(11, { ...settings, data: "own", text });
    const prepared = last("prepared");
    expect(prepared.characters).toEqual([...new Set(text)].sort());
    expect([prepared.training, prepared.test]).toEqual([
      Math.floor(0.9 * text.length),
      text.length - Math.floor(0.9 * text.length),
    ]);
    expect(prepared.references.bigram).toBeLessThan(prepared.references.unigram);
    expect(sample()).toMatchObject({ rows: 1, length: 17, given: 8 });
    expect(sample().answers).toBeUndefined();
    expect(texts()[0]!.slice(0, 8)).toBe(text.slice(prepared.training, prepared.training + 8));
    await service.step(12);
    expect(last("test").exact).toBeUndefined();
    expect(last("test").loss).toBeLessThan(prepared.references.uniform + 0.5);
  });
});
