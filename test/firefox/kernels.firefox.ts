/*
 * Firefox's compiler naga accepts every kernel that wgrad writes for devices of each kind, and for each choice of the tuner. Kernels
 * with subgroups are not among them: naga does not know `enable subgroups`, so no device has them in Firefox.
 */
import { expect, test } from "vitest";
import { compiled, computed } from "./kernels.ts";
import { openPage } from "./open-page.ts";

const measured = openPage("test/firefox/kernels-page.ts");

test.each(Object.keys(compiled))("%s", async (name) => {
  const { kernels, seconds } = await measured(name);
  console.log(`${name}: ${kernels} kernels in ${seconds} s`);
  expect(kernels).toBeGreaterThan(20);
});

test.each(Object.keys(computed))("%s", async (name) => {
  // The largest error of each output as a fraction of its bound.
  const errors = await measured(name);
  expect(Object.keys(errors)).not.toHaveLength(0);
  for (const error of Object.values(errors)) expect(error).toBeLessThanOrEqual(1);
});
