import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { DivergedError } from "../../src/errors.ts";
import { stepScalar } from "../../src/graph/leaves.ts";
import { dense, optimizers, sequential } from "../../src/nn/index.ts";
import { losses } from "../../src/nn/losses.ts";
import { add } from "../../src/ops/elementwise/index.ts";
import {
  createTrainer,
  type Checkpoint,
  type NonFiniteChoice,
  type SkippedStep,
  type Snapshot,
  type TrainerOptions,
  type TrainingProgress,
} from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, valuesOf } from "./examples.ts";
import { notFiniteAt, poisonedNetwork } from "./poison.ts";

/** Four batches an epoch in their own order; every feature of the third is NaN or beyond float32 when squared. */
function spoiled(value: number) {
  const dataset = clouds(40);
  // Afterwards, since NaN is refused when a data set is made.
  dataset.features[25 * 4] = value;
  return dataset;
}

/** The step whose gradient is spoiled, counted from 0. */
const FAULTY_STEP = 4;

/** The bits of every value of a snapshot by name. */
const bitsOf = ({ parameters, optimizer }: Snapshot): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries({ ...parameters, ...optimizer }).map(([name, { values }]) => [
      name,
      [...new Uint32Array(Float32Array.from(values).buffer)],
    ]),
  );

const network = () => sequential([dense(6, { activation: "relu" }), dense(3)], { inputShape: [4] });

/** Runs on a backend that exists during the tests of a describe. Their batches contain the spoiled example. */
function spoiledRuns(create: () => Promise<Backend>) {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
    model: network(),
    dataset: spoiled(NaN),
    backend,
    learningRate: 0.02,
    batchSize: 10,
    epochs: 3,
    seed: 3,
    ...changes,
  });

  /** The steps whose batch holds the spoiled example, as a run that leaves them out tells. */
  async function faultySteps(changes: Partial<TrainerOptions> = {}) {
    const trainer = await createTrainer(options({ onNonFinite: "skip", ...changes }));
    const skipped: SkippedStep[] = [];
    for (const event of await finish(trainer, { every: 1 })) {
      // Not the other way round: the loss can be finite where its gradient is not.
      if (event.skipped.length === 0) expect(event.loss).toBeLessThan(Infinity);
      skipped.push(...event.skipped);
    }
    const values = valuesOf(await trainer.snapshot());
    trainer.dispose();
    return { skipped, values };
  }
  return { options, faultySteps };
}

describe.each(backends)("steps that are not finite on $name", ({ create }) => {
  const { options, faultySteps } = spoiledRuns(create);

  test("are left out where asked, and spoil no parameter", async () => {
    const { skipped, values } = await faultySteps();
    expect(skipped).toHaveLength(3);
    // One in every epoch of four steps.
    expect(skipped.map(({ step }) => Math.ceil(step / 4))).toEqual([1, 2, 3]);
    for (const { place, learningRate } of skipped)
      expect({ place, learningRate }).toEqual({ place: "layers.0.weight", learningRate: 0.02 });
    expect(Object.values(values).flat().every(Number.isFinite)).toBe(true);
  });

  test("in parts of a batch are found as well", async () => {
    const whole = await faultySteps();
    const parts = await faultySteps({ microBatchSize: 3 });
    expect(parts.skipped).toEqual(whole.skipped);
  });

  test("halve the learning rate where asked, also of a run that goes on from a checkpoint", async () => {
    const kept: Checkpoint[] = [];
    const run = async (resumeFrom?: Checkpoint) => {
      const trainer = await createTrainer(options({ onNonFinite: "halve", resumeFrom }));
      const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
      const events = await finish(trainer, { every: 1, checkpoint: { everySteps: 5, save } });
      const values = valuesOf(await trainer.snapshot());
      trainer.dispose();
      return { rates: events.map(({ step, learningRate }) => ({ step, learningRate })), values };
    };
    const whole = await run();
    const { skipped } = await faultySteps();
    for (const { step, learningRate } of whole.rates) {
      expect(learningRate).toBe(0.02 / 2 ** skipped.filter((one) => one.step <= step).length);
    }
    const resumed = await run(kept[1]);
    expect(resumed.values).toEqual(whole.values);
    expect(resumed.rates).toEqual(whole.rates.filter(({ step }) => step > 10));
  });

  test("stop the run before them, with the step, the layer and the rate; a later call begins there", async () => {
    const { skipped } = await faultySteps();
    const trainer = await createTrainer(options({ onNonFinite: "stop" }));
    const events: TrainingProgress[] = [];
    const looping = async () => {
      for await (const event of trainer.fit({ every: 1 })) events.push(event);
    };
    const [{ step }] = skipped as [SkippedStep];
    for (let again = 0; again < 2; again++) {
      const error = await looping().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(DivergedError);
      expect((error as DivergedError).step).toBe(step);
      expect((error as DivergedError).message).toMatch(
        `step ${step}: the gradient of layers.0.weight is not finite, at learning rate 0.02`,
      );
      expect(trainer.step).toBe(step - 1);
    }
    expect(events.map((event) => event.step)).toEqual(Array.from({ length: step - 1 }, (_, index) => index + 1));
    const until = await createTrainer(options({ onNonFinite: "ignore" }));
    await finish(until, { maxSteps: step - 1, every: 1 });
    const { "guard.stopped": stopped, ...values } = valuesOf(await trainer.snapshot());
    expect(stopped).toEqual([0]);
    expect(values).toEqual(valuesOf(await until.snapshot()));
    expect((await trainer.snapshot()).unreported).toEqual({ steps: 0, loss: 0, correct: 0, gradientNorm: 0 });
    trainer.dispose();
    until.dispose();
  });

  test("are told by the gradient where the loss is finite", async () => {
    // Squares of 1e25 are beyond float32 in the gradient of the first weights only, whose inputs they are.
    const model = sequential([dense(3)], { inputShape: [4] });
    const sgd = optimizers.sgd();
    const far = await faultySteps({ model, optimizer: sgd, dataset: spoiled(1e30), loss: "meanSquaredError" });
    expect(far.skipped.length).toBeGreaterThan(0);
    expect(far.skipped[0]!.place).toBe("layers.0.weight");
  });

  test("are told by the loss where it alone is not finite", async () => {
    const usual = losses.softmaxCrossEntropy;
    const amount = notFiniteAt(6, "infinite");
    const loss = {
      ...usual,
      perExample: (...given: Parameters<typeof usual.perExample>) => add(usual.perExample(...given), amount),
    };
    const { skipped } = await faultySteps({ dataset: clouds(40), loss });
    expect(skipped).toEqual([{ step: 7, place: "loss", learningRate: 0.02 }]);
  });

  test("cost no dispatch, and one where the batch is divided", async () => {
    const dispatchesOf = async (changes: Partial<TrainerOptions>) => {
      const trainer = await createTrainer(options(changes));
      trainer.dispose();
      return trainer.dispatches.length;
    };
    if (options().backend.kind !== "webgpu") return;
    const plain = await dispatchesOf({ onNonFinite: "ignore" });
    const divided = await dispatchesOf({ onNonFinite: "ignore", microBatchSize: 3 });
    for (const onNonFinite of ["stop", "skip", "halve"] as const) {
      expect(await dispatchesOf({ onNonFinite })).toBe(plain);
      expect(await dispatchesOf({ onNonFinite, microBatchSize: 3 })).toBe(divided + 1);
    }
  });
});

describe.each(backends)("looking for steps that are not finite on $name", ({ create }) => {
  const { options, faultySteps } = spoiledRuns(create);

  test("change no bit of a run without them", async () => {
    const run = async (onNonFinite: NonFiniteChoice) => {
      const trainer = await createTrainer(options({ dataset: clouds(40), onNonFinite }));
      const events = await finish(trainer, { every: 1 });
      const values = valuesOf(await trainer.snapshot());
      trainer.dispose();
      for (const name of ["guard.stopped", "guard.slowed"]) delete values[name];
      return { losses: events.map(({ loss }) => loss), values };
    };
    const plain = await run("ignore");
    for (const choice of ["stop", "skip", "halve"] as const) expect(await run(choice)).toEqual(plain);
  });

  test("are guarded from the initial state after a snapshot without one", async () => {
    const dataset = clouds(40);
    const unguarded = await createTrainer(options({ dataset, onNonFinite: "ignore" }));
    await finish(unguarded, { maxSteps: 5 });
    const resumeFrom = await unguarded.snapshot();
    await finish(unguarded);
    const wanted = valuesOf(await unguarded.snapshot());
    unguarded.dispose();
    for (const onNonFinite of ["stop", "skip", "halve"] as const) {
      const trainer = await createTrainer(options({ dataset, onNonFinite, resumeFrom }));
      await finish(trainer);
      const values = valuesOf(await trainer.snapshot());
      const { "guard.stopped": stopped = [0], "guard.slowed": slowed = [0], ...others } = values;
      expect([stopped, slowed]).toEqual([[0], [0]]);
      expect(others).toEqual(wanted);
      trainer.dispose();
    }
    const halving = await createTrainer(options({ onNonFinite: "halve" }));
    await finish(halving);
    expect(valuesOf(await halving.snapshot())["guard.slowed"]![0]).toBeGreaterThan(0);
    halving.restore(resumeFrom);
    expect(valuesOf(await halving.snapshot())["guard.slowed"]).toEqual([0]);
    halving.dispose();
  });

  describe.each(["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"])(
    "in the gradient of %s",
    (parameter) => {
      const [whole, divided] = [{}, { microBatchSize: 3 }];
      const model = (value: "NaN" | "infinite", run = (step: number) => step) =>
        poisonedNetwork([{ parameter, element: 2, amount: notFiniteAt(run(FAULTY_STEP), value) }]);
      // The three equal parts of a divided step are runs of their own.
      test.each([
        ["NaN", "whole", whole, model("NaN")],
        ["infinite", "whole", whole, model("infinite")],
        ["NaN", "divided", divided, model("NaN", (step) => 3 * step + 1)],
      ] as const)("change no bit: %s, in a %s step", async (_value, _kind, changes, poisonedModel) => {
        for (const onNonFinite of ["stop", "skip", "halve"] as const) {
          const trainer = await createTrainer(
            options({ model: poisonedModel, dataset: clouds(40), onNonFinite, ...changes }),
          );
          await finish(trainer, { maxSteps: FAULTY_STEP, every: 1 });
          const before = bitsOf(await trainer.snapshot());
          // The steps after it are in the same submit.
          const rest = { every: 1, stepsPerSubmit: 8 };
          if (onNonFinite === "stop") {
            await expect(finish(trainer, rest)).rejects.toThrow(
              `step ${FAULTY_STEP + 1}: the gradient of ${parameter} is not finite, at learning rate 0.02`,
            );
          } else {
            const [event] = await finish(trainer, { ...rest, maxSteps: 1 });
            expect(event!.skipped).toEqual([{ step: FAULTY_STEP + 1, place: parameter, learningRate: 0.02 }]);
          }
          const after = bitsOf(await trainer.snapshot());
          const slowed = onNonFinite === "halve" && {
            "guard.slowed": [...new Uint32Array(Float32Array.of(0.5).buffer)],
          };
          expect(after).toEqual({ ...before, ...slowed });
          if (onNonFinite !== "stop") {
            await finish(trainer, { ...rest, maxSteps: 1 });
            expect(bitsOf(await trainer.snapshot())["layers.0.weight"]).not.toEqual(before["layers.0.weight"]);
          }
          trainer.dispose();
        }
      });
    },
  );

  test("name the first parameter of several", async () => {
    const amount = notFiniteAt(FAULTY_STEP, "NaN");
    const names = ["layers.1.bias", "layers.0.bias", "layers.1.weight"];
    const model = poisonedNetwork(names.map((parameter) => ({ parameter, element: 0, amount })));
    const { skipped } = await faultySteps({ model, dataset: clouds(40) });
    expect(skipped).toEqual([{ step: FAULTY_STEP + 1, place: "layers.0.bias", learningRate: 0.02 }]);
  });

  test("are found where only the division by a scale of the loss makes the gradient infinite", async () => {
    const amount = stepScalar("large", (step) => (step === FAULTY_STEP ? 2e38 : 0));
    const model = poisonedNetwork([{ parameter: "layers.1.weight", element: 17, amount }]);
    const { skipped } = await faultySteps({ model, dataset: clouds(40), precision: "float16", lossScale: 0.5 });
    expect(skipped.map(({ step, place }) => ({ step, place }))).toEqual([
      { step: FAULTY_STEP + 1, place: "layers.1.weight" },
    ]);
  });

  test("are looked for by default, and stop the run", async () => {
    const trainer = await createTrainer(options());
    await expect(finish(trainer, { every: 1 })).rejects.toThrow(DivergedError);
    expect(
      Object.values(valuesOf(await trainer.snapshot()))
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
    trainer.dispose();
  });
});
