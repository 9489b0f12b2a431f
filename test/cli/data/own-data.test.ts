import { encode } from "fast-png";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModelFile } from "../../../src/node/index.ts";
import { initialValues } from "../../../src/formats/model.ts";
import { Random } from "../../../src/random.ts";
import { writeIdx } from "../../data/idx-files.ts";
import { commandLine, smallPictures, writeMnist, type Finished } from "../built-cli.ts";

const cli = commandLine();
const { inFolder } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

/** The command with a text on its standard input. */
const wgradReading = (args: string, input: string | Uint8Array) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli.path, ...args.split(" ")], {
    cwd: cli.folder,
    input,
    encoding: "utf8",
  });
  return { code: status, stdout, stderr };
};

const kinds = ["oak", "elm", "fir"];

/** Leaves of three kinds that their numbers tell apart. */
function leaves(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const kind = index % 3;
    const numbers = [random.normal(3 * kind, 0.3), random.normal(10 - 2 * kind, 0.3)].map((value) => value.toFixed(3));
    return [index, ...numbers, ["wet", "dry"][random.below(2)], kinds[kind]].join(",");
  });
}

const HEADER = "id,length,width,site,kind";

/** Prices that are linear in two numbers, of a large unit. */
function homes(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const [area, rooms] = [random.uniform(40, 200), 1 + random.below(6)];
    return `${area.toFixed(2)},${rooms},${(3000 * area + 20_000 * rooms + 50_000).toFixed(0)}`;
  });
}

const { write } = cli;

beforeAll(async () => {
  write("leaves.csv", [HEADER, ...leaves(90, 1)]);
  write("homes.csv", ["area,rooms,price", ...homes(120, 1)]);
});

const onLeaves = "train --csv leaves.csv --label kind --drop id --device cpu --hidden 8 --lr 0.02 --batch 16";

describe("a table of classes", () => {
  let trained: Finished;
  beforeAll(async () => {
    trained = await wgrad(`${onLeaves} --epochs 40 --validation 0.2 --out leaves.safetensors --log leaves.jsonl`);
  });

  test("trains, and says what was made of the columns and how the held-back rows did", () => {
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

  test("keeps all that is needed to read such columns again, and every option", async () => {
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

  test("is evaluated on other rows of the columns in another order, with each class's numbers", async () => {
    const shuffled = leaves(30, 2).map((row) => row.split(",").reverse().join(","));
    write("more.csv", ["kind,site,width,length,id", ...shuffled, "elm,dry,10.0,0.0,99"]);
    const evaluated = await wgrad("evaluate leaves.safetensors --csv more.csv --device cpu");
    expect(evaluated).toMatchObject({ code: 0, stderr: "" });
    expect(evaluated.stdout).toMatch(/^test accuracy 96\.8 %/m);
    // The one leaf that is called an elm is an oak by its numbers.
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

  test("is predicted row by row from a file and from standard input, as CSV and as JSON", async () => {
    const rows = leaves(6, 3);
    write("new.csv", [
      "site,length,width",
      ...rows.map((row) => row.split(",")).map(([, length, width, site]) => `${site},${length},${width}`),
    ]);
    const expected = ["oak", "elm", "fir", "oak", "elm", "fir"];
    const fromFile = await wgrad("predict leaves.safetensors new.csv --device cpu");
    expect(fromFile).toEqual({ code: 0, stdout: `prediction\n${expected.join("\n")}\n`, stderr: "" });
    const read = wgradReading(
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

  test("predicts more rows than a batch holds, in their order", () => {
    const rows = leaves(2500, 4)
      .map((row) => row.split(","))
      .map(([, length, width, site]) => `${length},${width},${site}`);
    const { stdout } = wgradReading(
      "predict leaves.safetensors --device cpu",
      ["length,width,site", ...rows].join("\r\n"),
    );
    expect(stdout.trimEnd().split("\n").slice(1)).toEqual(Array.from({ length: 2500 }, (_, index) => kinds[index % 3]));
  });

  test("learns the same from the same table written in another way", async () => {
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

describe("a table of quantities", () => {
  test("trains by their mean and deviation, and speaks in their units", async () => {
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
    const said = wgradReading("predict homes.safetensors --device cpu", "rooms,area\n2,100\n");
    const [name, price] = said.stdout.split("\n");
    expect(name).toBe("price");
    expect(Math.abs(Number(price) - 390_000)).toBeLessThan(10_000);
    const refused = wgradReading("predict homes.safetensors --probabilities --device cpu", "rooms,area\n2,100\n");
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--probabilities: homes\.safetensors gives quantities/) as string,
    });
  });

  test("--task settles what numbers are", async () => {
    const { stdout } = await wgrad("train --csv homes.csv --label rooms --task regression --max-steps 3 --device cpu");
    expect(stdout).toContain("rooms as a quantity");
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
      /^stopped {3}at step 12: the validation loss was lowest, [\d.]+, at step 4, 2 checks ago;?\n? *;? ?the model is that of step 4$/m,
      "patience",
    ],
  ])("%s", async (options, message, stop) => {
    const { code, stdout } = await wgrad(`${onLeaves} --epochs 500 ${options} --log stop.jsonl`);
    expect(stdout).toMatch(message);
    expect(last("stop.jsonl")).toMatchObject({ event: "done", stop });
    expect(code).toBe(0);
  });
});

describe("pictures", () => {
  test("in IDX files of one's own train, and are evaluated and predicted from a PNG", async () => {
    const { trainImages, trainLabels, testImages, testLabels } = smallPictures();
    for (const [name, bytes] of Object.entries({ a: trainImages, b: trainLabels, c: testImages, d: testLabels }))
      writeFileSync(inFolder(`${name}.idx`), bytes);
    const train =
      "train --images a.idx --labels b.idx --test-images c.idx --test-labels d.idx --hidden 8 --batch 20 --lr 0.02 --epochs 30 --device cpu";
    const trained = await wgrad(`${train} --out idx.safetensors`);
    expect(trained.stdout).toMatch(/^data {6}a\.idx: 200 for training, 50 for testing$/m);
    const evaluated = await wgrad("evaluate idx.safetensors --images c.idx --labels d.idx --device cpu");
    const result = (text: string) => /test accuracy .* loss [\d.]+/.exec(text)?.[0];
    expect(result(evaluated.stdout)).toBe(result(trained.stdout));
    expect(evaluated.stdout).toContain("confusion: a row is what the examples are");
    writeMnist(inFolder("four"), smallPictures());
    expect(result((await wgrad("evaluate idx.safetensors --images four --device cpu")).stdout)).toBe(
      result(trained.stdout),
    );

    const grey = Uint8Array.from({ length: 20 }, (_, pixel) => (pixel === 7 ? 255 : 40));
    writeFileSync(inFolder("seven.png"), encode({ width: 5, height: 4, channels: 1, data: grey }));
    expect((await wgrad("predict idx.safetensors seven.png --device cpu")).stdout).toBe("prediction\n7\n");
    const ink = {
      width: 10,
      height: 8,
      channels: 4,
      data: Uint8Array.from({ length: 320 }, (_, at) => {
        const [row, column] = [Math.floor(at / 40) >> 1, (Math.floor(at / 4) % 10) >> 1];
        return at % 4 === 3 ? 255 : 255 - grey[row * 5 + column]!;
      }),
    };
    writeFileSync(inFolder("large.png"), encode(ink));
    const refused = await wgrad("predict idx.safetensors large.png --device cpu");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/large\.png: the picture has 10×8 pixels.*takes 5×4.*--resize/) as string,
    });
    expect((await wgrad("predict idx.safetensors large.png --invert --resize --device cpu")).stdout).toBe(
      "prediction\n7\n",
    );
    expect((await wgrad("predict idx.safetensors large.png --resize --device cpu")).stderr).toMatch(
      /mostly bright.*--invert/,
    );
    const csv = wgradReading("predict idx.safetensors --device cpu", "1,2\n");
    expect(csv).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /standard input: idx\.safetensors was trained on pictures, and this is no PNG/,
      ) as string,
    });
  });

  test("labels beyond MNIST's ten are classes too", async () => {
    writeFileSync(
      inFolder("p.idx"),
      writeIdx(
        [4, 2, 2],
        Uint8Array.from({ length: 16 }, (_, index) => index),
      ),
    );
    writeFileSync(inFolder("l.idx"), writeIdx([4], Uint8Array.of(0, 11, 3, 11)));
    expect((await wgrad("train --images p.idx --labels l.idx --max-steps 1 --device cpu")).stdout).toContain(
      "network   4-128-12 relu",
    );
  });
});

describe("a table as people have them", () => {
  /** Offers of homes as a German spreadsheet writes them, with a column that says nothing and one that counts. */
  function offers(count: number, seed: number): string[] {
    const random = new Random(seed);
    const german = (value: number) =>
      value.toLocaleString("de-DE", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return Array.from({ length: count }, (_, index) => {
      const area = random.uniform(40, 200);
      const day = `${String(1 + random.below(28)).padStart(2, "0")}.${String(1 + random.below(12)).padStart(2, "0")}.2024`;
      return [
        index + 1,
        day,
        german(area),
        `${german(random.uniform(1, 9))} %`,
        "0,3",
        ["Nord", "Süd"][index % 2],
        `${german(3000 * area)} €`,
      ].join(";");
    });
  }
  const OFFERS = "nr;datum;fläche;zins;faktor;lage;preis";
  const command = "--label preis --device cpu --hidden none --lr 0.05 --validation 0.2 --max-steps 400";
  beforeAll(() => {
    write("offers.csv", [OFFERS, ...offers(120, 1)]);
    writeFileSync(
      inFolder("offers16.csv.gz"),
      gzipSync(Buffer.from(`\uFEFF${[OFFERS, ...offers(120, 1)].join("\r\n")}`, "utf16le")),
    );
  });

  test("is read by column, says how, and warns of columns to think about", async () => {
    const { code, stdout, stderr } = await wgrad(`train --csv offers.csv --max-categories 200 ${command}`);
    expect(code).toBe(0);
    expect(stdout).toContain("preis as a quantity");
    expect(stdout).toMatch(/^numbers {3}decimal commas, such as [\d.,]+ € in preis, fläche, zins, faktor;/m);
    expect(stdout).toMatch(/^text {6}datum \(\d+ categories\), lage \(2 categories\)$/m);
    expect(stdout).toMatch(/^constant {2}taken as 0, because every row has the same: faktor$/m);
    expect(stderr.replaceAll("\n", " ")).toMatch(
      /warning: datum: dates such as .*--dates features.*warning: nr: this counts the rows.*--drop/,
    );
  });

  test("learns with dates as features, from UTF-16 in gzip too, and reads new rows by the model's rule", async () => {
    const train = `--drop nr --dates features ${command}`;
    const trained = await wgrad(`train --csv offers.csv ${train} --out offers.safetensors`);
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toMatch(/^dates {5}as numbers: datum \(dmy: year, month, day, weekday\)$/m);
    const result = (text: string) => /^validation R² \S+ {2}RMSE \S+ {2}MAE \S+ {2}loss \S+/m.exec(text)?.[0];
    expect(result(trained.stdout)).toMatch(/R² (1\.000|0\.99\d)/);
    expect(result((await wgrad(`train --csv offers16.csv.gz ${train}`)).stdout)).toBe(result(trained.stdout));
    const rows = ["lage;fläche;zins;faktor;datum", "Nord;100;5,00 %;0,3;01.06.2024", "Nord;1.00;5,00 %;0,3;01.06.2024"];
    const said = wgradReading("predict offers.safetensors --device cpu", rows.slice(0, 2).join("\n"));
    expect(Math.abs(Number(said.stdout.split("\n")[1]) - 300_000)).toBeLessThan(15_000);
    const refused = wgradReading("predict offers.safetensors --device cpu", rows.join("\n"));
    expect(refused.stderr).toMatch(
      /line 3, column 2 \("fläche"\): "1\.00" is not a number, but the model was trained on numbers with decimal commas/,
    );
    const evaluated = await wgrad("evaluate offers.safetensors --csv offers16.csv.gz --device cpu");
    expect(evaluated.stdout).toMatch(/^test R² (1\.000|0\.99\d)/m);
  });

  test("several quantities are trained, predicted and evaluated together", async () => {
    const lines = homes(120, 2).map((row) => `${row},${(Number(row.split(",")[0]) / 1000).toFixed(5)}`);
    write("two.csv", ["area,rooms,price,heat", ...lines]);
    const labels = "--label price --label heat";
    const trained = await wgrad(
      `train --csv two.csv ${labels} --device cpu --hidden none --lr 0.05 --max-steps 1200 --validation 0.2 --out two.safetensors`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toContain("2 columns, price, heat as quantities");
    expect(trained.stdout).toMatch(/^validation R² \S+ \(mean of 2 quantities\)/m);
    const evaluated = await wgrad("evaluate two.safetensors --csv two.csv --device cpu");
    expect(evaluated.stdout).toMatch(/^price +(1\.000|0\.99\d) +[\d,.]+ +[\d,.]+$/m);
    expect(evaluated.stdout).toMatch(/^heat +(1\.000|0\.99\d) +0\.0\d+ +0\.0\d+$/m);
    const json = JSON.parse(
      (await wgrad("evaluate two.safetensors --csv two.csv --device cpu --json")).stdout,
    ) as Record<string, unknown>;
    expect(json["targets"]).toMatchObject([{ name: "price" }, { name: "heat" }]);
    const [header, row] = wgradReading("predict two.safetensors --device cpu", "rooms,area\n2,100\n").stdout.split(
      "\n",
    );
    expect(header).toBe("price,heat");
    const [price, heat] = row!.split(",").map(Number) as [number, number];
    expect(Math.abs(price - 390_000)).toBeLessThan(10_000);
    expect(heat).toBeCloseTo(0.1, 2);
    const classes = await wgrad(`train --csv two.csv ${labels} --task classification --device cpu`);
    expect(classes).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--label: several label columns are supported only for regression/) as string,
    });
    const printed = JSON.parse((await wgrad(`train --csv two.csv ${labels} --print-config`)).stdout) as Record<
      string,
      unknown
    >;
    expect(printed["label"]).toEqual(["price", "heat"]);
    writeFileSync(inFolder("two.json"), JSON.stringify(printed));
    expect((await wgrad("train --config two.json --max-steps 1 --device cpu")).stdout).toContain(
      "price, heat as quantities",
    );
  });

  test("a header of integers is found, and the label among them", async () => {
    write("numbered.csv", [
      "0,1,2,species",
      ...leaves(30, 5)
        .map((row) => row.split(","))
        .map(([, a, b, , kind]) => `${a},${b},0.3,${kind}`),
    ]);
    const { stdout } = await wgrad("train --csv numbered.csv --label species --max-steps 1 --device cpu");
    expect(stdout).toContain("3 columns, 3 classes of species");
    expect(stdout).toMatch(/^header {4}the first row counts 0, 1, 2, … and is taken as names; --no-header/m);
    expect(
      (await wgrad("train --csv numbered.csv --label last --no-header --max-steps 1 --device cpu")).stdout,
    ).toContain("4 classes of column 4");
  });
});

describe("a configuration file", () => {
  test("is taken, overridden, printed and kept", async () => {
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

describe("wgrad sweep", () => {
  const command =
    "sweep --csv leaves.csv --label kind --drop id --device cpu --max-steps 30 --out runs --grid hidden=4;8,4";

  test("compares runs, keeps the best model, and makes only what is missing", async () => {
    const first = await wgrad(`${command} --grid lr=0.0001,0.05`);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const files = readdirSync(inFolder("runs"));
    expect(files.filter((name) => /^[0-9a-f]{12}\.json$/.test(name))).toHaveLength(4);
    const csv = readFileSync(inFolder("runs/results.csv"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(csv[0]).toEqual(["run", "hidden", "lr", "loss", "accuracy", "steps", "stop", "seconds"]);
    expect(csv.slice(1).map(([, hidden, lr]) => [hidden, lr])).toEqual([
      ["4", "0.0001"],
      ["4", "0.05"],
      ["8-4", "0.0001"],
      ["8-4", "0.05"],
    ]);
    const losses = csv.slice(1).map((row) => Number(row[3]));
    const best = await loadModelFile(inFolder("runs/best.safetensors"));
    expect(best.results).toMatchObject({ loss: Math.min(...losses) });
    expect(best.configuration).toMatchObject({ lr: 0.05, validation: 0.1 });
    const table = first.stdout.split("\n").findIndex((line) => /^hidden +lr +loss +accuracy +steps +s$/.test(line));
    expect(Number(first.stdout.split("\n")[table + 1]!.trim().split(/ +/)[2])).toBeCloseTo(Math.min(...losses), 4);

    const second = await wgrad(`${command} --grid lr=0.0001,0.05,0.02`);
    expect(second.stdout.match(/: done before$/gm)).toHaveLength(4);
    expect(second.stdout.match(/: validation accuracy/g)).toHaveLength(2);
    expect(readFileSync(inFolder("runs/results.csv"), "utf8").split("\n")).toHaveLength(8);
  });

  test("goes on after Ctrl-C", async () => {
    const long =
      "sweep --csv leaves.csv --label kind --drop id --device cpu --out cut --random 2 --range lr=0.01..0.1:log --hidden 8 --max-steps";
    const done = () =>
      existsSync(inFolder("cut")) && readdirSync(inFolder("cut")).some((name) => /^[0-9a-f]{12}\.json$/.test(name));
    const interrupted = await cli.run(`${long} 3000`.split(" "), {
      started(child) {
        const whenOneIsDone = setInterval(() => {
          if (!done()) return;
          clearInterval(whenOneIsDone);
          child.kill("SIGINT");
        }, 10);
        child.on("close", () => clearInterval(whenOneIsDone));
      },
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).toContain("interrupted after 1 of 2 runs; the same command goes on");
    const again = await wgrad(`${long} 3000`);
    expect(again.stdout.match(/: done before$/gm)).toHaveLength(1);
    expect(again.code).toBe(0);
  });
});

describe("what cannot be is refused", () => {
  test.each<[string, string[], string, RegExp]>([
    [
      "a label seen only in the test table",
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
      "one class only",
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
      "a quote that stays open",
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
    ["train --csv leaves.csv --data data", /^error: --csv and --data: each names the data/m],
    ["train --csv leaves.csv --label kind --lr 1 --lr 2", /^error: --lr: it is given twice/m],
    ["train --csv leaves.csv --header --no-header", /^error: --no-header: it is given twice/m],
    ["evaluate m --csv a.csv --csv b.csv", /^error: --csv: it is given twice/m],
    ["train --label kind", /^error: --label: it belongs to --csv/m],
    [
      "train --images leaves.csv",
      /^error: --images: leaves\.csv is a file, and its labels are in another\. Name that with --labels\./m,
    ],
    ["train --images absent.idx", /--images: absent\.idx is a file.*--labels/],
    [
      "train --csv leaves.csv --label shape",
      /--label: leaves\.csv, line 1: there is no column "shape".*id, length, width, site, kind/,
    ],
    ["train --csv leaves.csv --label kind --patience 3 --device cpu", /patience: patience needs a validation set/],
    ["train --csv leaves.csv --label kind --validation 1.5", /--validation: "1\.5" is out of range/],
    ["train --csv leaves.csv --label kind --task regression", /the label "elm" is not a number/],
    [
      "train --csv leaves.csv --label kind --optimizer adam --weight-decay 0.1 --device cpu",
      /--weight-decay: adam has none\. Add --optimizer adamW/,
    ],
    [
      "train --csv leaves.csv --label kind --optimizer adam --momentum-form pytorch --device cpu",
      /--momentum-form: adam has none\. Add --optimizer momentum, or nesterov/,
    ],
    ["sweep --csv leaves.csv --label kind --out r", /^error: sweep: there is nothing to vary/m],
    ["sweep --grid loss=meanSquaredError --out r", /there is no option "loss" to sweep over/],
    ["sweep --range lr=0.1..1 --out r", /--range: a range has no end of values.*--random/],
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
