import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { NetworkFlags } from "../../../src/cli/options/network-options.ts";
import { optimizerOf } from "../../../src/cli/training/network.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { commandLine, quick, quickWith, resultOf, type Finished, type RunOptions } from "../built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder, eventsIn } = cli;
const wgrad = (args: readonly string[], options?: Omit<RunOptions, "cwd">): Promise<Finished> => cli.run(args, options);

describe("wgrad train", () => {
  let finished: Finished;

  beforeAll(async () => {
    finished = await wgrad(["train", ...quick, "--epochs", "30", "--out", "model.safetensors", "--log", "run.jsonl"]);
  });

  test("prints the data, the network, the progress and the test metrics", () => {
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const lines = finished.stdout.trimEnd().split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "data      MNIST in data: 200 for training, 50 for testing",
      "adapter   none: CPU reference, float32",
      "network   20-8-10 relu, 258 parameters",
      "training  300 steps of 20, adam, learning rate 0.02 (cosine)",
    ]);
    const progress = lines.slice(4, -2);
    expect(progress.length).toBeLessThanOrEqual(20);
    for (const line of progress) {
      expect(line).toMatch(
        /^\d+\/300 {2}epoch \d+\/30 {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}[\d,]+ images\/s( {2}\d+ s left)?$/,
      );
    }
    expect(progress.at(-1)).toMatch(/^300\/300 {2}epoch 30\/30 /);
    expect(lines.at(-2)).toMatch(/^test accuracy [\d.]+ % {2}loss [\d.]+ {2}\([\d.]+ s, [\d,]+ images\/s\)$/);
    expect(lines.at(-1)).toBe("model     model.safetensors");
  });

  test("logs every event with the documented fields", () => {
    const events = eventsIn("run.jsonl");
    const [done, ...progress] = events.toReversed();
    for (const event of progress) {
      expect(event).toEqual({
        event: "progress",
        step: expect.any(Number),
        epoch: expect.any(Number),
        loss: expect.any(Number),
        accuracy: expect.any(Number),
        learningRate: expect.any(Number),
        imagesPerSecond: expect.any(Number),
        examplesPerSecond: expect.any(Number),
      });
    }
    expect(progress.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, index) => 300 - 3 * index));
    expect(done).toEqual({
      event: "done",
      testAccuracy: expect.any(Number),
      testLoss: expect.any(Number),
      seconds: expect.any(Number),
      imagesPerSecond: expect.any(Number),
      examplesPerSecond: expect.any(Number),
      startupSeconds: expect.any(Number),
      evaluationSeconds: expect.any(Number),
      adapter: "CPU reference, float32",
      backend: "cpu",
      steps: 300,
      seed: 1,
      stop: "finished",
      why: "all 300 steps were made",
    });
    expect(done!["testAccuracy"]).toBeGreaterThan(0.9);
    expect((done!["imagesPerSecond"] as number) * (done!["seconds"] as number)).toBeCloseTo(300 * 20);
  });

  test("writes a model for which `wgrad evaluate` prints the same metrics", async () => {
    const evaluated = await wgrad(["evaluate", "model.safetensors", "--data", "data", "--device", "cpu"]);
    expect(evaluated).toMatchObject({ code: 0, stderr: "" });
    expect(resultOf(evaluated)).toBeDefined();
    expect(resultOf(evaluated)).toBe(resultOf(finished));
    const { results, training, step, classes } = await loadModelFile(inFolder("model.safetensors"));
    const { testAccuracy, testLoss } = eventsIn("run.jsonl").at(-1)!;
    expect(results).toMatchObject({ accuracy: testAccuracy, loss: testLoss, count: 50 });
    expect(training).toMatchObject({
      optimizer: "adam",
      learningRate: 0.02,
      schedule: "cosine",
      batch: 20,
      epochs: 30,
    });
    expect({ step, classes }).toEqual({ step: 300, classes: [..."0123456789"] });
  });

  test("gives the same numbers for the same seed, and other numbers for another seed", async () => {
    const run = async (seed: string) => {
      expect((await wgrad(["train", ...quick, "--epochs", "2", "--seed", seed, "--log", "seed.jsonl"])).code).toBe(0);
      return eventsIn("seed.jsonl").map(({ loss, testLoss }) => loss ?? testLoss);
    };
    const first = await run("5");
    expect(await run("5")).toEqual(first);
    expect(await run("6")).not.toEqual(first);
  });

  test("accepts every option", async () => {
    const options =
      "--hidden 6,5 --activation tanh --loss meanSquaredError --optimizer momentum --schedule step --warmup 3";
    const more = "--lr 0.5 --batch full --epochs 4 --max-steps 3 --seed 7 --no-standardize --precision float16";
    const { code, stdout } = await wgrad(["train", ...quickWith(...options.split(" "), ...more.split(" "))]);
    expect(stdout).toContain("network   20-6-5-10 tanh, 221 parameters, float16 products");
    expect(stdout).toContain("training  3 steps of 200, momentum, learning rate 0.5 (step after 3 steps of warmup)");
    expect(code).toBe(0);
  });

  test.each([
    ["adagrad", "linear", []],
    ["lion", "cosineRestarts", ["--weight-decay", "0.1"]],
    ["muon", "oneCycle", ["--weight-decay", "0.1"]],
  ])("trains with %s and the schedule %s", async (optimizer, schedule, more) => {
    const options = ["--optimizer", optimizer, "--schedule", schedule, ...more, "--lr", "0.01", "--epochs", "2"];
    const { code, stdout } = await wgrad(["train", ...quickWith(...options), "--out", "other.safetensors"]);
    expect(stdout).toContain(`, ${optimizer}, learning rate 0.01 (${schedule})`);
    expect(code).toBe(0);
    const { configuration } = await loadModelFile(inFolder("other.safetensors"));
    expect(configuration).toMatchObject({ optimizer, schedule });
    const weightDecay = more.length > 0 ? 0.1 : undefined;
    const flags = { ...configuration, optimizer, weightDecay } as unknown as NetworkFlags;
    expect(optimizerOf(flags).options["weightDecay"]).toBe(weightDecay);
  });

  test("trains a linear model, and logs numbers that are not finite as null", async () => {
    const args = [
      "--hidden",
      "none",
      "--loss",
      "meanSquaredError",
      "--optimizer",
      "sgd",
      "--lr",
      "1e20",
      "--epochs",
      "3",
    ];
    const { code, stdout, stderr } = await wgrad([
      "train",
      "--on-nan",
      "ignore",
      ...quickWith(...args),
      "--log",
      "nan.jsonl",
    ]);
    expect(stdout).toContain("network   20-10, linear, 210 parameters");
    expect(stderr).toMatch(/training diverged. Try a smaller --lr/);
    expect(eventsIn("nan.jsonl").at(-1)).toMatchObject({ event: "done", testLoss: null });
    expect(code).toBe(0);
  });

  test("prints the dispatches of a step with DEBUG=wgrad:plan", async () => {
    const { code, stderr } = await wgrad(["train", ...quick, "--max-steps", "1"], { env: { DEBUG: "wgrad:plan" } });
    expect(stderr).toMatch(/^kernel +shapes +grid +FLOPs +bytes\n/);
    expect(code).toBe(0);
  });

  test("continues if nothing reads its standard output", async () => {
    const args = ["train", ...quick, "--epochs", "30", "--out", "unread.safetensors"];
    const { code } = await wgrad(args, { started: (child) => child.stdout!.destroy() });
    expect(code).toBe(0);
    expect(existsSync(inFolder("unread.safetensors"))).toBe(true);
  });

  test("prints and logs where it was interrupted by Ctrl-C", async () => {
    const interrupted = await wgrad(["train", ...quick, "--epochs", "1000000", "--log", "stopped.jsonl"], {
      started(child) {
        const whenItTrains = setInterval(() => {
          if (!existsSync(inFolder("stopped.jsonl")) || readFileSync(inFolder("stopped.jsonl")).length === 0) return;
          clearInterval(whenItTrains);
          child.kill("SIGINT");
        }, 20);
        child.on("close", () => clearInterval(whenItTrains));
      },
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).toMatch(
      /interrupted at step [\d,]+ of 10,000,000 \(epoch \d+\): loss [\d.]+, training accuracy/,
    );
    const last = eventsIn("stopped.jsonl").at(-1)!;
    expect(last).toMatchObject({ event: "interrupted", backend: "cpu", seed: 1 });
    expect(last["step"]).toBeGreaterThan(0);
  });
});

describe("a loss or gradient that is not finite", () => {
  const diverging = [
    "train",
    "--data",
    "data",
    "--device",
    "cpu",
    "--hidden",
    "8",
    "--batch",
    "20",
    "--epochs",
    "20",
    "--optimizer",
    "sgd",
    "--lr",
    "1e30",
    "--no-standardize",
  ];

  test("stops the run with the step, the place, the learning rate and the last good checkpoint", async () => {
    const { code, stderr } = await wgrad([...diverging, "--checkpoint", "kept", "--every", "1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /step \d+: the (gradient of layers\.\d\.\w+|loss) is not finite, at learning rate [\d.e+]+.*choose another --on-nan/,
    );
    expect(stderr).toMatch(/The last good checkpoint is kept\/step-\d+\.safetensors/);
  });

  test("is skipped or ignored on request", async () => {
    const skipped = await wgrad([...diverging, "--on-nan", "skip"]);
    expect(skipped.code).toBe(0);
    expect(skipped.stderr).toMatch(/step \d+ was skipped: .* is not finite/);
    const ignored = await wgrad([...diverging, "--on-nan", "ignore"]);
    expect(ignored.code).toBe(0);
    expect(ignored.stderr).toMatch(/training diverged/);
  });
});
