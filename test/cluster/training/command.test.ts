import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { ObjectBucket } from "../../../src/cluster/objects.ts";
import { DATA } from "../../../src/cluster/training/names.ts";
import { fetchPreparedRun } from "../../../src/cluster/training/prepared/index.ts";
import { loadRun } from "../../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../../src/cluster/training/set-up.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { Random } from "../../../src/random.ts";
import { commandLine, expectRefusal } from "../../cli/built-cli.ts";
import { natsServer } from "../nats-server.ts";
import { backgroundCommands, writeLeaves } from "../workers.ts";
import { expectEachStepOnce, logOf, runIn } from "./logs.ts";

const cli = commandLine();
const server = natsServer();
const { start, startWorker } = backgroundCommands(cli);

beforeAll(async () => {
  writeLeaves(cli);
  const link = await server.current.connect();
  await setUpTraining(link, { leaseMilliseconds: 1000 });
  await link.close();
});

const train = (steps: number, ...more: readonly string[]): string[] => [
  ..."train --csv leaves.csv --label kind --drop id --device cpu --hidden 8 --lr 0.02 --batch 30 --max-steps".split(
    " ",
  ),
  String(steps),
  ...more,
];
const shared = (...more: readonly string[]) => ["--nats", server.current.address, "--inner-steps", "50", ...more];

/** Options that are right, so that connecting is the first thing that fails. */
const UNREACHABLE = "--nats nats://127.0.0.1:1";

const accuracyIn = (output: string): number => Number(/^training accuracy ([\d.]+) %/m.exec(output)![1]);

describe("wgrad train --nats", () => {
  test("trains with two workers, saves the model, and writes a log and a report", async () => {
    for (const name of ["one", "two"]) startWorker(server.current, name);
    const outputs = ["--out", "two.safetensors", "--log", "two.jsonl", "--report", "two.html"];
    const args = train(600, ...shared("--workers", "2", "--quorum", "2", "--browsers", ...outputs));
    const run = await cli.run(args);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^run +[0-9a-f]{12}: 50 steps a round, 2 workers$/m);
    expect(run.stdout).toMatch(/^worker +15 examples of a batch of 30, learning rate 0\.01414\d* instead of 0\.02$/m);
    const link = await server.current.connect();
    const { prepared } = await loadRun(link, runIn(run.stdout));
    const bucket = await ObjectBucket.open(link, DATA);
    const { settings, dataset } = await fetchPreparedRun(prepared!, (reference) => bucket.getPacked(reference));
    await link.close();
    expect(settings).toMatchObject({ learningRate: 0.02 * Math.sqrt(0.5), batchSize: 15, maxSteps: 1200 });
    expect(dataset).toMatchObject({ count: 90, classes: ["elm", "fir", "oak"] });
    expect(run.stdout).toMatch(/^round +1: one, two$/m);
    expect(accuracyIn(run.stdout)).toBeGreaterThan(90);
    const { step, classes } = await loadModelFile(cli.inFolder("two.safetensors"));
    expect([step, classes]).toEqual([1200, ["elm", "fir", "oak"]]);
    const lines = readFileSync(cli.inFolder("two.jsonl"), "utf8").trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(13);
    expect(events.at(-1)).toMatchObject({ event: "done", steps: 1200 });
    expect(events[0]).toMatchObject({ event: "progress", round: 1, workers: ["one", "two"] });
    for (const name of ["one", "two"]) expect(run.stdout).toMatch(new RegExp(`^${name} +[█·]{24} +600 `, "m"));
    expect(run.stdout).toMatch(/^12 rounds, 18,000 examples seen, .* exchanged, 0 changes refused$/m);
    const page = readFileSync(cli.inFolder("two.html"), "utf8");
    expect(page).toContain("<dt>examples seen</dt><dd>18,000</dd>");
    expect(page).toMatch(/<tr><th scope="row">1<\/th><td>(0–49|50–99)<\/td><td>(0–49|50–99)<\/td><\/tr>/);
  });

  test("ends well although workers are killed at random, and the coordinator too", async () => {
    const random = new Random(Number(process.env["WGRAD_SEED"] ?? Date.now() % 2 ** 31));
    const args = train(
      2001,
      ...shared("--seed", "2", "--workers", "2", "--quorum", "1", "--out", "killed.safetensors"),
    );
    const workers = ["one", "two"].map((name) => startWorker(server.current, name));
    const first = start(args);
    await first.printed(/^round +1: /m);
    const second = start(args);
    await second.printed(/Another process coordinates this run/);
    workers[0]!.child.kill("SIGKILL");
    const third = startWorker(server.current, "three");
    await third.printed(/steps \d+ to \d+/);
    await new Promise((resolve) => setTimeout(resolve, random.uniform(0, 500)));
    first.child.kill("SIGKILL");
    expect(await second.ended).toBe(0);
    expect(accuracyIn(second.output())).toBeGreaterThan(90);
    expectEachStepOnce(await logOf(server.current, runIn(first.output())), 4002);
    expect(existsSync(cli.inFolder("killed.safetensors"))).toBe(true);
  });

  test("is cancelled by its name, and the same command continues it", async () => {
    const args = train(1500, ...shared("--seed", "3", "--report", "cancelled.html"));
    const worker = startWorker(server.current, "one");
    const first = start(args);
    await first.printed(/^round +1: /m);
    const name = runIn(first.output());
    // The run does not end before the other command has started, however long that takes.
    worker.child.kill("SIGSTOP");
    const cancelled = await cli.run(["cancel", name, "--nats", server.current.address]);
    expect(cancelled).toEqual({
      code: 0,
      stdout: `run ${name} is cancelled; the same command continues it\n`,
      stderr: "",
    });
    expect(await first.ended).toBe(1);
    expect(first.output()).toMatch(/^cancelled at step [\d,]+ of 1,500; the same command continues the run$/m);
    worker.child.kill("SIGCONT");
    await worker.printed(/left after \d+ rounds?/);
    expect(readFileSync(cli.inFolder("cancelled.html"), "utf8")).toMatch(/<dt>stopped<\/dt><dd>interrupted<\/dd>/);
    const before = await logOf(server.current, name);
    expect(before.length).toBeLessThan(30);
    expect(await cli.run(args)).toMatchObject({ code: 0 });
    const log = await logOf(server.current, name);
    expect(log.slice(0, before.length)).toEqual(before);
    expectEachStepOnce(log, 1500);
  });

  test.each<[string, RegExp]>([
    ["--workers 2", /--workers: there is no server to connect to/],
    ["--worker-batch 8", /--worker-batch: there is no server to connect to/],
    ["--browsers", /--browsers: there is no server to connect to/],
    ["--nats nats://127.0.0.1:1 --workers 2 --quorum 3", /--quorum: 3 is more than the 2 of --workers/],
    ["--nats nats://127.0.0.1:1 --outer-momentum 1", /--outer-momentum: 1 is out of range/],
    ["--nats nats://127.0.0.1:1 --change-type float8", /--change-type: there is no change-type "float8"/],
    ["--nats nats://127.0.0.1:1 --patience 3", /--patience: a run that workers share does not have this option/],
    ["--nats nats://127.0.0.1:1 --resume --checkpoint c", /--\w+: a run that workers share does not have this option/],
    [UNREACHABLE, /nats:\/\/127\.0\.0\.1:1: no NATS server can be reached/],
  ])("%s is refused", async (args, message) => {
    expectRefusal(await cli.run(train(10, ...args.split(" "))), args === UNREACHABLE ? 1 : 2, message);
  });
});
