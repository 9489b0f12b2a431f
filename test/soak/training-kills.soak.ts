import { beforeAll, expect, test } from "vitest";
import { setUpTraining } from "../../src/cluster/training/set-up.ts";
import { Random } from "../../src/random.ts";
import { commandLine } from "../cli/built-cli.ts";
import { natsServer } from "../cluster/nats-server.ts";
import { Proxy } from "../cluster/proxy.ts";
import { expectEachStepOnce, logOf, runIn } from "../cluster/training/logs.ts";
import { backgroundCommands, type Background } from "../cluster/workers.ts";
import { accuracyIn, MOST_LOSS, pause, sharedRun, TOTAL_STEPS } from "./shared-run.ts";

const cli = commandLine();
const server = natsServer();
const { start } = backgroundCommands(cli);

beforeAll(async () => {
  const link = await server.current.connect();
  await setUpTraining(link);
  await link.close();
});

const KILLS = 20;
const CUT_MILLISECONDS = 30_000;

const train = (stateEvery: number): string[] => sharedRun(server.current.address, stateEvery);

const startWorker = (name: string, address = server.current.address) =>
  start(["worker", "--nats", address, "--name", name, "--cache", "cache"]);

async function undisturbed(): Promise<number> {
  const workers = ["one", "two"].map((name) => startWorker(name));
  const run = start(train(10));
  expect(await run.ended).toBe(0);
  for (const { child } of workers) child.kill("SIGKILL");
  await Promise.all(workers.map(({ ended }) => ended));
  return accuracyIn(run.output());
}

async function kill(...processes: readonly Background[]): Promise<void> {
  for (const { child } of processes) child.kill("SIGKILL");
  await Promise.all(processes.map(({ ended }) => ended));
}

test("a shared run survives all failures, uses each step once, and is as accurate as an undisturbed one", async () => {
  const seed = Number(process.env["WGRAD_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`WGRAD_SEED=${seed}`);
  const random = new Random(seed);
  const wanted = await undisturbed();
  const proxy = await Proxy.start(server.current.port);
  const steady = [startWorker("near"), startWorker("far", proxy.address)];
  let coordinator = start(train(9));
  await coordinator.printed(/^round +1: /m);
  const run = runIn(coordinator.output());
  for (let kills = 0; kills < KILLS; kills++) {
    const worker = startWorker(`killed-${kills}`);
    await worker.printed(/steps \d+ to \d+/);
    await pause(random.uniform(0, 2000));
    await kill(worker);
    if (kills === 5) {
      const standby = start(train(9));
      await standby.printed(/Another process coordinates this run/);
      await kill(coordinator);
      coordinator = standby;
    }
    if (kills === 10) await server.current.kill();
    if (kills === 10) await server.current.start();
    if (kills === 14) proxy.cut();
    if (kills === 14) setTimeout(() => proxy.restore(), CUT_MILLISECONDS);
  }
  // Everything ends at once, and new processes continue.
  await kill(coordinator, ...steady);
  for (const name of ["later-1", "later-2"]) startWorker(name);
  const last = start(train(9));
  expect(await last.ended).toBe(0);
  proxy.close();
  const records = await logOf(server.current, run);
  const missing = records.flatMap((record) => Object.values(record.missing).map(({ kind }) => kind));
  const accuracy = accuracyIn(last.output());
  console.log(`${records.length} rounds, ${missing.length} tasks given out again`);
  console.log(`accuracy ${accuracy} %, undisturbed ${wanted} %`);
  expectEachStepOnce(records, TOTAL_STEPS);
  expect(missing).not.toContain("refused");
  expect(missing.length).toBeGreaterThan(0);
  expect(accuracy).toBeGreaterThan(wanted - MOST_LOSS);
});
