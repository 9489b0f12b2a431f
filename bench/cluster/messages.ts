/*
 * What the rounds of a shared run cost besides training, for `wgrad bench cluster`: the time in which the coordinator reads,
 * checks and adds one value of one change (--add-ns), and the time of a round of a tiny model (--round-ms). Server, coordinator
 * and worker are on this machine.
 *
 *   node scripts/run.mjs bench/cluster/messages.ts
 */
import { connectToNats } from "../../src/cluster/connection.ts";
import { ObjectBucket } from "../../src/cluster/objects.ts";
import { Coordinator } from "../../src/cluster/training/coordinator.ts";
import { decodeChange, encodeChange } from "../../src/cluster/training/encode.ts";
import { joinRun, loadOwnRun } from "../../src/cluster/training/join.ts";
import { flattened, layoutOf } from "../../src/cluster/training/layout.ts";
import { newMember, VALUES } from "../../src/cluster/training/names.ts";
import { defaultOuter } from "../../src/cluster/training/outer.ts";
import { commitRound, firstState, tasksOf, type SharedOptions } from "../../src/cluster/training/rounds.ts";
import { storeRun } from "../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../src/cluster/training/set-up.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { builtInDigits, createTrainer, dense, flatten, sequential } from "../../src/index.ts";
import type { AnyModel } from "../../src/nn/functional.ts";
import { version } from "../../src/version.ts";
import { startServer } from "./server.ts";

const { address, stop } = await startServer();
const connect = (role: "owner" | "worker") =>
  connectToNats({ servers: [address], credentials: { kind: "none" }, role, name: "bench", log: console.error });
const owner = await connect("owner");
await setUpTraining(owner);

/** The median CPU time of this process in some calls, in milliseconds. Other jobs of the machine hardly change it. */
async function median(calls: number, call: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < calls; index++) {
    const began = process.cpuUsage();
    await call();
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000);
  }
  return times.sort((one, other) => one - other)[calls >> 1]!;
}

/** The CPU time in which a change of a value is read, checked and added, in nanoseconds. */
async function adding(size: number, workers: number): Promise<number> {
  const layout = { slices: [{ name: "w", shape: [size], first: 0, size, isState: false }], size };
  const options: SharedOptions = { innerSteps: 1, outer: defaultOuter, changeType: "float16", totalSteps: workers };
  const state = firstState(new Float32Array(size), options);
  const tasks = tasksOf(
    state,
    Array.from({ length: workers }, () => newMember()),
    options,
  );
  const change = encodeChange(Float32Array.from({ length: size }, Math.random), "float16");
  const changes = tasks.map(({ worker, range }) => ({ worker, range, ownStep: 0, examples: 64, loss: 1, change }));
  const bucket = await ObjectBucket.open(owner, VALUES);
  const reference = await bucket.put("change", change.bytes);
  const reading = await median(5, async () => {
    const bytes = await bucket.get(reference);
    decodeChange("bench", { ...change, bytes }, size);
  });
  const committing = (count: number) =>
    median(3, () => commitRound(state, tasks, changes.slice(0, count), { ...options, layout }));
  const added = ((await committing(workers)) - (await committing(1))) / (workers - 1);
  return (1e6 * (reading + added)) / size;
}

/** The time of a round of one worker that makes one step of a tiny model, in milliseconds. */
async function emptyRound(rounds: number): Promise<number> {
  const backend = createCpuBackend();
  const { train: dataset } = builtInDigits({ train: 10, test: 10 });
  const model = sequential([flatten(), dense(10)], { inputShape: [28, 28] }) as unknown as AnyModel;
  const options = { model, dataset, backend, learningRate: 0.01, batchSize: 10, epochs: rounds };
  const trainer = await createTrainer(options);
  const initial = flattened(layoutOf(model), (await trainer.snapshot()).parameters);
  const outer = { outer: defaultOuter, changeType: "float16", stateEvery: 10, isAdaptive: false } as const;
  const sharing = { workers: 1, quorum: 1, innerSteps: 1, ...outer };
  const name = await storeRun(owner, { version, configuration: {}, data: [], sharing });
  const { signal } = new AbortController();
  const run = { name, layout: layoutOf(model), options: { ...sharing, totalSteps: rounds }, sharing, initial };
  const coordinator = new Coordinator(run, { link: owner, owner: newMember(), version, signal, log: console.error });
  const link = await connect("worker");
  const description = await loadOwnRun(link, name);
  const joined = joinRun({ link, run: name, description, model, trainer, name: "bench", signal, trained: () => {} });
  const times: number[] = [];
  for await (const { record } of coordinator.rounds()) times[record.round] = performance.now();
  await joined;
  await link.close();
  return (times.at(-1)! - times[0]!) / (times.length - 1);
}

console.log(`--add-ns ${(await adding(1_000_000, 4)).toFixed(0)}: of 1,000,000 values`);
console.log(`--round-ms ${(await emptyRound(40)).toFixed(0)}: the mean of 40 rounds`);
await owner.close();
stop();
