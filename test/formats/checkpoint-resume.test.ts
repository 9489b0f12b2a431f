import { expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeStream, type SavingBatches } from "../../src/data/stream.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import type { FunctionContext, NamedTensors } from "../../src/nn/functional.ts";
import { dense, dropout, functionalModel, layers, optimizers } from "../../src/nn/index.ts";
import { abs, square, subtract } from "../../src/ops/elementwise/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { Random } from "../../src/random.ts";
import { createTrainer, type Trainer, type TrainingProgress } from "../../src/train/index.ts";

const BATCH = 8;

/** Batches that depend on all batches before them, so that only their saved position leads to the next one. */
function source(): SavingBatches {
  let position = { batches: 0, level: 0.25 };
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const random = new Random(7, position.batches);
        const level = (position.level * 1.7 + random.uniform()) % 1;
        position = { batches: position.batches + 1, level };
        const x = Float32Array.from({ length: BATCH }, () => random.uniform(-2, 2));
        yield { x, y: x.map((value) => Math.sin(value) + level) };
      }
    },
    saveState: () => position,
    restoreState(state) {
      position = state as typeof position;
    },
  };
}

const modelFunction = ({ x }: NamedTensors<"x">, { use }: FunctionContext) => {
  const hidden = use(dropout(0.1), use(layers.batchNorm(), use(dense(8, { activation: "tanh" }), x)));
  return { y: use(dense(1), hidden, "head") };
};

const makeModel = () => functionalModel({ inputs: { x: [1] }, seed: 3 }, modelFunction);

type Model = ReturnType<typeof makeModel>;

const optionsFor = (model: Model) => ({
  model,
  dataset: makeStream({
    name: "levels",
    tensors: { x: { shape: [1], dtype: "float32" }, y: { shape: [1], dtype: "float32" } },
    batches: source(),
  }),
  backend: createCpuBackend(),
  optimizer: optimizers.adam(),
  learningRate: 0.01,
  batchSize: BATCH,
  epochs: 1,
  maxSteps: 30,
  gradientNorm: true,
  averageDecay: 0.9,
  loss: ({ y }: NamedTensors<"y">, batch: NamedTensors) => reshape(square(subtract(y, batch["y"]!)), [-1]),
  metrics: {
    distance: ({ y }: NamedTensors<"y">, batch: NamedTensors) => reshape(abs(subtract(y, batch["y"]!)), [-1]),
  },
});

/** Every number of the events that does not depend on time. */
const logOf = (events: readonly TrainingProgress[]) =>
  events.map(({ seconds: _seconds, examplesPerSecond: _speed, ...event }) => event);

/** Trains to the end with an event every 7 steps, and keeps the file of each checkpoint. */
async function finish(trainer: Trainer<Model>, model: Model) {
  const files = new Map<number, Uint8Array>();
  const events: TrainingProgress[] = [];
  const save = async (checkpoint: Parameters<typeof saveCheckpoint>[1] & { step: number }) => {
    const { step } = checkpoint;
    files.set(step, saveCheckpoint({ model, step, training: {} }, checkpoint));
  };
  for await (const event of trainer.fit({ every: 7, checkpoint: { everySteps: 4, save } })) events.push(event);
  const snapshot = await trainer.snapshot();
  trainer.dispose();
  return { files, events, snapshot };
}

test("a functional model on a stream continues from the file of any checkpoint with the same bits and metrics", async () => {
  const model = makeModel();
  const whole = await finish(await createTrainer(optionsFor(model)), model);
  expect([...whole.files.keys()]).toEqual([4, 8, 12, 16, 20, 24, 28, 30]);
  expect(whole.snapshot.stream).toMatchObject({ batches: 30 });
  for (const step of [4, 12, 20, 28]) {
    const { trained, state } = loadCheckpoint(whole.files.get(step)!, "file", { modelFunction });
    expect(state).toMatchObject({ step, stream: { batches: step }, unreported: { steps: step % 7 } });
    const trainer = await createTrainer({ ...optionsFor(trained.model), resumeFrom: state });
    const rest = await finish(trainer, trained.model);
    expect(rest.snapshot).toEqual(whole.snapshot);
    expect(logOf(rest.events)).toEqual(logOf(whole.events).filter((event) => event.step > step));
    for (const [later, bytes] of rest.files) expect(bytes).toEqual(whole.files.get(later));
  }
});
