import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { parameter, stepScalar } from "../../src/graph/leaves.ts";
import { optimizers, schedules } from "../../src/nn/index.ts";
import { add, log, multiply, square, subtract } from "../../src/ops/elementwise/index.ts";
import { minimize } from "../../src/train/index.ts";
import { backends } from "../backends.ts";

describe.each(backends)("minimize on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  /** y = x² from x = −1 with learning rate 0.1: each step multiplies x by 0.8. */
  function parabola(options: { maxSteps: number; smallestStep?: number }) {
    const x = parameter("x", [], [-1]);
    const session = backend.createSession();
    return {
      x,
      session,
      found: minimize(square(x), { session, parameters: [x], learningRate: 0.1, record: { x }, ...options }),
    };
  }

  test("stops after maxSteps, and records the values at the start and after each step", async () => {
    const { found, session, x } = parabola({ maxSteps: 10, smallestStep: 1e-9 });
    const { steps, stopped, losses, stepLengths, record } = await found;
    expect([steps, stopped, losses.length, stepLengths.length]).toEqual([10, "maxSteps", 11, 10]);
    record["x"]!.forEach((value, step) => expect(value).toBeCloseTo(-(0.8 ** step), 6));
    losses.forEach((value, step) => expect(value).toBeCloseTo(0.64 ** step, 6));
    stepLengths.forEach((value, step) => expect(value).toBeCloseTo(0.2 * 0.8 ** step, 6));
    expect((await session.read(x))[0]).toBe(record["x"]!.at(-1));
  });

  test("stops after the first step that is short enough, in the first submit and in a later one", async () => {
    // 0.2 · 0.8ᵏ ≤ 0.001 for k ≥ 23.7, so step 25 is the first such step.
    const { found, session, x } = parabola({ maxSteps: 1000, smallestStep: 1e-3 });
    const { steps, stopped, record } = await found;
    expect([steps, stopped]).toEqual([25, "smallStep"]);
    expect((await session.read(x))[0]).toBe(record["x"]!.at(-1));
    // With a learning rate of 0.01, step k + 1 has the length 0.02 · 0.98ᵏ, which is at most 1e-4 for k ≥ 262.3.
    const slow = parameter("x", [], [-1]);
    const options = {
      session: backend.createSession(),
      parameters: [slow],
      learningRate: 0.01,
      maxSteps: 1000,
      smallestStep: 1e-4,
    };
    expect(await minimize(square(slow), options)).toMatchObject({ steps: 264, stopped: "smallStep" });
  });

  test("reports a short step even if it is the last one allowed", async () => {
    expect(await parabola({ maxSteps: 25, smallestStep: 1e-3 }).found).toMatchObject({
      steps: 25,
      stopped: "smallStep",
    });
    expect(await parabola({ maxSteps: 24, smallestStep: 1e-3 }).found).toMatchObject({
      steps: 24,
      stopped: "maxSteps",
    });
  });

  test("stops when the loss becomes NaN, and reports the step", async () => {
    const x = parameter("x", [], [1]);
    // The argument of the logarithm, 1 − 0.4 step, is negative from step 3 on.
    const argument = subtract(
      1,
      stepScalar("fall", (step) => 0.4 * step),
    );
    const loss = add(square(x), log(argument));
    const found = await minimize(loss, {
      session: backend.createSession(),
      parameters: [x],
      learningRate: 0.1,
      maxSteps: 50,
    });
    expect([found.steps, found.stopped, found.losses.length]).toEqual([3, "notFinite", 4]);
    expect(found.losses.slice(0, 3).every(Number.isFinite)).toBe(true);
    expect(found.losses[3]).not.toSatisfy(Number.isFinite);
  });

  test("accepts another optimizer and a schedule", async () => {
    const x = parameter("x", [2], [3, -2]);
    const loss = square(subtract(multiply(x, 2), 4));
    const scalar = { session: backend.createSession(), parameters: [x], learningRate: 0.1, maxSteps: 10 };
    await expect(minimize(loss, scalar)).rejects.toThrow(/is not a scalar/);
    const w = parameter("w", [], [1]);
    const found = await minimize(square(w), {
      session: backend.createSession(),
      parameters: [w],
      optimizer: optimizers.momentum({ momentum: 0.5 }),
      schedule: schedules.step({ every: 1, factor: 0.5 }),
      learningRate: 0.1,
      maxSteps: 2,
      record: { w },
    });
    // Δ = −0.1 · 2 = −0.2, then 0.5 · −0.2 − 0.05 · 1.6 = −0.18.
    [1, 0.8, 0.62].forEach((value, step) => expect(found.record["w"]![step]).toBeCloseTo(value, 6));
  });

  test("refuses invalid options and losses", async () => {
    const x = parameter("x", [3], [1, 2, 3]);
    const w = parameter("w", [], [1]);
    const options = { session: backend.createSession(), parameters: [w], learningRate: 0.1, maxSteps: 5 };
    await expect(minimize(square(w), { ...options, record: { x } })).rejects.toThrow(
      /record x: x float32\[3\] is not a scalar/,
    );
    await expect(minimize(square(w), { ...options, maxSteps: 0 })).rejects.toThrow(
      /minimize maxSteps: 0 is out of range/,
    );
    await expect(minimize(square(w), { ...options, smallestStep: 0 })).rejects.toThrow(/minimize smallestStep/);
    await expect(minimize(square(w), { ...options, learningRate: -1 })).rejects.toThrow(/minimize learningRate/);
    await expect(minimize(square(w), { ...options, parameters: [x] })).rejects.toThrow(/does not depend on/);
  });
});
