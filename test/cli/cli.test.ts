import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { MnistFile } from "../../src/data/mnist-files.ts";
import { writeIdx } from "../data/idx-files.ts";
import {
  commandLine,
  expectRefusal,
  quick,
  smallPictures,
  writeMnist,
  type Finished,
  type RunOptions,
} from "./built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (args: readonly string[], options?: Omit<RunOptions, "cwd">): Promise<Finished> => cli.run(args, options);

const widthOf = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

describe("help", () => {
  test.each<[string, RegExp[]]>([
    [
      "train",
      [/\(default: 128\)/, /\(default: relu\)/, /\(default:\s+64\)/, /\(default: 0\.002\)/, /\(default: cosine\)/],
    ],
    ["evaluate", [/\(default: auto\)/]],
    ["predict", [/\(default: csv\)/]],
    ["sweep", [/\(default: 0\.1\)/, /--out <folder>/]],
    ["worker", [/--nats <addresses>/, /\(default: 30s\)/]],
    ["cancel", [/--nats <addresses>/]],
    ["devices", []],
    ["summary", [/--json/]],
    ["import", [/--layers <text>/, /--modules <names>/]],
    ["plan", [/\(default:\s+adam;\s+adamW/, /--json/]],
    ["generate", [/\(default: 200\)/, /\(default: 0\.8\)/]],
    ["export", [/--onnx <file>/]],
    ["tune", [/--full/]],
    ["bench", [/\(default: webgpu\)/]],
  ])("wgrad %s --help fits 80 columns, with defaults and an example", async (command, expected) => {
    const { code, stdout } = await wgrad([command, "--help"]);
    for (const text of expected) expect(stdout).toMatch(text);
    expect(stdout).toMatch(new RegExp(`\nExample:\n {2}wgrad ${command}`));
    expect(widthOf(stdout)).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  test("the list of commands fits 80 columns", async () => {
    const { stdout } = await wgrad(["--help"]);
    expect(stdout).toMatch(/\n {2}predict +Prints predictions/);
    expect(widthOf(stdout)).toBeLessThanOrEqual(80);
  });

  test("--version prints the version of the package", async () => {
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
      /^error: --clip-norm: "1e39" is out of range\. Give a finite number above 0 in the range of float32/m,
    ],
    ["train --lr NaN", /^error: --lr: "NaN" is out of range\. Give a finite number above 0/m],
    ["train --lr -0.1", /^error: --lr: "-0.1" is out of range/m],
    ["train --lr 0", /--lr: "0"/],
    ["train --hidden 128,0", /^error: --hidden: "0" is not a positive whole number/m],
    ["train --hidden 1e9", /--hidden: "1e9"/],
    ["train --hidden 99999999999", /layers\.1\.weight: .*Use fewer units/],
    ["train --epochs 0", /--epochs: "0" .* at least 1/],
    ["train --max-steps 1.5", /--max-steps: "1\.5"/],
    ["train --batch 0", /--batch: "0"/],
    ["train --batch all", /--batch: "all" .*"full"/],
    ["train --batch 201", /the batch size 201 is larger than the data set, which has 200 examples\. Give at most 200/],
    ["train --seed -1", /--seed: "-1" .*0 to 4294967295/],
    ["train --seed 4294967296", /--seed: /],
    ["train --activation rleu", /no activation "rleu"\. Did you mean relu\? Choose one of identity, step,/],
    ["train --optimizer adma", /no optimizer "adma"\. Did you mean adam\? Choose one of sgd,/],
    ["train --loss softmax-cross-entropy", /Did you mean softmaxCrossEntropy\?/],
    ["train --loss mse", /no loss "mse"\. Did you mean meanSquaredError\?/],
    [
      "train --out net.onnx",
      /--out: net\.onnx: the model is written as safetensors, not as ONNX\. .*`wgrad export` writes ONNX/,
    ],
    ["train --out net.pt", /--out: net\.pt: the model is written as safetensors, not as a PyTorch file/],
    ["train --schedule cosin", /no schedule "cosin"\. Did you mean cosine\?/],
    ["train --device gpu", /no device "gpu"\. Did you mean webgpu\? Choose one of webgpu, wasm, cpu, auto/],
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
      /images-idx3-ubyte\.gz.*truncated/,
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
      "images and labels of different length",
      { trainLabels: labels(199) },
      /train-labels.*199 labels, but .*200 images/,
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

  test("a file that is not a model, and a model for other pictures", async () => {
    writeFileSync(inFolder("text.safetensors"), "this is no model, but a text that is long enough");
    const evaluate = (model: string, data: string) => wgrad(["evaluate", model, "--data", data, "--device", "cpu"]);
    expectRefusal(
      await evaluate("text.safetensors", "data"),
      1,
      /^error: text\.safetensors: this is not a safetensors file/m,
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
      /the model expects images of 4×5, but those of MNIST, test are 6×6/,
    );
  });

  test.each([
    [
      "--out",
      "absent/model.safetensors",
      /absent\/model\.safetensors: the model cannot be written: folder absent: no such file/,
    ],
    ["--out", "data", /^error: data: the model cannot be written: a folder has this name/m],
    ["--log", "absent/run.jsonl", /absent\/run\.jsonl: the log cannot be written: no such file/],
  ])("%s %s, before anything is trained", async (option, path, message) => {
    const refused = await wgrad(["train", ...quick, option, path]);
    expectRefusal(refused, 1, message);
    expect(refused.stdout).toBe("");
  });

  test("with a stack trace if DEBUG asks for it", async () => {
    const { code, stderr } = await wgrad(["evaluate", "absent"], { env: { DEBUG: "wgrad:error" } });
    expect(stderr).toMatch(/^ +at /m);
    expect(code).toBe(1);
  });
});
