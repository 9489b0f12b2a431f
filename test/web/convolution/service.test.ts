import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/index.ts";
import {
  testedShifts,
  type AccuracyEvent,
  type ConvolutionEvent,
  type Frame,
  type PreparedEvent,
  type ShiftsEvent,
} from "../../../src/web/convolution/contract.ts";
import { createConvolutionService } from "../../../src/web/convolution/service/service.ts";
import { shiftsAlong } from "../../../src/web/convolution/settings.ts";
import { explain, stages, valueAt } from "../../../src/web/convolution/stages.ts";
import { acquireWasmBackend } from "../../wasm.ts";

let backend: Backend;
beforeAll(async () => (backend = await acquireWasmBackend()));
afterAll(() => backend.dispose());

const settings = { data: "digits", seed: 1, rate: 0.002, batch: 64 } as const;
const looked = { digit: 3, shift: [0, 0] } as const;

/** A service that trains on the built-in digits, its recorded events, and the last event of a kind. */
async function listen() {
  let used = backend;
  const service = createConvolutionService({ getBackend: async () => used, getPage: () => "http://localhost/" });
  const events: ConvolutionEvent[] = [];
  const waiting = new Set<() => void>();
  await service.subscribe((event) => {
    events.push(event);
    for (const look of waiting) look();
  });
  const last = <Event extends ConvolutionEvent>(kind: Event["kind"]) =>
    events.findLast((event) => event.kind === kind) as Event;
  /** Waits until a frame has this step. */
  const reached = (step: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (frame().step < step) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    });
  const frame = (): Frame => last<Extract<ConvolutionEvent, { kind: "frame" }>>("frame").frame;
  const use = (other: Backend) => void (used = other);
  return { service, events, last, frame, reached, use };
}

const largestOf = (values: Float32Array): number => Math.max(...values);

const largest = (values: Float32Array): number => values.indexOf(Math.max(...values));

describe("the service of the Convolution tab", () => {
  let tab: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    tab = await listen();
    await tab.service.configure(1, settings);
  });

  test("prepares two networks, and shows what they compute before the first step", () => {
    const prepared = tab.last<PreparedEvent>("prepared");
    expect(prepared).toMatchObject({ fresh: true, data: "built-in digits", trainingExamples: 5000 });
    // 8·(25+1) + 16·(8·25+1) + 10·(256+1), and 32·(784+1) + 10·(32+1).
    expect(prepared.parameters).toEqual({ convolution: 5994, dense: 25_450 });
    expect(tab.frame().step).toBe(0);
    expect(tab.frame().maps.map(({ length }) => length)).toEqual([24 * 24 * 8, 12 * 12 * 8, 8 * 8 * 16, 4 * 4 * 16]);
  });

  test("trains both networks, the convolutional one to a higher accuracy on shifted digits", async () => {
    const reached = tab.reached(150);
    await tab.service.start(2);
    await reached;
    await tab.service.pause(3);
    const { accuracies } = tab.last<AccuracyEvent>("accuracy");
    expect(accuracies.convolution[0]).toBeGreaterThan(0.85);
    expect(accuracies.dense[0]).toBeGreaterThan(0.75);
    const furthest = testedShifts.length - 1;
    expect(accuracies.convolution[furthest]).toBeGreaterThan(accuracies.dense[furthest]! + 0.05);
    expect(accuracies.dense[furthest]).toBeLessThan(accuracies.dense[0]! - 0.2);
  });

  test("every value of a frame is the sum or the largest value that the page shows for it", () => {
    const frame = tab.frame();
    stages.forEach(({ kind, maps, side }, stage) => {
      for (let map = 0; map < maps; map++) {
        const pixel = { stage, map, row: (map * 5) % side, column: (map * 3 + 1) % side };
        const { total } = explain(frame, pixel);
        const value = valueAt(frame.maps[stage]!, pixel);
        if (kind === "pooling") expect(value).toBe(total);
        // 200 products of numbers up to 10.
        else expect(Math.abs(value - Math.max(0, total))).toBeLessThan(1e-4);
      }
    });
  });

  test("shifts the picture, and the middle and the corner of the shifts are the answers for it", async () => {
    const { service, last, frame } = tab;
    await service.look(4, looked);
    const still = frame();
    const predictions = last<ShiftsEvent>("shifts").predictions;
    const width = shiftsAlong.length;
    expect(predictions.convolution).toHaveLength(width ** 2);
    const middle = (width ** 2 - 1) / 2;
    for (const network of ["convolution", "dense"] as const)
      expect(predictions[network][middle]).toBe(largest(still.probabilities[network]));
    await service.look(5, { ...looked, shift: [3, -3] });
    const moved = frame();
    const corner = width - 1;
    for (const network of ["convolution", "dense"] as const)
      expect(predictions[network][corner]).toBe(largest(moved.probabilities[network]));
    const [row, column] = [12, 14];
    expect(moved.picture[(row - 3) * 28 + column + 3]).toBe(still.picture[row * 28 + column]);
    expect(still.picture.some((ink, index) => ink > 128 && moved.picture[index - 3 * 28 + 3] === ink)).toBe(true);
    // A feature map moves with the picture.
    const value = (maps: Float32Array, y: number, x: number) => valueAt(maps, { stage: 0, map: 2, row: y, column: x });
    expect(value(moved.maps[0]!, 7, 13)).toBeCloseTo(value(still.maps[0]!, 10, 10), 5);
  });

  test("shows the drawing instead of a test image", async () => {
    const drawn = new Uint8Array(784).fill(7);
    await tab.service.look(6, { ...looked, drawn });
    expect(tab.frame().picture).toEqual(drawn);
  });

  test("keeps the networks if the settings are the same, and starts over with a reset or another seed", async () => {
    const { service, events, frame } = tab;
    const { step } = frame();
    await service.configure(7, { ...settings });
    await service.step(8);
    expect(frame().step).toBe(step + 1);
    const prepared = () => events.filter(({ kind }) => kind === "prepared").length;
    expect(prepared()).toBe(1);
    await service.reset(9);
    expect([frame().step, prepared()]).toEqual([0, 2]);
    const first = frame().filters[0]!.weights;
    await service.configure(10, { ...settings, seed: 2 });
    expect(prepared()).toBe(3);
    expect(frame().filters[0]!.weights).not.toEqual(first);
  });

  test("continues with the same weights after a change of the learning rate or the batch size", async () => {
    const { service, events, last, frame } = tab;
    await service.step(11);
    const before = frame();
    await service.configure(12, { ...settings, seed: 2, rate: 1e-6, batch: 16 });
    expect(last<PreparedEvent>("prepared").fresh).toBe(false);
    expect(frame()).toEqual(before);
    await service.step(13);
    expect(frame().step).toBe(before.step + 1);
    // Adam moves no weight by much more than the learning rate.
    const moved = frame().filters[0]!.weights.map((weight, index) =>
      Math.abs(weight - before.filters[0]!.weights[index]!),
    );
    expect(largestOf(moved)).toBeLessThan(1e-5);
    expect(largestOf(moved)).toBeGreaterThan(0);
    await service.configure(14, { ...settings, seed: 2 });
    expect(events.filter(({ kind }) => kind === "prepared").length).toBe(5);
  });

  test("trains between frames, however seldom they are wanted", async () => {
    const { service, events, last, frame } = tab;
    await service.setFrameTime(1e6);
    const before = frame().step;
    const shown = () => events.filter(({ kind }) => kind === "frame").length;
    const shownBefore = shown();
    const shiftsBefore = last<ShiftsEvent>("shifts");
    await service.start(15);
    // The predictions at every shift are shown while training runs, whenever their time has come.
    await expect.poll(() => last<ShiftsEvent>("shifts") !== shiftsBefore).toBe(true);
    const second = last<ShiftsEvent>("shifts");
    await expect.poll(() => last<ShiftsEvent>("shifts") !== second).toBe(true);
    await service.pause(16);
    expect(frame().step).toBeGreaterThanOrEqual(before + 2);
    // The last one is that of the pause.
    expect(shown() - shownBefore).toBeLessThanOrEqual(2);
    await service.setFrameTime(0);
  });

  test("continues with the saved weights on another device", async () => {
    const { service, last, frame, reached, use } = tab;
    const far = reached(frame().step + 3);
    await service.start(17);
    await far;
    await service.pause(18);
    const before = frame();
    const other = await acquireWasmBackend();
    use(other);
    await service.configure(19, { ...settings, seed: 2 });
    expect(last<PreparedEvent>("prepared").fresh).toBe(false);
    expect(frame().step).toBe(before.step);
    expect(frame().filters).toEqual(before.filters);
    expect(frame().probabilities).toEqual(before.probabilities);
    await service.step(20);
    expect(frame().step).toBe(before.step + 1);
    other.dispose();
  });
});
