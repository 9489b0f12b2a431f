import { Command } from "commander";
import * as fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { datasetFromTable, schemaOf } from "../../src/data/table-data.ts";
import { datasetFromRows, TableRows } from "../../src/data/table-rows.ts";
import { TableBuilder, type TableOptions } from "../../src/data/table.ts";
import { ValueList } from "../../src/data/values.ts";
import { csvRowsOf } from "../../src/node/csv-file.ts";
import { applyConfigFile, configurationOf, settableOptions } from "../../src/cli/options/config.ts";
import { trainCommand } from "../../src/cli/commands/train.ts";
import { faultsOf, formatSettings, parseSettings } from "../../src/web/digits/settings.ts";
import { formatPlayground, parsePlayground, playgroundState } from "../../src/web/playground/state/index.ts";
import { parseHash } from "../../src/web/shared/address/hash.ts";
import { attemptAsync, type Outcomes } from "./refusals.ts";

/** Tries a reader with many inputs. Some must be read and some refused, or the inputs test nothing. */
async function readsOrRefuses<Input>(
  inputs: fc.Arbitrary<Input>,
  read: (input: Input) => Promise<unknown>,
): Promise<void> {
  const outcomes: Outcomes = { succeeded: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => void (await attemptAsync(outcomes, () => read(input)))),
    { numRuns: 400 },
  );
  expect(outcomes.succeeded).toBeGreaterThan(20);
  expect(outcomes.refused).toBeGreaterThan(20);
}

const long = "x".repeat(3000);

/** Cells as people write them, and invalid ones. */
const cells = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom("1", "2.5", "-3e4", "0", "7", "9") },
  { weight: 2, arbitrary: fc.constantFrom("a", "b") },
  fc.constantFrom(
    "",
    "NaN",
    "1e400",
    "Infinity",
    "0x10",
    '"q"',
    '"a,b"',
    '"a\nb"',
    '"',
    'a"b',
    '"a"b',
    " 1 ",
    "label",
    "\u0000",
    "é",
    "__proto__",
    long,
  ),
);

/** Tables, mostly with rows of equal length. */
const tables = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.constantFrom(",", ",", ";", "\t"), fc.constantFrom("\n", "\r\n", "\r"))
  .chain(([width, delimiter, newline]) =>
    fc
      .array(
        fc.oneof(
          { weight: 60, arbitrary: fc.array(cells, { minLength: width, maxLength: width }) },
          fc.array(cells, { maxLength: 5 }),
        ),
        { maxLength: 8 },
      )
      .map((rows) => rows.map((row) => row.join(delimiter)).join(newline)),
  );

const bytesOf = fc.oneof(
  { weight: 10, arbitrary: tables.map((text) => new TextEncoder().encode(text)) },
  fc.uint8Array({ maxLength: 60 }),
);

const columns = fc.constantFrom("1", "2", "9", "0", "last", "a", "label", "", "-1", long);
const rarely = <Value>(none: Value, some: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(none) }, some);
const tableOptions = fc.record(
  {
    label: fc.oneof({ weight: 6, arbitrary: fc.constantFrom("last", "1") }, columns),
    header: fc.boolean(),
    drop: rarely(
      [],
      columns.map((name) => [name]),
    ),
    categorical: rarely(
      [],
      columns.map((name) => [name]),
    ),
    text: fc.constantFrom("one-hot", "refuse"),
    missing: fc.constantFrom("refuse", "keep"),
    mostCategories: fc.integer({ min: 1, max: 6 }),
  },
  { requiredKeys: ["label"] },
);

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test("a CSV file becomes examples, identical when read by its schema, or is refused clearly", async () => {
  const inputs = fc.tuple(
    bytesOf,
    tableOptions,
    rarely(undefined, fc.constantFrom<string | undefined>(",", ";")),
    fc.constantFrom(1, 7, 1000),
  );
  await readsOrRefuses(inputs, async ([bytes, options, delimiter, length]) => {
    const rows = () => csvRowsOf(inPieces(bytes, length), { where: "t.csv", delimiter });
    const builder = new TableBuilder({ ...(options as TableOptions), name: "t.csv" });
    for await (const found of rows()) for (const row of found) builder.add(row.cells, row.line);
    const table = builder.finish();
    const data = datasetFromTable(table);
    expect(data.features.length).toBe(data.count * data.shape[0]!);
    const fill = Array.from({ length: data.shape[0]! }, () => 0);
    const schema = schemaOf(table, data, { fill });
    const again = new TableRows(schema, { name: "t.csv", labelled: true, header: table.header });
    const features = new ValueList();
    const labels: number[] = [];
    for await (const found of rows()) {
      for (const row of found) {
        const encoded = again.encode(row.cells, row.line, features);
        if (encoded) labels.push(encoded.label!);
      }
    }
    const read = datasetFromRows("t.csv", features.values, labels, schema);
    expect(Array.from(read.features)).toEqual(Array.from(data.features, (value) => (Number.isNaN(value) ? 0 : value)));
  });
});

const folder = mkdtempSync(join(tmpdir(), "wgrad-readers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const train = () =>
  trainCommand(new Command("train").exitOverride().configureOutput({ writeErr: () => {} })).action(() => {});
const optionNames = [...settableOptions(train()).keys()];
const settings = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      1,
      2,
      0.5,
      16,
      true,
      false,
      "a",
      "relu",
      "adam",
      "cpu",
      "25",
      "5s",
      "full",
      [],
      [32],
      ["a"],
    ),
  },
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1e300,
    "",
    "NaN",
    "5x",
    long,
    { a: 1 },
    [null],
    [-1],
    [0.5],
    [[1]],
    Array.from({ length: 3000 }, () => 7),
  ),
);
const configurations = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(fc.constantFrom(...optionNames), settings, { maxKeys: 2 }) },
  fc.dictionary(fc.constantFrom("epoch", "__proto__", "toString", "$schema", "config", "", long), settings, {
    maxKeys: 2,
  }),
  fc.json(),
  fc.constantFrom("", "{", '{"lr": 1e}', '{"lr": 0.1, "lr": 0.2}', "[".repeat(1e5), "nul", "\uFEFF{}"),
);

test("a configuration file gives options in their ranges, or is refused clearly", async () => {
  const path = join(folder, "run.json");
  await readsOrRefuses(configurations, async (contents) => {
    const command = train();
    await command.parseAsync([], { from: "user" });
    writeFileSync(path, typeof contents === "string" ? contents : JSON.stringify(contents));
    await applyConfigFile(command, path);
    // An accepted configuration is accepted again, with the same result.
    const taken = configurationOf(command);
    writeFileSync(path, JSON.stringify(taken));
    const again = train();
    await again.parseAsync([], { from: "user" });
    await applyConfigFile(again, path);
    expect(configurationOf(again)).toEqual(taken);
  });
});

const values = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    "1",
    "0",
    "-1",
    "1e999",
    "NaN",
    "0x10",
    " 5 ",
    "64-relu",
    "8-relu-0.5,4-tanh",
    "1-relu-.",
    "99999-relu",
    "%",
    "%zz",
    "1_1_1*0_0_0",
    "*",
    "__proto__",
    long,
  ),
);
const names = fc.constantFrom(
  "layers",
  "loss",
  "optimizer",
  "rate",
  "schedule",
  "batch",
  "epochs",
  "seed",
  "data",
  "mode",
  "classify.points",
  "classify.layers",
  "regress.points",
  "neuron.points",
  "surface.start",
  "classify.rate",
  "toString",
);
const hashes = fc.oneof(
  fc.string(),
  fc
    .tuple(
      fc.constantFrom("#digits?", "#playground?", "#digits", "#x?", "#digits??"),
      fc.array(fc.tuple(names, values), { maxLength: 4 }),
      fc.boolean(),
    )
    .map(
      ([tab, pairs, encoded]) =>
        tab + (encoded ? String(new URLSearchParams(pairs)) : pairs.map((pair) => pair.join("=")).join("&")),
    ),
);

test("any address gives the page settings in their ranges, which are restored from the new address", () => {
  fc.assert(
    fc.property(hashes, (hash) => {
      const { params } = parseHash(hash);
      const { settings: found } = parseSettings(params);
      expect(faultsOf(found)).toEqual([]);
      expect(parseSettings(formatSettings(found))).toEqual({ settings: found, faults: [] });
      parsePlayground(params);
      const state = playgroundState.value;
      parsePlayground(new URLSearchParams(String(formatPlayground())));
      expect(playgroundState.value).toEqual(state);
    }),
    { numRuns: 1000 },
  );
});
