import { expect, test } from "vitest";
import type { KeptNetwork } from "../../../../src/web/digits/service/kept.ts";
import { keptRun } from "../../../../src/web/digits/service/prepared.ts";
import { defaultSettings } from "../../../../src/web/digits/settings.ts";

test("a network that an earlier version of the page kept has the default of a new setting", async () => {
  const { drawingCopies: _, ...before } = { ...defaultSettings, seed: 5 };
  const kept = { settings: before, seconds: 3, file: undefined } as unknown as KeptNetwork;
  expect((await keptRun(kept)).settings).toEqual({ ...defaultSettings, seed: 5, drawingCopies: 0 });
});
