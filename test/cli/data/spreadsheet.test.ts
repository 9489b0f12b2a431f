import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../../src/random.ts";
import { commandLine, type Finished } from "../built-cli.ts";
import { homes, leaves } from "./tables.ts";

const cli = commandLine();
const { inFolder, write } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

describe("a table from a spreadsheet", () => {
  /** Rows as a German spreadsheet writes them, with a constant column and a column of row numbers. */
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

  test("prints how its columns are read, and warns about suspicious columns", async () => {
    const { code, stdout, stderr } = await wgrad(`train --csv offers.csv --max-categories 200 ${command}`);
    expect(code).toBe(0);
    expect(stdout).toContain("target preis");
    expect(stdout).toMatch(/^numbers {3}decimal commas, such as [\d.,]+ € in preis, fläche, zins, faktor;/m);
    expect(stdout).toMatch(/^text {6}datum \(\d+ categories\), lage \(2 categories\)$/m);
    expect(stdout).toMatch(/^constant {2}set to 0, because every row has the same value: faktor$/m);
    expect(stderr.replaceAll("\n", " ")).toMatch(
      /warning: datum: dates such as .*--dates features.*warning: nr: this looks like row numbers.*--drop/,
    );
  });

  test("trains with dates as features, also from UTF-16 in gzip, and reads new rows by the model's number format", async () => {
    const train = `--drop nr --dates features ${command}`;
    const trained = await wgrad(`train --csv offers.csv ${train} --out offers.safetensors`);
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toMatch(/^dates {5}converted to numbers: datum \(dmy: year, month, day, weekday\)$/m);
    const result = (text: string) => /^validation R² \S+ {2}RMSE \S+ {2}MAE \S+ {2}loss \S+/m.exec(text)?.[0];
    expect(result(trained.stdout)).toMatch(/R² (1\.000|0\.99\d)/);
    expect(result((await wgrad(`train --csv offers16.csv.gz ${train}`)).stdout)).toBe(result(trained.stdout));
    const rows = ["lage;fläche;zins;faktor;datum", "Nord;100;5,00 %;0,3;01.06.2024", "Nord;1.00;5,00 %;0,3;01.06.2024"];
    const predicted = cli.runReading("predict offers.safetensors --device cpu", rows.slice(0, 2).join("\n"));
    expect(Math.abs(Number(predicted.stdout.split("\n")[1]) - 300_000)).toBeLessThan(15_000);
    const refused = cli.runReading("predict offers.safetensors --device cpu", rows.join("\n"));
    expect(refused.stderr).toMatch(
      /line 3, column 2 \("fläche"\): "1\.00" is not a number, but the model was trained on numbers with decimal commas/,
    );
    const evaluated = await wgrad("evaluate offers.safetensors --csv offers16.csv.gz --device cpu");
    expect(evaluated.stdout).toMatch(/^test R² (1\.000|0\.99\d)/m);
  });

  test("several targets are trained on, predicted and evaluated together", async () => {
    const lines = homes(120, 2).map((row) => `${row},${(Number(row.split(",")[0]) / 1000).toFixed(5)}`);
    write("two.csv", ["area,rooms,price,heat", ...lines]);
    const labels = "--label price --label heat";
    const trained = await wgrad(
      `train --csv two.csv ${labels} --device cpu --hidden none --lr 0.05 --max-steps 1200 --validation 0.2 --out two.safetensors`,
    );
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toContain("2 columns, targets price, heat");
    expect(trained.stdout).toMatch(/^validation R² \S+ \(mean of 2 targets\)/m);
    const evaluated = await wgrad("evaluate two.safetensors --csv two.csv --device cpu");
    expect(evaluated.stdout).toMatch(/^price +(1\.000|0\.99\d) +[\d,.]+ +[\d,.]+$/m);
    expect(evaluated.stdout).toMatch(/^heat +(1\.000|0\.99\d) +0\.0\d+ +0\.0\d+$/m);
    const json = JSON.parse(
      (await wgrad("evaluate two.safetensors --csv two.csv --device cpu --json")).stdout,
    ) as Record<string, unknown>;
    expect(json["targets"]).toMatchObject([{ name: "price" }, { name: "heat" }]);
    const [header, row] = cli
      .runReading("predict two.safetensors --device cpu", "rooms,area\n2,100\n")
      .stdout.split("\n");
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
    expect((await wgrad("train --config two.json --max-steps 1 --device cpu")).stdout).toContain("targets price, heat");
  });

  test("a header of integers and a label name is detected", async () => {
    write("numbered.csv", [
      "0,1,2,species",
      ...leaves(30, 5)
        .map((row) => row.split(","))
        .map(([, a, b, , kind]) => `${a},${b},0.3,${kind}`),
    ]);
    const { stdout } = await wgrad("train --csv numbered.csv --label species --max-steps 1 --device cpu");
    expect(stdout).toContain("3 columns, 3 classes of species");
    expect(stdout).toMatch(/^header {4}the first row is 0, 1, 2, … and is read as column names; --no-header/m);
    expect(
      (await wgrad("train --csv numbered.csv --label last --no-header --max-steps 1 --device cpu")).stdout,
    ).toContain("4 classes of column 4");
  });
});
