import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { acquireBackend } from "../gpu.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { nonFiniteCases } from "./non-finite.ts";
import { differencesOf } from "./non-finite-differences.ts";

const backends: Readonly<Record<string, () => Promise<Backend> | Backend>> = {
  "cpu float32": () => createCpuBackend(),
  "cpu float64": () => createCpuBackend({ precision: "float64" }),
  webgpu: () => acquireBackend(),
  wasm: () => acquireWasmBackend(),
};

describe.each(Object.entries(backends))("NaN and infinities on %s", (_, create) => {
  let backend: Promise<Backend> | undefined;
  const acquire = () => (backend ??= Promise.resolve(create()));

  test.each(nonFiniteCases)("$name", async (nonFiniteCase) => {
    expect(await differencesOf(await acquire(), nonFiniteCase)).toEqual([]);
  });

  afterAll(async () => (await backend)?.dispose());
});
