import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import type { MnistFile } from "../../src/data/mnist.ts";
import { loadModelFile } from "../../src/node/index.ts";
import { writeIdx } from "../data/idx-files.ts";
import { commandLine, smallPictures, writeMnist, type Finished, type RunOptions } from "./built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;

const wgrad = (args: readonly string[], options: Omit<RunOptions, "cwd"> = {}): Promise<Finished> =>
  cli.run(args, options);

/** Settings that train in a moment. */
const quick = ["--data", "data", "--device", "cpu", "--hidden", "8", "--batch", "20", "--lr", "0.02"];

const eventsOf = (name: string): Record<string, unknown>[] =>
  readFileSync(inFolder(name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const resultOf = ({ stdout }: Finished) => /test accuracy .* %  loss [\d.]+/.exec(stdout)?.[0];

/** The quick settings with these options, some of them in place of the quick ones: an option must not be given twice. */
const quickWith = (...args: readonly string[]) => [
  ...quick.filter((text, index) => !args.includes(index % 2 === 0 ? text : quick[index - 1]!)),
  ...args,
];

/** Fails unless a command refused, in words alone, with this exit code. */
function expectRefusal({ code, stderr }: Finished, expectedCode: number, ...messages: RegExp[]): void {
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at .*\.(js|ts|mjs)/m);
  expect(code).toBe(expectedCode);
}

describe("wgrad train", () => {
  let finished: Finished;

  beforeAll(async () => {
    finished = await wgrad(["train", ...quick, "--epochs", "30", "--out", "model.safetensors", "--log", "run.jsonl"]);
  });

  test("says what it trains on which data and by what, where it stands, and what the test set gave", () => {
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
    const events = eventsOf("run.jsonl");
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

  test("writes a model that `wgrad evaluate` finds as good as training did", async () => {
    const evaluated = await wgrad(["evaluate", "model.safetensors", "--data", "data", "--device", "cpu"]);
    expect(evaluated).toMatchObject({ code: 0, stderr: "" });
    expect(resultOf(evaluated)).toBeDefined();
    expect(resultOf(evaluated)).toBe(resultOf(finished));
    const { results, training, step, classes } = await loadModelFile(inFolder("model.safetensors"));
    const { testAccuracy, testLoss } = eventsOf("run.jsonl").at(-1)!;
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

  test("gives the same numbers again for the same seed, and others for another", async () => {
    const run = async (seed: string) => {
      expect((await wgrad(["train", ...quick, "--epochs", "2", "--seed", seed, "--log", "seed.jsonl"])).code).toBe(0);
      return eventsOf("seed.jsonl").map(({ loss, testLoss }) => loss ?? testLoss);
    };
    const first = await run("5");
    expect(await run("5")).toEqual(first);
    expect(await run("6")).not.toEqual(first);
  });

  test("takes every option", async () => {
    const options =
      "--hidden 6,5 --activation tanh --loss meanSquaredError --optimizer momentum --schedule step --warmup 3";
    const more = "--lr 0.5 --batch full --epochs 4 --max-steps 3 --seed 7 --no-standardize --precision float16";
    const { code, stdout } = await wgrad(["train", ...quickWith(...options.split(" "), ...more.split(" "))]);
    expect(stdout).toContain("network   20-6-5-10 tanh, 221 parameters, float16 products");
    expect(stdout).toContain("training  3 steps of 200, momentum, learning rate 0.5 (step after 3 steps of warm-up)");
    expect(code).toBe(0);
  });

  test("trains a linear model, and writes numbers that are not finite as null", async () => {
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
    expect(eventsOf("nan.jsonl").at(-1)).toMatchObject({ event: "done", testLoss: null });
    expect(code).toBe(0);
  });

  test("DEBUG=wgrad:plan prints the step's dispatches as well", async () => {
    const { code, stderr } = await wgrad(["train", ...quick, "--max-steps", "1"], { env: { DEBUG: "wgrad:plan" } });
    expect(stderr).toMatch(/^kernel +shapes +grid +FLOPs +bytes\n/);
    expect(code).toBe(0);
  });

  test("goes on when nobody reads what it says", async () => {
    const args = ["train", ...quick, "--epochs", "30", "--out", "unread.safetensors"];
    const { code } = await wgrad(args, { started: (child) => child.stdout!.destroy() });
    expect(code).toBe(0);
    expect(existsSync(inFolder("unread.safetensors"))).toBe(true);
  });

  test("Ctrl-C ends it with what was reached", async () => {
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
    const last = eventsOf("stopped.jsonl").at(-1)!;
    expect(last).toMatchObject({ event: "interrupted", backend: "cpu", seed: 1 });
    expect(last["step"]).toBeGreaterThan(0);
  });
});

describe("devices", () => {
  test("WebGPU trains, and evaluates to the same numbers", async () => {
    const gpu = quickWith("--device", "webgpu");
    const trained = await wgrad(["train", ...gpu, "--epochs", "10", "--out", "gpu.safetensors", "--log", "gpu.jsonl"]);
    expect(trained.code).toBe(0);
    expect(trained.stdout).toMatch(/^adapter {3}(?!none)/m);
    expect(eventsOf("gpu.jsonl").at(-1)).toMatchObject({ backend: "webgpu", steps: 100 });
    const evaluated = await wgrad(["evaluate", "gpu.safetensors", "--data", "data", "--device", "webgpu"]);
    expect(resultOf(evaluated)).toBeDefined();
    expect(resultOf(evaluated)).toBe(resultOf(trained));
  });

  test("`wgrad devices` lists the adapter's features and limits, and the CPU", async () => {
    const { code, stdout } = await wgrad(["devices"]);
    for (const name of ["adapter", "kind", "vendor", "architecture", "driver", "features"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, "m"));
    }
    expect(stdout).toMatch(/^ {4}maxStorageBufferBindingSize +\d+$/m);
    expect(stdout).toMatch(/CPU.*\n.*always there/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  describe("where Dawn's native module does not load", () => {
    const env: Record<string, string> = {};

    beforeAll(() => {
      const hook = `export async function resolve(name, context, next) {
        if (name === "webgpu") throw new Error("libc.so.6: version GLIBC_2.34 not found\\nmore");
        return next(name, context);
      }`;
      const registering = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hook)}");`;
      env["NODE_OPTIONS"] = `--import=data:text/javascript,${encodeURIComponent(registering)}`;
    });

    test("--device webgpu fails with the reason", async () => {
      const refused = await wgrad(["train", ...quickWith("--device", "webgpu")], { env });
      expectRefusal(refused, 1, /^error: WebGPU: the native module .* GLIBC_2\.34 not found\. .*npm ci/m);
    });

    test("--device auto trains by WebAssembly and says in one line why and how to get a GPU", async () => {
      const { code, stdout, stderr } = await wgrad(
        ["train", "--on-nan", "ignore", ...quickWith("--device", "auto", "--epochs", "1")],
        { env },
      );
      expect(stderr).toMatch(/^No GPU \(.*GLIBC_2\.34 not found\).* CPU.*`npm run setup`.*\n$/);
      expect(stdout).toMatch(/^adapter   none: WebAssembly, \d+ threads?$/m);
      expect(code).toBe(0);
    });

    test("--device cpu does not ask for it, and `wgrad devices` says what is missing", async () => {
      expect(await wgrad(["train", ...quick, "--epochs", "1"], { env })).toMatchObject({ code: 0, stderr: "" });
      const { code, stdout } = await wgrad(["devices"], { env });
      expect(stdout).toMatch(/adapter +none: the native module/);
      expect(code).toBe(0);
    });
  });
});

describe("wgrad plan", () => {
  test("--json gives the list and nothing else", async () => {
    const { code, stdout } = await wgrad(["plan", "--json", "--batch", "32", "--hidden", "16"]);
    const plan = JSON.parse(stdout) as { dispatches: Record<string, unknown>[] };
    expect(Object.keys(plan)).toEqual(["dispatches"]);
    expect(plan.dispatches.length).toBeGreaterThan(5);
    for (const dispatch of plan.dispatches) {
      expect(dispatch).toEqual({
        kernel: expect.any(String),
        shapes: expect.stringContaining("→"),
        grid: [expect.any(Number), expect.any(Number), expect.any(Number)],
        flops: expect.any(Number),
        bytes: expect.any(Number),
      });
    }
    expect(JSON.stringify(plan)).toContain("[32, 784]");
    expect(code).toBe(0);
  });

  test("prints a table of 80 columns", async () => {
    const { code, stdout } = await wgrad(["plan", "--device", "cpu", "--hidden", "128,64", "--optimizer", "sgd"]);
    expect(stdout).toContain("network   784-128-64-10 relu, 109,386 parameters");
    expect(stdout).toMatch(/^kernel +shapes +grid +FLOPs +bytes$/m);
    expect(stdout).toMatch(/^matmul +\[64, 784\] \[784, 128\] → +\d+×\d+×\d+ +[\d.]+ k +[\d.]+ k$/m);
    expect(stdout).toMatch(/^\d+ dispatches/m);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });
});

describe("help", () => {
  test.each<[string, RegExp[]]>([
    [
      "train",
      [/\(default: 128\)/, /\(default: relu\)/, /\(default: 64\)/, /\(default: 0\.002\)/, /\(default: cosine\)/],
    ],
    ["evaluate", [/\(default: auto\)/]],
    ["predict", [/\(default: csv\)/]],
    ["sweep", [/\(default: 0\.1\)/, /--out <folder>/]],
    ["devices", []],
    ["plan", [/\(default: adam; adamW/, /--json/]],
  ])("wgrad %s --help fits 80 columns and has defaults and an example", async (command, expected) => {
    const { code, stdout } = await wgrad([command, "--help"]);
    for (const text of expected) expect(stdout).toMatch(text);
    expect(stdout).toMatch(new RegExp(`\nExample:\n {2}wgrad ${command}`));
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await wgrad(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("bad arguments end with exit code 2", () => {
  test.each<[string, RegExp]>([
    ["train --epoch 3", /unknown option '--epoch'[^]*Did you mean --epochs\?/],
    ["trian", /unknown command 'trian'[^]*Did you mean train\?/],
    ["train 3", /too many arguments/],
    ["train --lr", /'--lr <rate>' argument missing/],
    ["evaluate", /missing required argument 'model'/],
    [
      "train --clip-norm 1e39",
      /^error: --clip-norm: "1e39" is out of range\. Give a finite number above 0 that float32 holds/m,
    ],
    ["train --lr NaN", /^error: --lr: "NaN" is out of range\. Give a finite number above 0/m],
    ["train --lr -0.1", /^error: --lr: "-0.1" is out of range/m],
    ["train --lr 0", /--lr: "0"/],
    ["train --hidden 128,0", /^error: --hidden: "0" is no width/m],
    ["train --hidden 1e9", /--hidden: "1e9"/],
    ["train --hidden 99999999999", /layers\.1\.weight: .*Use fewer units/],
    ["train --epochs 0", /--epochs: "0" .* at least 1/],
    ["train --max-steps 1.5", /--max-steps: "1\.5"/],
    ["train --batch 0", /--batch: "0"/],
    ["train --batch all", /--batch: "all" .*"full"/],
    ["train --batch 201", /batch 201 is larger than the data set's 200 examples\. Give at most 200/],
    ["train --seed -1", /--seed: "-1" .*0 … 4294967295/],
    ["train --seed 4294967296", /--seed: /],
    ["train --activation rleu", /no activation "rleu"\. Did you mean relu\? Choose one of identity, step,/],
    ["train --optimizer adma", /no optimizer "adma"\. Did you mean adam\? Choose one of sgd,/],
    ["train --loss softmax-cross-entropy", /Did you mean softmaxCrossEntropy\?/],
    ["train --schedule cosin", /no schedule "cosin"\. Did you mean cosine\?/],
    ["train --device gpu", /no device "gpu"\. (Did you mean cpu\? )?Choose one of webgpu, wasm, cpu, auto/],
    ["plan --activation nothing-like-it", /no activation "nothing-like-it"\. Choose one of/],
  ])("wgrad %s", async (line, message) => {
    const [command, ...args] = line.split(" ");
    const setting = command === "train" ? ["--data", "data", "--device", "cpu"] : [];
    expectRefusal(await wgrad([command!, ...setting, ...args]), 2, message);
  });
});

describe("files that cannot be used end with exit code 1", () => {
  const labels = (count: number) => writeIdx([count], new Uint8Array(count));
  const pictures = smallPictures();
  test.each<[string, Partial<Record<MnistFile, Uint8Array>>, RegExp]>([
    [
      "a truncated .gz",
      { trainImages: gzipSync(pictures.trainImages).subarray(0, 500) },
      /images-idx3-ubyte\.gz.*cut short/,
    ],
    [
      "a wrong magic",
      { trainImages: Uint8Array.of(1, 2, 3, 4, 5) },
      /train-images-idx3-ubyte, byte 0: not an IDX file/,
    ],
    [
      "a count beyond the file",
      { testImages: pictures.testImages.subarray(0, 999) },
      /t10k-images.*needs 1016 bytes, found 999/,
    ],
    [
      "a label out of range",
      { testLabels: pictures.testLabels.with(20, 10) },
      /t10k-labels.*label 10 of example 12 is outside 0 … 9/,
    ],
    [
      "pictures and labels of different length",
      { trainLabels: labels(199) },
      /train-labels.*199 labels, but .*200 pictures/,
    ],
  ])("%s", async (name, damaged, message) => {
    const data = name.replaceAll(" ", "-");
    writeMnist(inFolder(data), { ...pictures, ...damaged });
    expectRefusal(
      await wgrad(["train", "--data", data, "--device", "cpu"]),
      1,
      new RegExp(`^error: ${data}`, "m"),
      message,
    );
  });

  test("a folder without the files, also in MNIST_DIR", async () => {
    const message = /^error: \.: the folder lacks train-images-idx3-ubyte\.gz/m;
    expectRefusal(await wgrad(["train", "--data", ".", "--device", "cpu"]), 1, message);
    expectRefusal(await wgrad(["train", "--device", "cpu"], { env: { MNIST_DIR: "." } }), 1, message);
  });

  test("a model file that is none, or for other pictures", async () => {
    writeFileSync(inFolder("text.safetensors"), "this is no model, but a text that is long enough");
    const evaluate = (model: string, data: string) => wgrad(["evaluate", model, "--data", data, "--device", "cpu"]);
    expectRefusal(
      await evaluate("text.safetensors", "data"),
      1,
      /^error: text\.safetensors: this is no safetensors file/m,
    );
    expectRefusal(
      await evaluate("absent.safetensors", "data"),
      1,
      /^error: absent\.safetensors: cannot be read: no such file/m,
    );
    expect((await wgrad(["train", ...quick, "--max-steps", "1", "--out", "small.safetensors"])).code).toBe(0);
    writeMnist(inFolder("wide"), {
      trainImages: writeIdx([1, 6, 6], new Uint8Array(36)),
      trainLabels: labels(1),
      testImages: writeIdx([1, 6, 6], new Uint8Array(36)),
      testLabels: labels(1),
    });
    expectRefusal(
      await evaluate("small.safetensors", "wide"),
      1,
      /the model takes pictures of 4×5, but those of MNIST, test are 6×6/,
    );
  });

  test.each([
    [
      "--out",
      "absent/model.safetensors",
      /absent\/model\.safetensors: the model cannot be written: folder absent: no such file/,
    ],
    ["--out", "data", /^error: data: the model cannot be written: there is a folder of this name/m],
    ["--log", "absent/run.jsonl", /absent\/run\.jsonl: the log cannot be written: no such file/],
  ])("%s %s, before anything is trained", async (option, path, message) => {
    const refused = await wgrad(["train", ...quick, option, path]);
    expectRefusal(refused, 1, message);
    expect(refused.stdout).toBe("");
  });

  test("with a stack trace where DEBUG asks for it", async () => {
    const { code, stderr } = await wgrad(["evaluate", "absent"], { env: { DEBUG: "wgrad:error" } });
    expect(stderr).toMatch(/^ +at /m);
    expect(code).toBe(1);
  });
});
