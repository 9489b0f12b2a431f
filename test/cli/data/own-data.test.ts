import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { initialValues } from "../../../src/formats/model.ts";
import { loadModelFile } from "../../../src/node/index.ts";
import { commandLine, type Finished } from "../built-cli.ts";
import { HEADER, homes, kinds, leaves } from "./tables.ts";

const cli = commandLine();
const { inFolder, write } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

beforeAll(async () => {
  write("leaves.csv", [HEADER, ...leaves(90, 1)]);
  write("homes.csv", ["area,rooms,price", ...homes(120, 1)]);
});

const onLeaves = "train --csv leaves.csv --label kind --drop id --device cpu --hidden 8 --lr 0.02 --batch 16";

describe("classification on a table", () => {
  let trained: Finished;
  beforeAll(async () => {
    trained = await wgrad(`${onLeaves} --epochs 40 --validation 0.2 --out leaves.safetensors --log leaves.jsonl`);
  });

  test("trains, and prints how the columns were read and the validation metrics", () => {
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    const lines = trained.stdout.trimEnd().split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "data      leaves.csv, 3 columns as 4 features, 3 classes of kind:",
      "          72 for training, 18 for validation",
      "text      site (2 categories)",
      "adapter   none: CPU reference, float32",
      "network   4-8-3 relu, 67 parameters",
      "training  160 steps of 16, adamW, learning rate 0.02 (cosine)",
    ]);
    expect(lines.at(-2)).toMatch(/^validation accuracy 100\.0 % {2}loss [\d.]+ {2}\([\d.]+ s, [\d,]+ rows\/s\)$/);
  });

  test("stores the columns, the classes and every option in the model", async () => {
    const { table, configuration, classes, results } = await loadModelFile(inFolder("leaves.safetensors"));
    expect(table).toEqual({
      header: true,
      width: 5,
      columns: [
        { name: "length", position: 2, kind: "number" },
        { name: "width", position: 3, kind: "number" },
        { name: "site", position: 4, kind: "category", categories: ["dry", "wet"] },
      ],
      label: { name: "kind", position: 5, kind: "class", classes: ["elm", "fir", "oak"] },
    });
    expect(classes).toEqual(["elm", "fir", "oak"]);
    expect(configuration).toMatchObject({
      csv: "leaves.csv",
      label: "kind",
      drop: ["id"],
      lr: 0.02,
      validation: 0.2,
      optimizer: "adamW",
      weightDecay: 0.3,
    });
    expect(results).toMatchObject({ accuracy: 1, count: 18 });
  });

  test("evaluates rows with the columns in another order, with metrics of each class", async () => {
    const shuffled = leaves(30, 2).map((row) => row.split(",").reverse().join(","));
    write("more.csv", ["kind,site,width,length,id", ...shuffled, "elm,dry,10.0,0.0,99"]);
    const evaluated = await wgrad("evaluate leaves.safetensors --csv more.csv --device cpu");
    expect(evaluated).toMatchObject({ code: 0, stderr: "" });
    expect(evaluated.stdout).toMatch(/^test accuracy 96\.8 %/m);
    // The added row is labeled elm, but its numbers are those of an oak.
    expect(evaluated.stdout).toMatch(/^elm +100\.0 % +90\.9 % +95\.2 % +11$/m);
    expect(evaluated.stdout).toMatch(/^oak +90\.9 % +100\.0 % +95\.2 % +10$/m);
    expect(evaluated.stdout).toMatch(/^elm +10 +· +1$/m);
    expect(Math.max(...evaluated.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const { stdout } = await wgrad("evaluate leaves.safetensors --csv more.csv --device cpu --json");
    const json = JSON.parse(stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      examples: 31,
      accuracy: 30 / 31,
      confusion: [
        [10, 0, 1],
        [0, 10, 0],
        [0, 0, 10],
      ],
    });
  });

  test("predicts rows of a file and of standard input, as CSV and as JSON", async () => {
    const rows = leaves(6, 3);
    write("new.csv", [
      "site,length,width",
      ...rows.map((row) => row.split(",")).map(([, length, width, site]) => `${site},${length},${width}`),
    ]);
    const expected = ["oak", "elm", "fir", "oak", "elm", "fir"];
    const fromFile = await wgrad("predict leaves.safetensors new.csv --device cpu");
    expect(fromFile).toEqual({ code: 0, stdout: `prediction\n${expected.join("\n")}\n`, stderr: "" });
    const read = cli.runReading(
      "predict leaves.safetensors --format json --probabilities --device cpu",
      readFileSync(inFolder("new.csv")),
    );
    const objects = read.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { prediction: string; probabilities: Record<string, number> });
    expect(objects.map(({ prediction }) => prediction)).toEqual(expected);
    for (const { prediction, probabilities } of objects) {
      expect(Object.keys(probabilities)).toEqual(["elm", "fir", "oak"]);
      expect(Object.values(probabilities).reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
      expect(probabilities[prediction]).toBe(Math.max(...Object.values(probabilities)));
    }
  });

  test("predicts more rows than fit into a batch, in order", () => {
    const rows = leaves(2500, 4)
      .map((row) => row.split(","))
      .map(([, length, width, site]) => `${length},${width},${site}`);
    const { stdout } = cli.runReading(
      "predict leaves.safetensors --device cpu",
      ["length,width,site", ...rows].join("\r\n"),
    );
    expect(stdout.trimEnd().split("\n").slice(1)).toEqual(Array.from({ length: 2500 }, (_, index) => kinds[index % 3]));
  });

  test("gives the same result for the same table with quotes, semicolons and empty lines", async () => {
    const quoted = readFileSync(inFolder("leaves.csv"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) =>
        line
          .split(",")
          .map((cell) => `"${cell}"`)
          .join(";"),
      );
    writeFileSync(inFolder("again.csv"), `\uFEFF${quoted.join("\r\n\r\n")}`);
    const again = await wgrad(`${onLeaves.replace("leaves.csv", "again.csv")} --epochs 40 --validation 0.2`);
    const result = (text: string) => /validation accuracy .* loss [\d.]+/.exec(text)?.[0];
    expect(result(again.stdout)).toBe(result(trained.stdout));
    expect(result(again.stdout)).toBeDefined();
  });
});

describe("regression on a table", () => {
  test("standardizes the target, and prints metrics and predictions in its units", async () => {
    const trained = await wgrad(
      "train --csv homes.csv --label price --validation 0.25 --device cpu --hidden none --lr 0.05 --out homes.safetensors --log homes.jsonl",
    );
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toMatch(/^validation R² (1\.000|0\.999) {2}RMSE [\d,.]+ {2}MAE [\d,.]+ {2}loss/m);
    expect(trained.stdout).not.toContain("accuracy");
    const done = JSON.parse(readFileSync(inFolder("homes.jsonl"), "utf8").trimEnd().split("\n").at(-1)!) as Record<
      string,
      number
    >;
    expect(done["validationR2"]).toBeGreaterThan(0.999);
    expect(done["validationRmse"]).toBeLessThan(5000);
    const { stdout } = await wgrad("evaluate homes.safetensors --csv homes.csv --device cpu --json");
    expect(JSON.parse(stdout)).toMatchObject({ examples: 120, r2: expect.closeTo(1, 3) as number });
    const predicted = cli.runReading("predict homes.safetensors --device cpu", "rooms,area\n2,100\n");
    const [name, price] = predicted.stdout.split("\n");
    expect(name).toBe("price");
    expect(Math.abs(Number(price) - 390_000)).toBeLessThan(10_000);
    const refused = cli.runReading("predict homes.safetensors --probabilities --device cpu", "rooms,area\n2,100\n");
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--probabilities: homes\.safetensors is a regression model/) as string,
    });
  });

  test("--task chooses between regression and classification of whole numbers", async () => {
    const { stdout } = await wgrad("train --csv homes.csv --label rooms --task regression --max-steps 3 --device cpu");
    expect(stdout).toContain("target rooms");
    expect((await wgrad("train --csv homes.csv --label rooms --max-steps 3 --device cpu")).stdout).toContain(
      "6 classes of rooms",
    );
  });
});

describe("stopping", () => {
  const last = (name: string) =>
    JSON.parse(readFileSync(inFolder(name), "utf8").trimEnd().split("\n").at(-1)!) as Record<string, unknown>;

  test.each<[string, RegExp, string]>([
    ["--max-steps 7", /^stopped {3}at step 7: the maximum of 7 steps was reached$/m, "maxSteps"],
    [
      "--loss-tolerance 100 --check-every 5",
      /^stopped {3}at step 20: the loss changed by less than 100 at 3 checks in a row$/m,
      "lossTolerance",
    ],
    [
      "--gradient-tolerance 100 --check-every 5",
      /^stopped {3}at step 15: the gradient norm was below 100 at 3 checks in a row$/m,
      "gradientTolerance",
    ],
    ["--max-seconds 0.0001", /^stopped {3}at step \d+: 0\.0001 seconds have passed$/m, "maxSeconds"],
    [
      "--validation 0.2 --patience 2 --min-improvement 100 --check-every 4",
      /^stopped {3}at step 12: the validation loss was lowest, [\d.]+, at step 4, 2 checks ago;?\n? *;? ?the model is the one of step 4$/m,
      "patience",
    ],
  ])("%s", async (options, message, stop) => {
    const { code, stdout } = await wgrad(`${onLeaves} --epochs 500 ${options} --log stop.jsonl`);
    expect(stdout).toMatch(message);
    expect(last("stop.jsonl")).toMatchObject({ event: "done", stop });
    expect(code).toBe(0);
  });
});

describe("a configuration file", () => {
  test("is read, overridden, printed, and stored in the model", async () => {
    writeFileSync(
      inFolder("run.json"),
      JSON.stringify({ csv: "leaves.csv", label: "kind", drop: ["id"], hidden: [4], epochs: 2, device: "cpu" }),
    );
    const printed = await wgrad("train --config run.json --epochs 3 --print-config");
    const configuration = JSON.parse(printed.stdout) as Record<string, unknown>;
    expect(configuration).toMatchObject({ csv: "leaves.csv", hidden: [4], epochs: 3, lr: 0.002 });
    const trained = await wgrad("train --config run.json --epochs 3 --out config.safetensors");
    expect(trained.stdout).toContain("network   4-4-3 relu");
    const { out, ...given } = (await loadModelFile(inFolder("config.safetensors"))).configuration!;
    expect(out).toBe("config.safetensors");
    expect(configuration).toMatchObject(given);
    writeFileSync(inFolder("printed.json"), printed.stdout);
    expect((await wgrad("train --config printed.json --print-config")).stdout).toBe(printed.stdout);
    await wgrad("train --config printed.json --out again.safetensors");
    const [one, again] = await Promise.all(
      ["config.safetensors", "again.safetensors"].map((name) => loadModelFile(inFolder(name))),
    );
    expect(initialValues(again!.model)).toEqual(initialValues(one!.model));
  });
});

describe("refuses", () => {
  test.each<[string, string[], string, RegExp]>([
    [
      "a label that occurs only in the test table",
      [HEADER, ...leaves(9, 1)],
      "--test-csv strange.csv",
      /^error: strange\.csv, line 2, column 5 \("kind"\): the model does not know the label "yew"/m,
    ],
    [
      "text in a numeric column",
      [HEADER, "1,2,3,wet,oak", "2,x,3,wet,elm"],
      "",
      /^error: bad\.csv, line 3, column 2 \("length"\): "x" is not a number/m,
    ],
    [
      "a missing value",
      [HEADER, "1,2,3,wet,oak", "2,,3,wet,elm"],
      "",
      /line 3, column 2 .*the value is missing.*--missing mean/,
    ],
    [
      "a single class",
      [HEADER, "1,2,3,wet,oak", "2,1,3,wet,oak"],
      "",
      /^error: bad\.csv, column 5 \("kind"\): every label is "oak"/m,
    ],
    [
      "a ragged row",
      [HEADER, "1,2,3,wet,oak", "2,1,3,wet,oak,1"],
      "",
      /^error: bad\.csv, line 3, column 6: the row has 6 columns/m,
    ],
    [
      "a quote that is never closed",
      [HEADER, '1,2,3,"wet,oak'],
      "",
      /^error: bad\.csv, line 2, column 4: the quote is never closed/m,
    ],
  ])("%s", async (_, lines, options, message) => {
    write("bad.csv", lines);
    write("strange.csv", [HEADER, "1,2,3,wet,yew"]);
    const { code, stderr } = await wgrad(`train --csv bad.csv --label kind --device cpu ${options}`.trim());
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });

  test.each<[string, RegExp]>([
    ["train --csv leaves.csv --data data", /^error: --csv and --data: each of these options selects the data/m],
    [
      "train --csv leaves.csv --label kind --lr 1 --lr 2",
      /^error: --lr: this option, or its negation, is given twice/m,
    ],
    [
      "train --csv leaves.csv --header --no-header",
      /^error: --no-header: this option, or its negation, is given twice/m,
    ],
    ["evaluate m --csv a.csv --csv b.csv", /^error: --csv: this option, or its negation, is given twice/m],
    ["train --label kind", /^error: --label: this option requires --csv/m],
    [
      "train --images leaves.csv",
      /^error: --images: leaves\.csv is a file of images without labels\. Give the file of their labels with --labels\./m,
    ],
    [
      "train --csv leaves.csv --label shape",
      /--label: leaves\.csv, line 1: there is no column "shape".*id, length, width, site, kind/,
    ],
    ["train --csv leaves.csv --label kind --patience 3 --device cpu", /patience: patience needs a validation set/],
    ["train --csv leaves.csv --label kind --validation 1.5", /--validation: "1\.5" is out of range/],
    ["train --csv leaves.csv --label kind --task regression", /the label "elm" is not a number/],
    [
      "train --csv leaves.csv --label kind --optimizer adam --weight-decay 0.1 --device cpu",
      /--weight-decay: adam has no weight decay\. Use --optimizer adamW or lion or muon/,
    ],
    [
      "train --csv leaves.csv --label kind --optimizer adam --momentum-form pytorch --device cpu",
      /--momentum-form: adam has no momentum\. Use --optimizer momentum or nesterov/,
    ],
    ["sweep --csv leaves.csv --label kind --out r", /^error: sweep: there is no option to vary/m],
    ["sweep --grid loss=meanSquaredError --out r", /there is no option "loss" to sweep over/],
    ["sweep --range lr=0.1..1 --out r", /--range: a range has infinitely many values.*--random/],
    [
      "sweep --grid lr=1 --grid lr=2 --out r",
      /lr is varied twice\. Give all its values at once, such as --grid lr=a,b/,
    ],
    ["sweep --grid lr=1 --random 2 --range lr=1..2 --out r", /lr is varied twice/],
    ["sweep --grid lr=1", /required option '--out <folder>' not specified/],
    ["sweep --grid lr=1 --out r --report r.html", /unknown option '--report'/],
    ["predict leaves.safetensors leaves.csv --format xml", /no format "xml"/],
    ["evaluate leaves.safetensors --data data", /leaves\.safetensors: the model was trained on a table.*--csv/],
  ])("%s", async (line, message) => {
    const { code, stderr } = await wgrad(line);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/unexpected/);
    expect(code).toBe(2);
  });
});
