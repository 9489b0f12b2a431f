import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import { SharedRun, type CommittedRound } from "../../../src/cluster/training/together.ts";
import { workerStep } from "../../../src/cluster/training/worker-step.ts";
import type { AnyModel } from "../../../src/nn/functional.ts";
import { dense, layers, optimizers, schedules, sequential } from "../../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../../src/train/index.ts";
import { backends } from "../../backends.ts";
import { clouds, dropoutRun, finish } from "../../train/examples.ts";

const ids = (count: number) => Array.from({ length: count }, (_, index) => `worker-${index}`);

async function all(rounds: AsyncIterable<CommittedRound>): Promise<CommittedRound[]> {
  const made: CommittedRound[] = [];
  for await (const round of rounds) made.push(round);
  return made;
}

const plainAverage = { learningRate: 1, momentum: 0 };

describe.each(backends)("a shared run on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const run = (changes: Partial<TrainerOptions> = {}): TrainerOptions<AnyModel> =>
    ({ ...dropoutRun, backend, ...changes }) as TrainerOptions<AnyModel>;

  test("with one step a round and plain gradient descent, workers that divide the batch are one machine", async () => {
    const model = sequential([dense(6, { activation: "tanh" }), dense(3)], { inputShape: [4] });
    const size = { batchSize: 30, learningRate: 0.5 };
    const options = run({ model, optimizer: optimizers.sgd(), schedule: schedules.cosine(), ...size });
    const sharing = { workers: ids(3), innerSteps: 1, outer: plainAverage, changeType: "float32" } as const;
    const ofWorker = workerStep(size, { workers: 3, optimizer: "sgd" });
    const shared = await SharedRun.create({ ...options, ...ofWorker }, sharing);
    const rounds = await all(shared.rounds());
    expect(rounds).toHaveLength(40);
    const joint = await createTrainer(options);
    const events = await finish(joint, { every: 1 });
    const { parameters } = await joint.snapshot();
    for (const [name, { values }] of Object.entries(shared.parameters)) {
      const wanted = parameters[name]!.values;
      values.forEach((value, index) => expect(Math.abs(value - wanted[index]!), name).toBeLessThan(1e-6));
    }
    const losses = rounds.map(({ commit }) => commit.participants.reduce((sum, one) => sum + one.loss / 3, 0));
    losses.forEach((loss, step) => expect(loss).toBeCloseTo(events[step]!.loss, 5));
    shared.dispose();
    joint.dispose();
  });

  test("gives the same bits on each run, and its log can be replayed", async () => {
    const sharing = { workers: ids(3), innerSteps: 7 };
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => SharedRun.create(run(), sharing)));
    const rounds = await all(first!.rounds());
    const log = rounds.map(({ commit }) => commit);
    expect((await all(second!.rounds())).map(({ commit }) => commit)).toEqual(log);
    await all(third!.replay(JSON.parse(JSON.stringify(log))));
    expect(third!.state).toEqual(first!.state);
    for (const one of [first!, second!, third!]) one.dispose();
  });

  test("a replay names the round and the worker whose change is another one", async () => {
    const sharing = { workers: ids(2), innerSteps: 5 };
    const [first, other] = await Promise.all([1, 2].map(() => SharedRun.create(run(), sharing)));
    const log = (await all(first!.rounds())).map(({ commit }) => commit);
    const [before, { participants, ...round }] = [log[0]!, log[1]!];
    const changed = { ...round, participants: [participants[0]!, { ...participants[1]!, digest: "murmur3:00000000" }] };
    await expect(all(other!.replay([before, changed]))).rejects.toThrow(/^round 1: the change of worker worker-1 is/);
    first!.dispose();
    other!.dispose();
  });

  test("trains each step of each epoch exactly once, and learns", async () => {
    const options = run({ learningRate: 0.05 });
    const shared = await SharedRun.create(options, { workers: ids(2), innerSteps: 2 });
    const rounds = await all(shared.rounds());
    const steps = rounds.flatMap(({ commit }) =>
      commit.participants.flatMap(({ range: { first, count } }) =>
        Array.from({ length: count }, (_, at) => first + at),
      ),
    );
    expect(steps.sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, step) => step));
    expect(rounds).toHaveLength(30);
    expect((await shared.evaluate(clouds(60))).accuracy).toBeGreaterThan(0.95);
    shared.dispose();
  });

  test("averages the running statistics of batch normalization without outer momentum", async () => {
    const model = sequential([layers.batchNorm(), dense(3)], { inputShape: [4] });
    const sharing = { workers: ids(2), innerSteps: 3, changeType: "float32" } as const;
    const shared = await SharedRun.create(run({ model, epochs: 1 }), sharing);
    const [only] = await all(shared.rounds());
    expect(only!.commit.participants).toHaveLength(2);
    const ends = await Promise.all(
      only!.commit.tasks.map(async ({ range, scheduleStep, scheduleStride }) => {
        const trainer = await createTrainer(run({ model, epochs: 1 }));
        const share = { firstStep: range.first, scheduleStep, scheduleStride };
        await finish(trainer, { maxSteps: range.count, share });
        const { parameters } = await trainer.snapshot();
        trainer.dispose();
        return parameters["layers.0.runningMean"]!.values;
      }),
    );
    const wanted = [0, 1, 2, 3].map((index) => (ends[0]![index]! + ends[1]![index]!) / 2);
    shared.parameters["layers.0.runningMean"]!.values.forEach((value, index) =>
      expect(value).toBeCloseTo(wanted[index]!, 6),
    );
    shared.dispose();
  });
});
