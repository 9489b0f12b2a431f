import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../../src/backends/backend.ts";
import { ObjectBucket } from "../../../src/cluster/objects.ts";
import { DATA } from "../../../src/cluster/training/names.ts";
import { fetchPreparedRun, preparedTrainerOptions } from "../../../src/cluster/training/prepared/index.ts";
import { loadRun, RunStore } from "../../../src/cluster/training/run-store.ts";
import { SharedRun, type WorkerTrainerOptions } from "../../../src/cluster/training/together.ts";
import { builtInDigits } from "../../../src/index.ts";
import { commandLine } from "../../cli/built-cli.ts";
import { expectEachStepOnce, runIn } from "../../cluster/training/logs.ts";
import { backgroundCommands } from "../../cluster/workers.ts";
import { writeIdx } from "../../data/idx-files.ts";
import { acquireWasmBackend } from "../../wasm.ts";
import { useDemo } from "../demo.ts";
import { passwordOf, useLendServer, visitLend } from "./lend.ts";

const demo = useDemo();
const server = useLendServer(demo);
const cli = commandLine();
const { start } = backgroundCommands(cli);

let backend: Backend;
beforeAll(async () => {
  backend = await acquireWasmBackend();
  const { train } = builtInDigits({ train: 400, test: 10 });
  writeFileSync(cli.inFolder("images"), writeIdx([400, 28, 28], train.features));
  writeFileSync(cli.inFolder("labels"), writeIdx([400], train.labels));
  const line = (index: number) => `${index} plus ${index % 7} is ${index + (index % 7)}`;
  cli.write(
    "sums.txt",
    Array.from({ length: 300 }, (_, index) => line(index)),
  );
});
afterAll(() => backend.dispose());

/** A command for the server of the tests. */
const remotely = (user: "owner" | "worker", args: string) =>
  start([...args.split(" "), "--nats", server.current.address, "--nats-user", user], {
    NATS_PASSWORD: passwordOf(user),
  });

/** Repeats the log of a finished run on this process's device, from what the server has for browsers. */
async function replayed(run: string): Promise<{ readonly rounds: number; readonly totalSteps: number }> {
  const link = await server.connect("owner");
  const { prepared, sharing } = await loadRun(link, run);
  const records = await (await RunStore.open(link, run)).commits();
  const bucket = await ObjectBucket.open(link, DATA);
  const fetched = await fetchPreparedRun(prepared!, (reference) => bucket.getPacked(reference));
  await link.close();
  const { innerSteps, outer, changeType } = sharing;
  const options = preparedTrainerOptions(fetched, backend) as WorkerTrainerOptions;
  const repeated = await SharedRun.create(options, { workers: ["a"], innerSteps, outer, changeType });
  let rounds = 0;
  for await (const _ of repeated.replay(records)) rounds++;
  const { totalSteps } = repeated.options;
  repeated.dispose();
  expect(rounds).toBe(records.length);
  expectEachStepOnce(records, totalSteps);
  return { rounds, totalSteps };
}

test.each([
  [
    "a convolutional network",
    "--preset cnn --images images --labels labels --validation 0.1 --batch 16 --worker-batch 16 --max-steps 40",
    40,
  ],
  [
    "a GPT",
    "--preset gpt-nano --text sums.txt --context 16 --batch 4 --worker-batch 4 --max-steps 60 --dropout 0.1",
    60,
  ],
])("a tab and a worker in Node train %s, and the log repeats their bits", async (_name, network, steps) => {
  const train = `train ${network} --device wasm --browsers --workers 2 --quorum 2 --inner-steps 5`;
  const owner = remotely("owner", train);
  await owner.printed(/^workers/m);
  const run = runIn(owner.output());
  remotely("worker", "worker --name node --cache cache");
  const visitor = await visitLend(demo, server.websocket);
  await visitor.says("lend-run", new RegExp(run));
  await visitor.click("lend-join");
  expect(await owner.ended, owner.output()).toBe(0);
  await visitor.says("lend-message", /^The run has finished/);
  expect(owner.output()).toMatch(/^round +1: node, tab-[0-9a-f]{4}$/m);
  expect(await visitor.number("lend-loss")).toBeGreaterThan(0);
  const { rounds, totalSteps } = await replayed(run);
  expect(totalSteps).toBe(steps);
  expect(rounds).toBe(steps / 10);
  expect(await visitor.number("lend-rounds")).toBe(rounds);
});

test("a tab on WebGPU trains a convolutional network beside a worker on another device", async () => {
  const network =
    "--preset cnn --images images --labels labels --validation 0.1 --batch 16 --worker-batch 16 --max-steps 20 --seed 2";
  const owner = remotely("owner", `train ${network} --device wasm --browsers --workers 2 --quorum 2 --inner-steps 5`);
  await owner.printed(/^workers/m);
  const run = runIn(owner.output());
  remotely("worker", "worker --name node --cache cache");
  const visitor = await visitLend(demo, server.websocket, { device: "webgpu" });
  await visitor.says("lend-run", new RegExp(run));
  await visitor.click("lend-join");
  expect(await owner.ended, owner.output()).toBe(0);
  await visitor.says("lend-message", /^The run has finished/);
  for (const row of [/^node .* 10 /m, /^tab-[0-9a-f]{4} .* 10 /m]) expect(owner.output()).toMatch(row);
  expect(await visitor.number("lend-rounds")).toBe(2);
});
