import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { messageBytes } from "../../src/cluster/messages.ts";
import { TRIALS } from "../../src/cluster/sweeps/names.ts";
import { setUpSweeps } from "../../src/cluster/sweeps/set-up.ts";
import { version } from "../../src/version.ts";
import { commandLine, expectRefusal } from "../cli/built-cli.ts";
import { sweepWithKills } from "./kills.ts";
import { natsServer } from "./nats-server.ts";
import { backgroundCommands, expectSameSweep, rowsIn, sweepOf, writeLeaves } from "./workers.ts";

const cli = commandLine();
const server = natsServer();
const commands = backgroundCommands(cli);
const { start, startWorker } = commands;

/** After this time, a trial whose worker is gone is given to another one. */
const LEASE_SECONDS = 2;

const grid = ["--grid", "lr=0.001,0.01,0.05"];
const remotely = (out: string) => ["--nats", server.current.address, "--out", out];

beforeAll(async () => {
  writeLeaves(cli);
  const link = await server.current.connect();
  await setUpSweeps(link, { leaseSeconds: LEASE_SECONDS });
  await link.close();
});

/** Trials of about a second, so that they can be disturbed. */
const long = (...more: string[]) => sweepOf(800, "--grid", "lr=0.01,0.05", ...more);

describe("a sweep over NATS", () => {
  test("has the rows and the best model of a local one, with two workers of the same name", async () => {
    const local = await cli.run(sweepOf(200, ...grid, "--out", "local"));
    expect(local).toMatchObject({ code: 0, stderr: "" });
    const workers = ["same", "same"].map((name) => startWorker(server.current, name));
    const remote = await cli.run(sweepOf(200, ...grid, ...remotely("remote")));
    expect(remote).toMatchObject({ code: 0, stderr: "" });
    expectSameSweep(cli, "remote", "local");
    expect(remote.stdout).toMatch(/^3\/3 {2}lr [\d.]+: validation accuracy .* \(same\)$/m);
    expect(readdirSync(cli.inFolder("cache"))).toHaveLength(1);
    for (const { child } of workers) child.kill("SIGTERM");
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([143, 143]);
    const trained = workers.map(({ output }) => Number(/(\d+) trials? finished/.exec(output())?.[1]));
    expect(trained[0]! + trained[1]!).toBe(3);

    // Everything is in the stream of results: no worker is needed to see it again.
    const again = await cli.run(sweepOf(200, ...grid, ...remotely("again")));
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expectSameSweep(cli, "again", "local");
  });

  test("searches by successive halving as a local one does", async () => {
    const search = [
      "--random",
      "6",
      "--range",
      "lr=1e-4..0.3:log",
      "--search",
      "asha",
      "--rungs",
      "2",
      "--parallel",
      "1",
    ];
    expect(await cli.run(sweepOf(90, ...search, "--out", "asha"))).toMatchObject({ code: 0 });
    startWorker(server.current, "one");
    expect(await cli.run(sweepOf(90, ...search, ...remotely("asha-remote")))).toMatchObject({ code: 0 });
    expectSameSweep(cli, "asha-remote", "asha");
  });

  test("loses nothing if workers are killed at random moments, and its owner is replaced", async () => {
    const kills = { kills: 3, mostMilliseconds: 1000, owner: "returns" } as const;
    // Enough steps for the three workers to be killed before both trials are finished.
    const sweep = sweepOf(3000, "--grid", "lr=0.01,0.05");
    await sweepWithKills({ cli, server: server.current, commands }, sweep, kills);
  });

  test("ignores a worker that was frozen, and survives the end and the return of the server", async () => {
    const owner = start([...long("--weight-decay", "0.1"), ...remotely("frozen")]);
    const frozen = startWorker(server.current, "frozen");
    await frozen.printed(/attempt 1/);
    frozen.child.kill("SIGSTOP");
    const other = startWorker(server.current, "other");
    await other.printed(/attempt 2/);
    await server.current.kill();
    await owner.printed(/is lost; trying to reconnect/);
    await server.current.start();
    frozen.child.kill("SIGCONT");
    await frozen.printed(/another worker has taken this job/);
    expect(await owner.ended).toBe(0);
    expect(owner.output()).toMatch(/: other continues after step \d+ \(attempt 2\)$/m);
    expect(await cli.run([...long("--weight-decay", "0.1"), "--out", "calm"])).toMatchObject({ code: 0 });
    expectSameSweep(cli, "frozen", "calm");
  });
});

test("a sweep is cancelled by its name, and continues when it is attached again", async () => {
  const owner = start([...long("--weight-decay", "0.2"), ...remotely("cancelled")]);
  const worker = startWorker(server.current, "one");
  await worker.printed(/attempt 1/);
  // Its trial is still in progress when the other command has started, however long that takes.
  worker.child.kill("SIGSTOP");
  const name = /^sweep +([0-9a-f]{12}): /m.exec(owner.output())![1]!;
  const cancelled = await cli.run(["cancel", name, "--nats", server.current.address]);
  expect(cancelled).toMatchObject({ code: 0, stderr: "" });
  expect(cancelled.stdout).toMatch(/is cancelled; 1 trial in progress will end at the next checkpoint/);
  expect(await owner.ended).toBe(1);
  expect(owner.output()).toMatch(/^cancelled after \d of 2 runs; /m);
  worker.child.kill("SIGCONT");
  await worker.printed(/this job, or it was cancelled/);
  const attach = /`wgrad (sweep --attach .*?)` continues/.exec(owner.output())![1]!;
  const message = `--browsers: sweep ${name} was started without it, so the server does not have what browsers need`;
  expectRefusal(await cli.run([...attach.split(" "), "--browsers"]), 2, new RegExp(message));
  const attached = await cli.run(attach.split(" "));
  expect(attached).toMatchObject({ code: 0, stderr: "" });
  expect(rowsIn(cli, "cancelled")).toHaveLength(3);
});

test("a sweep that was started with --browsers can be attached with it", async () => {
  startWorker(server.current, "one");
  const sweep = await cli.run([...sweepOf(60, ...grid, "--browsers"), ...remotely("prepared")]);
  expect(sweep).toMatchObject({ code: 0, stderr: "" });
  const name = /^sweep +([0-9a-f]{12}): /m.exec(sweep.stdout)![1]!;
  const attached = await cli.run(["sweep", "--attach", name, "--browsers", ...remotely("attached")]);
  expect(attached).toMatchObject({ code: 0, stderr: "" });
  expectSameSweep(cli, "attached", "prepared");
});

test.each<[string, RegExp]>([
  ["cancel x --nats nats://127.0.0.1:1", /name: "x" is not the name of a sweep or a run/],
  ["cancel 0123456789ab", /cancel: there is no server to connect to\. Add --nats/],
])("%s is refused", async (args, message) => {
  expectRefusal(await cli.run(args.split(" ")), 2, message);
});

test("a name that the server does not know cannot be cancelled", async () => {
  const refused = await cli.run(["cancel", "0123456789ab", "--nats", server.current.address]);
  expectRefusal(refused, 1, /sweep 0123456789ab: the server does not have this sweep/);
});

describe("hostile messages", () => {
  const sweep = "0123456789ab";
  const subject = (trial: string) => `wgrad.trials.${sweep}.${trial}.0`;
  const trial = (name: string, changes: object) =>
    messageBytes({ format: 1, version, sweep, trial: name, rung: 0, configuration: {}, data: [], ...changes });

  test("in the queue are refused, and those of another version are left to others", async () => {
    const link = await server.current.connect();
    const publish = (name: string, bytes: Uint8Array) => link.streams.publish(subject(name), bytes);
    await publish("000000000001", new TextEncoder().encode("no JSON"));
    await publish("000000000002", trial("000000000002", { configuration: { csv: "/etc/passwd" } }));
    await publish("000000000003", trial("000000000003", { command: "rm" }));
    await link.streams.publish("wgrad.trials.x", trial("000000000004", {}));
    const worker = startWorker(server.current, "careful");
    await worker.printed(/trial 000000000001: the message is not JSON/);
    await worker.printed(/trial 000000000002: its name is not the digest of its options/);
    await worker.printed(/trial 000000000003: there is no field "command"/);
    await worker.printed(/"wgrad.trials.x": this is not the subject of a trial/);
    await publish("000000000005", trial("000000000005", { version: "9.9.9" }));
    await worker.printed(/Sweep 0123456789ab is of wgrad 9\.9\.9, and this is wgrad 0\.1\.0/);
    // The worker still works, and the trial of the other version still waits.
    const quick = await cli.run(sweepOf(20, "--grid", "lr=0.01", ...remotely("quick")));
    expect(quick).toMatchObject({ code: 0, stderr: "" });
    const { state } = await link.manager.streams.info(TRIALS);
    expect(state.messages).toBe(1);
    await link.manager.streams.purge(TRIALS);
    await link.close();
  });

  test("among the results change nothing, and are counted", async () => {
    const link = await server.current.connect();
    const owner = start(sweepOf(20, "--grid", "lr=0.02,0.03", ...remotely("hostile")));
    await owner.printed(/^workers/m);
    const name = /[0-9a-f]{12}/.exec(owner.output())![0];
    for (const bytes of [
      messageBytes({ event: "finished" }),
      new Uint8Array(1000),
      new TextEncoder().encode("[1e999]"),
    ])
      await link.streams.publish(`wgrad.results.${name}.000000000001.0`, bytes);
    await link.close();
    startWorker(server.current, "honest");
    expect(await owner.ended).toBe(0);
    expect(owner.output()).toContain("3 invalid messages of this sweep were ignored.");
    expect(await cli.run(sweepOf(20, "--grid", "lr=0.02,0.03", "--out", "friendly"))).toMatchObject({ code: 0 });
    expectSameSweep(cli, "hostile", "friendly");
  });
});
