import { afterAll, beforeAll, expect, test } from "vitest";
import { setUpSweeps } from "../../src/cluster/sweeps/set-up.ts";
import { setUpTraining } from "../../src/cluster/training/set-up.ts";
import { commandLine } from "../cli/built-cli.ts";
import { NatsServer } from "../cluster/nats-server.ts";
import { expectEachStepOnce, logOf, runIn } from "../cluster/training/logs.ts";
import { backgroundCommands, expectSameSweep, sweepOf, writeLeaves } from "../cluster/workers.ts";
import { Network, type Host } from "./hosts.ts";
import { accuracyIn, MOST_LOSS, pause, sharedRun, TOTAL_STEPS } from "./shared-run.ts";

const cli = commandLine();
const { start } = backgroundCommands(cli);
let network: Network;
let server: NatsServer;

beforeAll(async () => {
  network = new Network(4);
  server = await NatsServer.start("", "nats", serverHost());
  const link = await server.connect();
  await setUpSweeps(link, { leaseSeconds: 5 });
  await setUpTraining(link);
  await link.close();
  writeLeaves(cli);
});

afterAll(async () => {
  await server?.remove();
  network?.remove();
});

const serverHost = (): Host => network.hosts[0]!;
const ownerHost = (): Host => network.hosts[1]!;
const workerHosts = (): readonly Host[] => network.hosts.slice(2);

const CUT_MILLISECONDS = 30_000;

/** A mobile connection on a bad day. */
const BAD = { kilobitsPerSecond: 20_000, delayMilliseconds: 30, loss: 1 };

const startWorkers = () =>
  workerHosts().map((host, index) =>
    start(
      ["worker", "--nats", server.address, "--name", `host-${index}`, "--every", "1", "--cache", "cache"],
      {},
      host,
    ),
  );

async function cutOff(host: Host): Promise<void> {
  host.cut();
  await pause(CUT_MILLISECONDS);
  host.restore();
}

test("a sweep on four hosts, with one cut off and slow connections, has the results of a sweep on one", async () => {
  const sweep = sweepOf(20_000, "--grid", "lr=0.001,0.01,0.02,0.05");
  expect(await cli.run([...sweep, "--out", "local"])).toMatchObject({ code: 0 });
  const impaired = network.hosts.map((host) => host.impair(BAD));
  console.log(`packets are ${impaired.every(Boolean) ? "delayed and lost" : "slowed down; this kernel has no netem"}`);
  const owner = start([...sweep, "--nats", server.address, "--out", "shared"], {}, ownerHost());
  const workers = startWorkers();
  await workers[0]!.printed(/attempt \d/);
  await cutOff(workerHosts()[0]!);
  expect(await owner.ended).toBe(0);
  expectSameSweep(cli, "shared", "local");
});

test("a shared run on four hosts survives cut cables, and is as accurate as an undisturbed one", async () => {
  const train = (stateEvery: number) => start(sharedRun(server.address, stateEvery), {}, ownerHost());
  const workers = startWorkers();
  const calm = train(10);
  expect(await calm.ended).toBe(0);
  for (const host of network.hosts) host.impair(BAD);
  const run = train(9);
  for (const host of [workerHosts()[0]!, ownerHost(), serverHost()]) {
    await run.printed(/^round +\d+: /m);
    await cutOff(host);
    await pause(5000);
  }
  expect(await run.ended).toBe(0);
  for (const { child, output } of workers) expect(child.exitCode, output()).toBeNull();
  const records = await logOf(server, runIn(run.output()));
  const accuracy = accuracyIn(run.output());
  console.log(`${records.length} rounds, accuracy ${accuracy} %, undisturbed ${accuracyIn(calm.output())} %`);
  expectEachStepOnce(records, TOTAL_STEPS);
  expect(accuracy).toBeGreaterThan(accuracyIn(calm.output()) - MOST_LOSS);
});
