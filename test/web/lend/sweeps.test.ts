import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BROWSER_TRIALS, TRIALS } from "../../../src/cluster/sweeps/names.ts";
import { setUpSweeps } from "../../../src/cluster/sweeps/set-up.ts";
import { trialBytes } from "../../../src/cluster/sweeps/trial.ts";
import { builtInDigits } from "../../../src/index.ts";
import { version } from "../../../src/version.ts";
import { commandLine } from "../../cli/built-cli.ts";
import { expectSameSweep, backgroundCommands, writeLeaves } from "../../cluster/workers.ts";
import { writeIdx } from "../../data/idx-files.ts";
import { useDemo } from "../demo.ts";
import { passwordOf, useLendServer, visitLend } from "./lend.ts";

const demo = useDemo();
const server = useLendServer(demo);
const cli = commandLine();
const { start } = backgroundCommands(cli);

/** After this time, a trial whose worker is gone is given to another one. */
const LEASE_SECONDS = 3;

beforeAll(async () => {
  const link = await server.connect("owner");
  await setUpSweeps(link, { browsers: true, leaseSeconds: LEASE_SECONDS });
  await link.close();
  writeLeaves(cli);
  const { train } = builtInDigits({ train: 300, test: 10 });
  writeFileSync(cli.inFolder("images"), writeIdx([300, 28, 28], train.features));
  writeFileSync(cli.inFolder("labels"), writeIdx([300], train.labels));
  const rows = Array.from({ length: 80 }, (_, index) => [index, index % 7, 3 * index - 20 * (index % 7), index % 3]);
  cli.write("homes.csv", ["area,rooms,price,floor", ...rows.map((row) => row.join(","))]);
  const sums = Array.from({ length: 200 }, (_, index) => `${index} plus ${index % 7} is ${index + (index % 7)}`);
  cli.write("sums.txt", sums);
});

/** A command for the server of the tests. */
const remotely = (user: "owner" | "worker", args: readonly string[]) =>
  start([...args, "--nats", server.current.address, "--nats-user", user], { NATS_PASSWORD: passwordOf(user) });

const ownerOf = (args: string, folder: string) =>
  remotely("owner", [...args.split(" "), "--browsers", "--out", folder]);

const nodeWorker = () => remotely("worker", "worker --name node --every 500 --cache cache".split(" "));

/** A visitor whose tab takes trials. */
async function visitTrials() {
  const visitor = await visitLend(demo, server.websocket);
  await visitor.says("lend-run", /Trials of sweeps: \d+ to do/);
  await visitor.page.getByTestId("lend-run").selectOption("trials");
  await visitor.click("lend-join");
  return visitor;
}

let sweeps = 0;
beforeEach(() => void sweeps++);
const folders = () => ({ remote: `remote-${sweeps}`, local: `local-${sweeps}` });

const TABLE = "sweep --csv leaves.csv --label kind --drop id --device wasm --hidden 8";

describe("a tab", () => {
  test.each([
    ["a table with classes", `${TABLE} --max-steps 200 --patience 2 --grid lr=0.01,0.02 --grid optimizer=adam;muon`, 4],
    [
      "a table with two targets",
      "sweep --csv homes.csv --label price --label floor --device wasm --hidden 6 --max-steps 120 --grid lr=0.01,0.03",
      2,
    ],
    [
      "images, with a convolutional network",
      "sweep --images images --labels labels --device wasm --preset cnn --batch 16 --max-steps 20 --grid seed=1,2",
      2,
    ],
    [
      "a text, with a GPT",
      "sweep --text sums.txt --context 16 --device wasm --preset gpt-nano --batch 4 --max-steps 20 --grid dropout=0,0.2",
      2,
    ],
  ])("trains a sweep on %s with the bits of a local one", async (_name, sweep, trials) => {
    const { remote, local } = folders();
    const owner = ownerOf(sweep, remote);
    await owner.printed(/^workers/m);
    const visitor = await visitTrials();
    expect(await owner.ended, owner.output()).toBe(0);
    await visitor.reaches("lend-trials", trials);
    await visitor.says("lend-activity", /waiting for work/);
    expect(owner.output()).toMatch(new RegExp(`^${trials}/${trials} .*\\(tab-[0-9a-f]{4}\\)$`, "m"));
    expect(await cli.run([...sweep.split(" "), "--out", local])).toMatchObject({ code: 0 });
    expectSameSweep(cli, remote, local);
  });

  test("and workers in Node continue each other's trials with the bits of a local search", async () => {
    const { remote, local } = folders();
    const search = `${TABLE} --max-steps 9000 --random 6 --range lr=1e-4..0.3:log --search asha --rungs 3 --parallel 1`;
    const owner = ownerOf(search, remote);
    await owner.printed(/^workers/m);
    const first = nodeWorker();
    await first.printed(/: finished after/);
    first.child.kill("SIGTERM");
    await first.ended;
    const visitor = await visitTrials();
    await visitor.reaches("lend-trials", 2);
    await visitor.click("lend-stop");
    const last = nodeWorker();
    expect(await owner.ended, owner.output()).toBe(0);
    expect(last.output()).toMatch(/from step [1-9]/);
    expect(await cli.run([...search.split(" "), "--out", local])).toMatchObject({ code: 0 });
    expectSameSweep(cli, remote, local);
  });

  test.each(["stopped", "closed"])("that is %s gives its trial to another worker", async (how) => {
    const { remote, local } = folders();
    // Enough steps that the tab is still training when it is closed: 20,000 take a second.
    const sweep = `${TABLE} --epochs 100000 --max-steps 40000 --grid lr=0.01,0.02 --weight-decay 0.0${sweeps}`;
    const owner = ownerOf(sweep, remote);
    await owner.printed(/^workers/m);
    const visitor = await visitTrials();
    await visitor.reaches("lend-step", 1);
    if (how === "closed") await visitor.page.close();
    else {
      await visitor.click("lend-stop");
      await visitor.says("lend-message", /^Stopped\. This tab has left the sweeps/);
    }
    const worker = nodeWorker();
    expect(await owner.ended, owner.output()).toBe(0);
    const [, first] = /attempt 2, from step (\d+)/.exec(worker.output())!;
    // Only who stops has the time to store a checkpoint.
    expect(Number(first) > 0).toBe(how === "stopped");
    expect(owner.output()).toMatch(/: node continues after step \d+ \(attempt 2\)$/m);
    expect(await cli.run([...sweep.split(" "), "--out", local])).toMatchObject({ code: 0 });
    expectSameSweep(cli, remote, local);
  });

  test("leaves other sweeps alone, and refuses a trial that is not prepared", async () => {
    const { remote } = folders();
    const other = remotely("owner", [...`${TABLE} --max-steps 20 --grid lr=0.01`.split(" "), "--out", remote]);
    await other.printed(/^workers/m);
    const link = await server.connect("owner");
    const subject = "wgrad.browser-trials.0123456789ab.0123456789ab.0";
    await link.streams.publish(subject, readFileSync(cli.inFolder("leaves.csv")));
    const visitor = await visitTrials();
    await visitor.says("lend-message", /^A trial was refused: trial 0123456789ab: the message is not JSON/);
    const messagesIn = async (queue: string) => (await link.manager.streams.info(queue)).state.messages;
    // The server does not answer a refusal, so it may not have read it yet.
    await expect.poll(() => messagesIn(BROWSER_TRIALS)).toBe(0);
    expect(await messagesIn(TRIALS)).toBe(1);
    // One whose data are missing is left to others, and the tab waits for work again.
    const key = { sweep: "0123456789ab", trial: "0123456789ab", rung: 0 };
    const missing = { object: "missing.gz", digest: "0".repeat(64), bytes: 9 };
    const trial = trialBytes({ ...key, version, configuration: {}, data: [], prepared: missing });
    await link.streams.publish(subject, trial);
    await visitor.says("lend-message", /^This worker cannot train a trial, .*object missing\.gz/);
    await visitor.says("lend-activity", /waiting for work/);
    await link.manager.streams.purge(BROWSER_TRIALS);
    expect(await visitor.number("lend-trials")).toBe(0);
    nodeWorker();
    expect(await other.ended, other.output()).toBe(0);
    await link.close();
  });
});

test("a sweep for browsers is cancelled by its name, with its trials that wait", async () => {
  const { remote } = folders();
  const owner = ownerOf(`${TABLE} --max-steps 20 --grid lr=0.01,0.02`, remote);
  await owner.printed(/^workers/m);
  const link = await server.connect("owner");
  const waiting = async () => (await link.manager.streams.info(BROWSER_TRIALS)).state.messages;
  await expect.poll(waiting).toBe(2);
  const name = /^sweep +([0-9a-f]{12}): /m.exec(owner.output())![1]!;
  const cancelled = await cli.run(["cancel", name, "--nats", server.current.address, "--nats-user", "owner"], {
    env: { NATS_PASSWORD: passwordOf("owner") },
  });
  expect(cancelled).toMatchObject({ code: 0, stderr: "" });
  expect(await owner.ended, owner.output()).toBe(1);
  expect(await waiting()).toBe(0);
  await link.close();
});
