import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";
import * as sources from "../src/errors.ts";

/** The module as a page's bundler minifies it. */
async function minified(): Promise<typeof sources> {
  const entry = fileURLToPath(new URL("../src/errors.ts", import.meta.url));
  const { output } = (await build({
    configFile: false,
    logLevel: "silent",
    build: { write: false, minify: true, rolldownOptions: { input: entry, preserveEntrySignatures: "strict" } },
  })) as Rolldown.RolldownOutput;
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(output[0].code)}`);
}

test("errors have the names of their classes, also after a minifier has renamed these", async () => {
  const { WgradError, DivergedError, ...others } = await minified();
  expect(new DivergedError(3, { what: "the loss is NaN" }).name).toBe("DivergedError");
  const classes = Object.entries(others).filter(
    (entry): entry is [string, typeof sources.WgradError] =>
      typeof entry[1] === "function" && entry[1].prototype instanceof WgradError,
  );
  expect(classes.map(([name]) => name).sort()).toEqual([
    "DataError",
    "DeviceError",
    "DeviceLostError",
    "GraphError",
    "OptionError",
  ]);
  for (const [name, Type] of classes) {
    const error = new Type({ where: "here", what: "it is wrong" });
    expect(String(error)).toBe(`${name}: here: it is wrong.`);
  }
});

test("a class of a caller gives its errors its own name", () => {
  class OwnError extends sources.DataError {}
  expect(new OwnError({ what: "it is wrong" }).name).toBe("OwnError");
});
