import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { points, type Backend } from "../../../src/index.ts";
import { CURVE_POINTS, PLANE_SIDE, SURFACE_SIDE, type PlaygroundEvent } from "../../../src/web/playground/contract.ts";
import { createPlaygroundService } from "../../../src/web/playground/service/service.ts";
import { EXTENT } from "../../../src/web/playground/settings.ts";
import type { PlaygroundState } from "../../../src/web/playground/state/index.ts";
import { backends } from "../../backends.ts";
import { configOf, listen, pictureIndex } from "./listen.ts";

const mostSteps = 4000;

describe.each(backends)("the playground on $name", ({ create }) => {
  let backend: Backend;
  let playground: ReturnType<typeof listen>;
  beforeAll(async () => (backend = await create()));
  beforeEach(() => (playground = listen(backend)));
  afterAll(() => backend.dispose());

  test("a network with a hidden layer learns XOR, and its picture agrees", async () => {
    const config = configOf("classify", {
      data: "xor",
      noise: 0,
      count: 100,
      layers: [{ units: 8, activation: "tanh" }],
      learningRate: 0.03,
    });
    await playground.api.configure(config);
    const start = playground.last();
    expect(start.step).toBe(0);
    expect(start.accuracy).toBeLessThan(1);
    const end = await playground.trainUntil(
      ({ accuracy, testAccuracy, step }) => (accuracy === 1 && testAccuracy > 0.97) || step > mostSteps,
    );
    expect(end.accuracy).toBe(1);
    expect(end.testAccuracy).toBeGreaterThan(0.97);
    expect(end.loss).toBeLessThan(start.loss / 2);
    expect(end.outputs).toHaveLength(PLANE_SIDE ** 2);
    for (const [x, y] of [
      [0.6, 0.6],
      [-0.6, 0.6],
      [-0.6, -0.6],
      [0.6, -0.6],
    ] as const) {
      const probability = end.outputs[pictureIndex(x, y)]!;
      expect(x * y < 0 ? probability : 1 - probability).toBeGreaterThan(0.7);
    }
    expect(end.hidden.map(({ units, values }) => [units, values.length])).toEqual([[8, 8 * PLANE_SIDE ** 2]]);
    expect(end.weights.map(({ length }) => length)).toEqual([2 * 8, 8]);
    // Along x, the sum of a unit grows by its weight of x. In the middle, tanh is not saturated.
    const [middle, unit] = [(PLANE_SIDE / 2) * (PLANE_SIDE + 1), 3];
    const [before, after] = [middle - 1, middle].map((at) =>
      Math.atanh(end.hidden[0]!.values[unit * PLANE_SIDE ** 2 + at]!),
    );
    const spacing = (2 * EXTENT) / (PLANE_SIDE - 1);
    expect((after! - before!) / spacing).toBeCloseTo(end.weights[0]![unit]!, 3);
    for (const value of end.hidden[0]!.values) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    // A unit is tanh(w·x + b), which is monotonic along each row of its picture.
    const row = [...end.hidden[0]!.values.subarray(3 * PLANE_SIDE ** 2, 3 * PLANE_SIDE ** 2 + PLANE_SIDE)];
    const steps = row.slice(1).map((value, index) => value - row[index]!);
    expect(steps.every((change) => change >= 0) || steps.every((change) => change <= 0)).toBe(true);
  });

  test.each(["softmaxCrossEntropy", "meanSquaredError"] as const)(
    "%s separates the linear set, its picture are shares",
    async (loss) => {
      await playground.api.configure(
        configOf("classify", { data: "linear", noise: 0, count: 60, loss, layers: [], learningRate: 0.1 }),
      );
      const end = await playground.trainUntil(({ accuracy, step }) => accuracy === 1 || step > mostSteps);
      expect(end.accuracy).toBe(1);
      expect(end.hidden).toEqual([]);
      expect(end.outputs[pictureIndex(0.9, 0.9)]).toBeGreaterThan(0.6);
      expect(end.outputs[pictureIndex(-0.9, -0.9)]).toBeLessThan(0.4);
    },
  );

  test("regression fits a sine", async () => {
    await playground.api.configure(configOf("regress", { data: "sine", noise: 0, count: 60, learningRate: 0.03 }));
    const end = await playground.trainUntil(({ loss, step }) => loss < 0.002 || step > mostSteps);
    expect(end.loss).toBeLessThan(0.002);
    expect(end.accuracy).toBeNaN();
    expect(end.outputs).toHaveLength(CURVE_POINTS);
    end.outputs.forEach((y, index) => {
      const x = EXTENT * ((2 * index) / (CURVE_POINTS - 1) - 1);
      // A mean squared error of 0.002 is a standard deviation of 0.045. The bound is four of them.
      if (Math.abs(x) < 0.9) expect(Math.abs(y - 0.8 * Math.sin(1.5 * Math.PI * x))).toBeLessThan(0.18);
    });
  });

  test("the perceptron separates the points, and then its weights no longer change", async () => {
    await playground.api.configure(configOf("neuron", { data: "linear", noise: 0, count: 60, seed: 6 }));
    const end = await playground.trainUntil(({ accuracy, step }) => accuracy === 1 || step > mostSteps);
    expect(end.accuracy).toBe(1);
    const [w1, w2, b] = end.parameters;
    const { features, labels } = points.linear({ count: 60, seed: 6 });
    labels.forEach((label, index) => {
      const side = w1! * features[2 * index]! + w2! * features[2 * index + 1]! + b!;
      expect(side > 0).toBe(label === 1);
    });
    for (let step = 0; step < 3; step++) await playground.api.step();
    expect([...playground.last().parameters]).toEqual([w1, w2, b]);
    expect(new Set(end.outputs)).toEqual(new Set([0, 1]));
  });

  test("one step of the perceptron is Rosenblatt's rule", async () => {
    // One point of class 1, for which the initial weights predict class 0.
    for (const seed of [1, 2, 3, 4]) {
      const [x, y] = [0.5, -0.25];
      const point = (label: number) =>
        ({ data: "own", points: [[x, y, label]], learningRate: 0.3, seed, batch: 1 }) as const;
      await playground.api.configure(configOf("neuron", point(1)));
      await playground.api.reset();
      const [w1, w2, b] = playground.last().parameters;
      const said = w1! * x + w2! * y + b! > 0 ? 1 : 0;
      await playground.api.configure(configOf("neuron", point(1 - said)));
      await playground.api.step();
      const change = 0.3 * (1 - 2 * said);
      const expected = [w1! + change * x, w2! + change * y, b! + change];
      // Two roundings of float32 values below 2.
      playground
        .last()
        .parameters.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(2 ** -22));
    }
  });

  test("a logistic neuron lowers its loss", async () => {
    await playground.api.configure(
      configOf("neuron", { data: "linear", rule: "logistic", learningRate: 1, batch: 1024 }),
    );
    const start = playground.last().loss;
    const end = await playground.trainUntil(({ step }) => step >= 60);
    expect(end.loss).toBeLessThan(start / 2);
  });

  test("starts a run with the first point", async () => {
    await playground.api.configure(configOf("classify", { data: "own" }));
    expect(playground.events.map(({ kind }) => kind)).toEqual(["problem"]);
    await playground.api.step();
    expect(playground.frames()).toEqual([]);
    await playground.api.configure(configOf("classify", { data: "own", points: [[0.5, 0.5, 1]] }));
    await playground.api.step();
    expect(playground.last().step).toBe(1);
    const problem = playground.events.filter((event) => event.kind === "problem").at(-1)!;
    expect(problem.problem.points).toHaveLength(0);
  });

  describe("loss surface", () => {
    const closedForms = {
      line: (x: number, y: number, [a, b]: readonly [number, number]) => (a * x + b - y) ** 2,
      saddle: (x: number, y: number, [a, b]: readonly [number, number]) => (b * Math.tanh(a * x) - y) ** 2,
      logistic: (x: number, y: number, [a, b]: readonly [number, number]) =>
        Math.log(1 + Math.exp((y ? -1 : 1) * (a * x + b))),
      squared: (x: number, y: number, [a, b]: readonly [number, number]) => (1 / (1 + Math.exp(-(a * x + b))) - y) ** 2,
    };

    test.each(Object.keys(closedForms) as (keyof typeof closedForms)[])(
      "%s: as its formula says, everywhere",
      async (model) => {
        await playground.api.configure(configOf("surface", { model, noise: 0.3, seed: 7 }));
        const event = playground.events.find((told) => told.kind === "problem")!;
        const { points: rows, surface } = event.problem;
        const { losses, extent } = surface!;
        expect(losses).toHaveLength(SURFACE_SIDE ** 2);
        const count = rows.length / 3;
        expect(count).toBe(40);
        losses.forEach((loss, index) => {
          const at = (position: number) => extent * ((2 * position) / (SURFACE_SIDE - 1) - 1);
          const place = [at(index % SURFACE_SIDE), at(Math.floor(index / SURFACE_SIDE))] as const;
          let expected = 0;
          for (let row = 0; row < count; row++)
            expected += closedForms[model](rows[3 * row]!, rows[3 * row + 1]!, place) / count;
          // About ten float32 roundings along a sum of 40 terms, for losses up to 20 and squared arguments.
          expect(Math.abs(loss - expected), `at ${place.join()}`).toBeLessThan(
            16 * 2 ** -24 * Math.sqrt(40) * Math.max(1, expected),
          );
        });
      },
    );

    test("descent with momentum follows its recurrence and ends at the least squares solution", async () => {
      await playground.api.configure(
        configOf("surface", { model: "line", noise: 0.3, start: [-0.5, 0.75], momentum: 0.8, learningRate: 0.1 }),
      );
      const { points: rows } = playground.events.find((event) => event.kind === "problem")!.problem;
      for (let step = 0; step < 5; step++) await playground.api.step();
      const path = playground.frames().flatMap((frame) => [...frame.path]);
      let [a, b, da, db] = [-1, 1.5, 0, 0];
      const expected = [a, b];
      const count = rows.length / 3;
      for (let step = 0; step < 5; step++) {
        let [ga, gb] = [0, 0];
        for (let row = 0; row < count; row++) {
          const error = a * rows[3 * row]! + b - rows[3 * row + 1]!;
          ga += (2 * error * rows[3 * row]!) / count;
          gb += (2 * error) / count;
        }
        [da, db] = [0.8 * da - 0.1 * ga, 0.8 * db - 0.1 * gb];
        [a, b] = [a + da, b + db];
        expected.push(a, b);
      }
      expect(path).toHaveLength(12);
      // Five steps in float32 with values below 4.
      path.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(2 ** -19));
    });
  });
});

describe("commands", () => {
  let playground: ReturnType<typeof listen>;
  let backend: Backend;
  beforeEach(async () => {
    backend = await backends[0]!.create();
    playground = listen(backend);
  });
  const small = (settings: Partial<PlaygroundState["classify"]> = {}) =>
    configOf("classify", { count: 20, layers: [{ units: 2, activation: "tanh" }], ...settings });
  const fresh = () => playground.events.flatMap((event) => (event.kind === "problem" ? [event.fresh] : []));

  test("start trains, pause stops, step runs one step, and reset starts over with the same loss", async () => {
    await playground.api.configure(small());
    const first = playground.last();
    await playground.trainUntil(({ step }) => step >= 20);
    const held = playground.last().step;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(playground.last().step).toBe(held);
    await playground.api.step();
    expect(playground.last().step).toBe(held + 1);
    await playground.api.reset();
    expect(playground.last()).toMatchObject({ step: 0, loss: first.loss, testLoss: first.testLoss });
    expect(playground.last().outputs).toEqual(first.outputs);
    expect(fresh()).toEqual([true, true]);
  });

  test("reports that nothing is left to do after the last frame, and not while it trains", async () => {
    await playground.api.configure(small());
    await playground.trainUntil(({ step }) => step >= 20);
    const { step } = playground.last();
    expect(playground.idle).toEqual([
      { request: 1, step: 0 },
      { request: 3, step },
    ]);
    await playground.api.step();
    expect(playground.idle.at(-1)).toEqual({ request: 4, step: step + 1 });
  });

  test("a second start has no effect", async () => {
    await playground.api.configure(small());
    await playground.api.start();
    await playground.trainUntil(({ step }) => step >= 2);
    expect(playground.events.filter(({ kind }) => kind === "running")).toEqual([
      { kind: "running", running: true },
      { kind: "running", running: false },
    ]);
  });

  test("a change of points, learning rate, loss or batch size continues training, one of network, optimizer or seed restarts it", async () => {
    await playground.api.configure(small());
    for (let step = 0; step < 3; step++) await playground.api.step();
    const { outputs } = playground.last();
    const going: Partial<PlaygroundState["classify"]>[] = [
      { learningRate: 0.3 },
      { points: [[0, 0, 1]] },
      { data: "xor" },
      { batch: 1024 },
      { loss: "meanSquaredError" },
      { share: 80 },
      { regularization: "l2" },
    ];
    for (const change of going) {
      await playground.api.configure(small(change));
      expect(playground.last().step).toBe(3);
    }
    await playground.api.configure(small({ learningRate: 0.1 }));
    expect(playground.last().outputs).toEqual(outputs);
    expect(fresh()).toEqual([true, ...going.map(() => false), false]);
    const anew: Partial<PlaygroundState["classify"]>[] = [
      { optimizer: "sgd" },
      { seed: 2 },
      { features: ["x", "y", "xy"] },
      { layers: [] },
      { loss: "softmaxCrossEntropy" },
    ];
    for (const change of anew) {
      await playground.api.configure(small(change));
      expect(playground.last().step).toBe(0);
    }
  });

  test("a change of speed does not restart training", async () => {
    await playground.api.configure(small());
    const told = playground.events.length;
    await playground.api.configure(small({ speed: "10" }));
    expect(playground.events).toHaveLength(told);
  });

  test("only the last of several resets is executed, and training continues", async () => {
    await playground.api.configure(small());
    await playground.trainUntil(({ step }) => step >= 2);
    await playground.api.start();
    const before = fresh().length;
    await Promise.all(Array.from({ length: 5 }, () => playground.api.reset()));
    // The first one may have started before the others arrived.
    expect(fresh().length - before).toBeLessThanOrEqual(2);
    await playground.trainUntil(({ step }) => step >= 2);
    expect(playground.events.filter(({ kind }) => kind === "error")).toEqual([]);
  });

  test("a reset followed by a change of speed starts over, and its events have the newest request as their subject", async () => {
    await playground.api.configure(small());
    await playground.trainUntil(({ step }) => step >= 2);
    await Promise.all([playground.api.reset(), playground.api.configure(small({ speed: "2" }))]);
    expect(playground.last().step).toBe(0);
    const { request, subject } = playground.stamps.at(-1)!;
    expect(subject).toBe(request);
  });

  test("a hidden tab pauses, and continues when it is visible again, even after quick changes", async () => {
    await playground.api.configure(small());
    await playground.api.start();
    for (const visible of [false, true, false, true, false]) void playground.api.show(visible);
    await playground.api.show(false);
    const held = playground.last().step;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(playground.last().step).toBe(held);
    await playground.api.show(true);
    await playground.trainUntil(({ step }) => step > held + 2);
  });

  test("sends the first frame of a network immediately after its points", async () => {
    await playground.api.configure(small());
    await playground.api.configure(small({ layers: [] }));
    expect(playground.events.map(({ kind }) => kind)).toEqual(["problem", "frame", "problem", "frame"]);
  });

  test("stops training when the loss is not finite, and says what to do", async () => {
    await playground.api.configure(
      configOf("regress", { learningRate: 3, optimizer: "sgd", layers: [{ units: 8, activation: "identity" }] }),
    );
    await expect(playground.trainUntil(() => false)).rejects.toThrow("the learning rate is too high");
    expect(playground.events.at(-2)).toEqual({ kind: "running", running: false });
  });

  test("reports the library's error if there is no backend", async () => {
    const { OptionError } = await import("../../../src/index.ts");
    const api = createPlaygroundService(() =>
      Promise.reject(new OptionError({ where: "here", what: "nothing", fix: "Try again" })),
    );
    const told: PlaygroundEvent[] = [];
    await api.subscribe((event) => told.push(event));
    await api.configure(1, small());
    expect(told).toEqual([
      { kind: "error", message: "here: nothing. Try again.", deviceGone: false },
      { kind: "idle" },
    ]);
  });
});
