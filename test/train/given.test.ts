import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { OptionError } from "../../src/errors.ts";
import { parameter } from "../../src/graph/leaves.ts";
import {
  createEvaluator,
  createTrainer,
  fitUntil,
  minimize,
  type Snapshot,
  type TrainerOptions,
} from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, smallModel } from "./examples.ts";

const none: unknown[] = [null, undefined, 3, "model", {}, []];

describe.each(backends)("arguments on $name", ({ create }) => {
  let backend: Backend;
  let options: TrainerOptions;
  beforeAll(async () => {
    backend = await create();
    options = { model: smallModel(), dataset: clouds(30), backend, learningRate: 0.1, batchSize: 10, epochs: 2 };
  });
  afterAll(() => backend.dispose());

  test.each(["model", "dataset", "backend"])("createTrainer refuses an invalid %s", async (name) => {
    for (const value of none) {
      const made = createTrainer({ ...options, [name]: value as never });
      await expect(made).rejects.toThrow(OptionError);
      await expect(made).rejects.toThrow(new RegExp(`^${name}: .* is not a (model|data set|backend)\\.`));
    }
  });

  test("createTrainer and others refuse invalid options objects", async () => {
    for (const value of [null, undefined, 3]) {
      await expect(createTrainer(value as never)).rejects.toThrow(
        /^createTrainer: .*not an object of options\. Give an object such as { model: … }/,
      );
      expect(() => createEvaluator(value as never)).toThrow(/^createEvaluator: .*not an object of options/);
      await expect(minimize(parameter("x", []), value as never)).rejects.toThrow(
        /^minimize: .*not an object of options/,
      );
    }
  });

  test("an evaluator refuses an invalid model, backend, session or data set", async () => {
    const right = { model: options.model, backend, session: backend.createSession() };
    for (const name of ["model", "backend", "session"]) {
      for (const value of none) {
        expect(() => createEvaluator({ ...right, [name]: value as never })).toThrow(
          new RegExp(`^${name}: .* is not a ${name}`),
        );
      }
    }
    for (const value of none)
      await expect(createEvaluator(right).evaluate(value as never)).rejects.toThrow(/^evaluate: .* is not a data set/);
  });

  test("fitUntil and minimize refuse an invalid trainer, validation set or session", async () => {
    const trainer = await createTrainer(options);
    for (const value of none) {
      await expect(fitUntil(value as never).next()).rejects.toThrow(/^fitUntil: .* is not a trainer/);
      const minimizing = minimize(parameter("x", []), {
        session: value as never,
        parameters: [],
        learningRate: 1,
        maxSteps: 1,
      });
      await expect(minimizing).rejects.toThrow(/^minimize session: .* is not a session/);
    }
    await expect(fitUntil(trainer, { validation: null as never }).next()).rejects.toThrow(
      /^fitUntil validation: null is not a data set/,
    );
    trainer.dispose();
  });

  test("resumeFrom and restore refuse an invalid snapshot, and one of a step outside the run", async () => {
    const trainer = await createTrainer(options);
    await finish(trainer);
    const snapshot = await trainer.snapshot();
    expect(snapshot.step).toBe(6);
    const wrong = [NaN, 1e9, 2.5, -1, Infinity, 7, "6", undefined].map((step) => ({ ...snapshot, step }));
    for (const given of [
      ...wrong,
      ...none.slice(2),
      null,
      { ...snapshot, parameters: null },
      { ...snapshot, optimizer: undefined },
    ]) {
      await expect(createTrainer({ ...options, resumeFrom: given as Snapshot })).rejects.toThrow(/^resumeFrom/);
      expect(() => trainer.restore(given as Snapshot)).toThrow(/^restore/);
    }
    const resumed = await createTrainer({ ...options, resumeFrom: snapshot });
    expect(await finish(resumed)).toEqual([]);
    for (const used of [trainer, resumed]) used.dispose();
  });

  test("dispose during a call makes it fail with a clear error", async () => {
    const trainer = await createTrainer(options);
    const calls = [trainer.evaluate(clouds(30)), trainer.predict(clouds(3).features), trainer.snapshot()];
    trainer.dispose();
    for (const result of await Promise.allSettled(calls)) {
      expect(result.status).toBe("rejected");
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(OptionError);
      expect(String((result as PromiseRejectedResult).reason)).toMatch(/this trainer was disposed of/);
    }
    await expect(trainer.profile()).rejects.toThrow(/profile: this trainer was disposed of/);
    const other = await createTrainer(options);
    expect(await finish(other, { every: 6 })).toHaveLength(1);
    other.dispose();
  });
});
