import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { commandLine, type Finished } from "./built-cli.ts";

const cli = commandLine({ mnist: true });
const { inFolder } = cli;
const wgrad = (...args: string[]): Promise<Finished> => cli.run(args);

/** A table of two classes with the given column names. */
const table = (names: readonly string[], classes: readonly string[], rows = 30) =>
  [
    names,
    ...Array.from({ length: rows }, (_, row) => [
      ...names.slice(1).map((_name, column) => String((row * 7 + column) % 11)),
      classes[row % 2]!,
    ]),
  ]
    .map((cells) => `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`)
    .join("");

const quick = ["--device", "cpu", "--hidden", "4", "--epochs", "2"];

beforeAll(async () => {
  writeFileSync(inFolder("t.csv"), table(["a", "b", "label"], ["yes", "no"]));
  writeFileSync(inFolder("run.json"), '{"csv": "t.csv"}');
  symlinkSync("t.csv", inFolder("link.csv"));
  mkdirSync(inFolder("texts"));
  writeFileSync(inFolder("texts/a.txt"), "a text");
});

describe("no output replaces an input or another output", () => {
  test.each([
    ["train --csv t.csv --out t.csv"],
    ["train --csv t.csv --out link.csv"],
    ["train --csv t.csv --report ./t.csv"],
    ["train --csv link.csv --log t.csv"],
    ["train --csv t.csv --test-csv link.csv --log link.csv"],
    ["train --config run.json --out run.json"],
    ["train --config run.json --out t.csv"],
    ["train --data data --out data/train-images-idx3-ubyte"],
    [
      "train --images data/t10k-images-idx3-ubyte --labels data/t10k-labels-idx1-ubyte --log data/t10k-labels-idx1-ubyte",
    ],
    ["train --text t.csv --out link.csv"],
    ["train --text texts --log texts/a.txt"],
    ["train --csv t.csv --out new --log ./new"],
    ["train --csv t.csv --report new --log new"],
    ["train --csv t.csv --checkpoint new --out new"],
    ["train --csv t.csv --checkpoint new --out new/best.safetensors"],
    ["train --csv t.csv --checkpoint new --log new/step-000000001.safetensors"],
    ["bench --compare run.json --json ./run.json"],
    ["import t.csv --out link.csv"],
    ["export t.csv --onnx link.csv"],
  ])("wgrad %s", async (line) => {
    const files = ["t.csv", "run.json", "data/train-images-idx3-ubyte", "data/t10k-labels-idx1-ubyte"];
    const before = files.map((name) => readFileSync(inFolder(name), "base64"));
    const { code, stdout, stderr } = await wgrad(...line.split(" "));
    expect(stderr).toMatch(
      /^error: --[\w-]+: \S+ is the same file as \S+ \([\w -]+\), which is (an input|also an output)\. Give another path\.\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(files.map((name) => readFileSync(inFolder(name), "base64"))).toEqual(before);
    expect(existsSync(inFolder("new"))).toBe(false);
  });

  test("a sweep does not replace a table in its folder", async () => {
    writeFileSync(inFolder("results.csv"), table(["a", "b", "label"], ["yes", "no"]));
    const { code, stderr } = await wgrad("sweep", "--csv", "results.csv", "--grid", "lr=0.1,0.2", "--out", ".");
    expect(stderr).toMatch(
      /^error: --out: results\.csv is the same file as \S*results\.csv \(--csv\), which is an input/,
    );
    expect(code).toBe(2);
  });
});

describe("control characters of a table never reach the terminal", () => {
  const [ink, evil] = ["\u001b[31mred\u202e\u200b", "two\r\nlines"];

  test("in names of files, columns and classes", async () => {
    const name = "t\u001b]0;x\u0007.csv";
    writeFileSync(inFolder(name), table(["a\u001b[2J", "b\u202e", "kind\r"], [ink, evil]));
    const train = await wgrad(
      "train",
      "--csv",
      name,
      "--label",
      "kind",
      ...quick,
      "--validation",
      "0.2",
      "--out",
      "evil\u001b.st",
      "--log",
      "evil.jsonl",
    );
    expect(train).toMatchObject({ code: 0, stderr: "" });
    expect(train.stdout).toContain("data      t\\u001b]0;x\\u0007.csv, 2 columns, 2 classes of kind");
    const evaluate = await wgrad("evaluate", "evil\u001b.st", "--csv", name, "--device", "cpu");
    expect(evaluate.stdout).toContain("\\u001b[31mred");
    const json = await wgrad("evaluate", "evil\u001b.st", "--csv", name, "--device", "cpu", "--json");
    expect((JSON.parse(json.stdout) as { classes: { name: string }[] }).classes.map((found) => found.name)).toEqual([
      ink,
      evil,
    ]);
    const predictJson = await wgrad("predict", "evil\u001b.st", name, "--format", "json", "--device", "cpu");
    expect([ink, evil]).toContain(
      (JSON.parse(predictJson.stdout.split("\n")[0]!) as { prediction: string }).prediction,
    );
    const refused = await wgrad("train", "--csv", name, "--label", "\u001b[5mno");
    expect(refused.stderr).toContain("The columns are a\\u001b[2J, b\\u202e, kind");
    const wrongOption = await wgrad("train", "--\u001b[5mno");
    for (const { stdout, stderr } of [train, evaluate, json, predictJson, refused, wrongOption]) {
      expect(`${stdout}${stderr}`.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }
    expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("CSV for other programs has the names unchanged", async () => {
    const { stdout } = await wgrad("predict", "evil\u001b.st", "t\u001b]0;x\u0007.csv", "--device", "cpu");
    expect(stdout.includes(ink) || stdout.includes(evil)).toBe(true);
  });

  test("a suggested command quotes the name of a column", async () => {
    writeFileSync(
      inFolder("names.csv"),
      table(["a", '$(touch hacked) "x"', "label"], ["yes", "no"]).replaceAll('"1","yes"', '"text","yes"'),
    );
    const { code, stderr } = await wgrad("train", "--csv", "names.csv", "--refuse-text");
    expect(stderr).toMatch(/--drop '\$\(touch hacked\) "x"'|--categorical '\$\(touch hacked\) "x"'/);
    expect(code).toBe(1);
  });
});

test("messages of the library name options as the command line does", async () => {
  const patience = await wgrad("train", "--csv", "t.csv", ...quick, "--patience", "2");
  expect(patience).toMatchObject({
    code: 2,
    stderr: "error: --patience: patience needs a validation set. Give a validation set with --validation.\n",
  });
  const batch = await wgrad("train", "--csv", "t.csv", ...quick, "--batch", "1000");
  expect(batch.stderr).toBe(
    'error: --batch: the batch size 1000 is larger than the data set, which has 30 examples. Give at most 30, or "full".\n',
  );
  const drop = await wgrad("train", "--csv", "t.csv", "--drop", "x");
  expect(drop.stderr).toMatch(/^error: --drop: t\.csv, line 1: there is no column "x"\./);
});

test("a picture's size is compared with the model's before the picture is unpacked", async () => {
  await wgrad("train", "--data", "data", ...quick, "--out", "pictures.st");
  const size = Buffer.alloc(8);
  size.writeUInt32BE(9, 0);
  size.writeUInt32BE(7, 4);
  // The header of a PNG, and nothing after it.
  writeFileSync(
    inFolder("header.png"),
    Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), size, Buffer.from([8, 0, 0, 0, 0])]),
  );
  const { code, stderr } = await wgrad("predict", "pictures.st", "header.png", "--device", "cpu");
  expect(stderr).toMatch(
    /^error: header\.png: the image has 9×7 pixels \(width × height\), but the model expects 5×4\./,
  );
  expect(code).toBe(1);
});

describe("--print-config", () => {
  const printed = async (...args: string[]) => {
    const { stdout, stderr, code } = await wgrad("train", ...args, "--print-config");
    return { configuration: JSON.parse(stdout) as Record<string, unknown>, stderr, code };
  };

  test("lists every option with its value, including options that depend on the data", async () => {
    const { configuration, stderr } = await printed(
      "--csv",
      "t.csv",
      "--validation",
      "0.2",
      "--weight-decay",
      "0.01",
      "--device",
      "cpu",
    );
    const { properties } = JSON.parse(readFileSync("wgrad.schema.json", "utf8")) as { properties: object };
    expect(Object.keys(configuration).toSorted()).toEqual(
      Object.keys(properties)
        .filter((name) => name !== "$schema")
        .toSorted(),
    );
    expect(stderr).toBe("");
    expect(configuration).toMatchObject({
      csv: "t.csv", header: true, label: "label", task: "classification", loss: "softmaxCrossEntropy", batch: 24, device: "cpu", seed: 1,
      weightDecay: 0.01, validation: 0.2, maxSteps: configuration["epochs"], checkEvery: Math.ceil((configuration["epochs"] as number) / 100),
      optimizer: "adamW", resume: false, out: null, maxSeconds: null, data: null,
    }); // prettier-ignore
    expect(configuration["lr"]).toBeGreaterThan(0);
  });

  test("has null for options that depend on data that cannot be read", async () => {
    const { configuration, stderr, code } = await printed("--csv", "nowhere.csv", "--device", "cpu");
    expect(configuration).toMatchObject({ csv: "nowhere.csv", epochs: null, batch: null, device: "cpu" });
    expect(stderr).toMatch(
      /^Options that depend on the data or the device are printed as given: nowhere\.csv: cannot be read/,
    );
    expect(code).toBe(0);
  });

  test("lists the same options as the report", async () => {
    const args = ["--csv", "t.csv", ...quick, "--report", "r.html"];
    const { configuration } = await printed(...args);
    await wgrad("train", ...args);
    const options = readFileSync(inFolder("r.html"), "utf8").split("<h2>Options</h2>")[1]!;
    for (const name of Object.keys(configuration)) expect(options).toContain(`<dt>${name}</dt>`);
    for (const name of ["batch", "maxSteps", "checkEvery", "lr", "seed", "device"])
      expect(options).toContain(`<dt>${name}</dt><dd>${String(configuration[name])}</dd>`);
  });
});
