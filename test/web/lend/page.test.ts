import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import { ObjectBucket } from "../../../src/cluster/objects.ts";
import { Coordinator, type CoordinatedRound } from "../../../src/cluster/training/coordinator.ts";
import { joinRun, loadOwnRun } from "../../../src/cluster/training/join.ts";
import { flattened, layoutOf } from "../../../src/cluster/training/layout.ts";
import { packed } from "../../../src/cluster/packing.ts";
import { DATA, newMember } from "../../../src/cluster/training/names.ts";
import { defaultOuter } from "../../../src/cluster/training/outer.ts";
import { storePreparedRun, type PreparedSettings } from "../../../src/cluster/training/prepared/index.ts";
import { storeRun } from "../../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../../src/cluster/training/set-up.ts";
import { SharedRun } from "../../../src/cluster/training/together.ts";
import {
  builtInDigits,
  createTrainer,
  dense,
  flatten,
  schedules,
  sequential,
  unitScale,
  type TrainerOptions,
} from "../../../src/index.ts";
import type { AnyModel } from "../../../src/nn/functional.ts";
import { version } from "../../../src/version.ts";
import { acquireWasmBackend } from "../../wasm.ts";
import { useDemo } from "../demo.ts";
import { useLendServer, visitLend } from "./lend.ts";

const demo = useDemo();
const server = useLendServer(demo);

const { train, test: held } = builtInDigits({ train: 1200, test: 500 });
const model = sequential([flatten(), dense(16, { activation: "relu" }), dense(10)], { inputShape: [28, 28] });
const layout = layoutOf(model);
const sharing = {
  workers: 2,
  quorum: 2,
  innerSteps: 40,
  outer: defaultOuter,
  changeType: "float16",
  stateEvery: 10,
  isAdaptive: false,
} as const;

/** Of the run that is trained to its end. */
const EPOCHS = 8;

let backend: Backend;
beforeAll(async () => {
  backend = await acquireWasmBackend();
});
afterAll(() => backend.dispose());

const trainerOptions = (epochs: number): TrainerOptions<AnyModel> => ({
  model: model as AnyModel,
  backend,
  dataset: train,
  normalization: unitScale,
  learningRate: 0.02,
  schedule: schedules.cosine(),
  batchSize: 20,
  epochs,
});

/** The same options as a prepared run has them. */
const settingsOf = (epochs: number): PreparedSettings => ({
  optimizer: { name: "adam" },
  learningRate: 0.02,
  schedule: { name: "cosine", warmup: 0 },
  batchSize: 20,
  epochs,
  seed: 1,
  precision: "float32",
  onNonFinite: "stop",
});

/** Stores a run for browsers, and makes its coordinator. */
async function startRun(epochs: number, workers: number, signal = new AbortController().signal) {
  const link = await server.connect("owner");
  onTestFinished(() => link.close());
  await setUpTraining(link);
  const bucket = await ObjectBucket.open(link, DATA);
  const store = (bytes: Uint8Array) => bucket.putPacked(bytes);
  const trainer = await createTrainer(trainerOptions(epochs));
  const { parameters } = await trainer.snapshot();
  const { totalSteps } = trainer;
  trainer.dispose();
  const facts = { classes: train.classes, step: 0, training: {} };
  const trained = { model, loss: "softmaxCrossEntropy", normalization: unitScale, ...facts } as const;
  const settings = settingsOf(epochs);
  const prepared = await storePreparedRun({ settings, trained, parameters, dataset: train }, store);
  const own = { ...sharing, workers, quorum: workers };
  const name = await storeRun(link, { version, configuration: {}, data: [], sharing: own, prepared });
  const run = {
    name,
    layout,
    options: { ...sharing, totalSteps },
    sharing: own,
    initial: flattened(layout, parameters),
  };
  const coordinator = new Coordinator(run, { link, owner: newMember(), version, signal, log: () => {} });
  return { name, coordinator };
}

/** Lets a worker of this process join the run of the first test. */
async function joinFromNode(run: string): Promise<number> {
  const link = await server.connect("worker");
  onTestFinished(() => link.close());
  const description = await loadOwnRun(link, run);
  const trainer = await createTrainer(trainerOptions(EPOCHS));
  const { signal } = new AbortController();
  const rest = () => new Promise<void>((resolve) => setImmediate(resolve));
  const member = { name: "node", signal, trained: () => {}, breaks: { every: 10, rest } };
  return joinRun({ link, run, description, model, trainer, ...member });
}

describe("the page at ?lend", () => {
  test("joins a run by WebSocket, which finishes with the values of the same workers in one process", async () => {
    const { name, coordinator } = await startRun(EPOCHS, 2);
    const visitor = await visitLend(demo, server.websocket);
    await visitor.says("lend-run", new RegExp(`^${name}: 2 workers, 40 steps a round$`));
    expect(await visitor.accessibilityFaults()).toEqual([]);
    await visitor.click("lend-join");
    const joined = joinFromNode(name);
    const rounds: CoordinatedRound[] = [];
    for await (const round of coordinator.rounds()) rounds.push(round);
    expect(await joined).toBeGreaterThan(0);
    await visitor.says("lend-message", /^The run has finished/);
    const records = rounds.map(({ record }) => record);
    const names = new Set(records.flatMap((record) => Object.values(record.names)));
    expect([...names].sort()).toEqual(["node", expect.stringMatching(/^tab-[0-9a-f]{4}$/)]);
    const given = records.flatMap((record) =>
      record.participants.filter(({ worker }) => record.names[worker] !== "node").map(({ examples }) => examples),
    );
    expect(await visitor.number("lend-rounds")).toBe(given.length);
    const examples = given.reduce((sum, count) => sum + count, 0);
    expect(await visitor.text("lend-examples")).toBe(examples.toLocaleString("en"));
    const { length } = await packed(train.features as Uint8Array);
    expect(await visitor.bytes("lend-received")).toBeGreaterThan(length);

    // The log repeats what the tab computed, bit by bit.
    const repeated = await SharedRun.create(trainerOptions(EPOCHS), { ...sharing, workers: ["a"] });
    for await (const { commit } of repeated.replay(records)) expect(commit.round).toBeLessThan(records.length);
    expect(repeated.state.values).toEqual(rounds.at(-1)!.values);
    const alone = await SharedRun.create(trainerOptions(EPOCHS), { ...sharing, workers: ["a", "b"] });
    for await (const { state } of alone.rounds()) expect(state.values).toHaveLength(layout.size);
    const [found, wanted] = [await repeated.evaluate(held), await alone.evaluate(held)];
    expect(wanted.accuracy).toBeGreaterThan(0.7);
    expect(Math.abs(found.accuracy - wanted.accuracy)).toBeLessThan(0.05);
    for (const shared of [repeated, alone]) shared.dispose();
  });

  test("stops at once, and can join again", async () => {
    const stop = new AbortController();
    const { name, coordinator } = await startRun(100_000, 1, stop.signal);
    const coordinated = (async () => {
      for await (const { record } of coordinator.rounds()) if (record.round < 0) throw new Error("no round");
    })();
    const visitor = await visitLend(demo, server.websocket);
    await visitor.says("lend-run", new RegExp(name));
    await visitor.click("lend-join");
    await visitor.reaches("lend-rounds", 1);
    await visitor.click("lend-stop");
    await visitor.says("lend-message", /^Stopped/);
    const left = await visitor.number("lend-examples");
    await visitor.says("backend", /^CPU$/);
    await visitor.click("lend-connect");
    await visitor.says("lend-run", new RegExp(name));
    expect(await visitor.number("lend-examples")).toBe(left);
    await visitor.click("lend-join");
    await visitor.says("lend-activity", /waiting|training/);
    stop.abort();
    await coordinated;
  });

  test("says what is wrong", async () => {
    const visitor = await visitLend(demo, server.websocket, { password: "guess" });
    await visitor.says("lend-message", /the server refuses the credentials/);
    for (const [address, text] of [
      ["ws://127.0.0.1:1", /no NATS server can be reached.*websocket listener/],
      ["wss://me:secret@host", /contains a user or a password/],
      ["ws://server.example", /without encryption/],
    ] as const) {
      await visitor.page.getByTestId("lend-address").fill(address);
      await visitor.click("lend-connect");
      await visitor.says("lend-message", text);
      expect(await visitor.text("lend-message")).not.toMatch(/secret|guess/);
    }
  });
});
