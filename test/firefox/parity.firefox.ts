/*
 * Firefox's WebGPU is wgpu, whose compiler naga checks and translates every shader. All cases of ops and the first steps of networks
 * run there with the kernels that wgrad chooses for its adapter.
 */
import { expect, test } from "vitest";
import { allCases } from "../ops/all-cases.ts";
import { networkNames } from "./networks.ts";
import { openPage } from "./open-page.ts";

const measured = openPage("test/firefox/parity-page.ts");

test.each([...allCases.map(({ name }) => name), ...networkNames])("%s", async (name) => {
  // The largest error of each output as a fraction of its bound.
  const errors = await measured(name);
  expect(Object.keys(errors)).not.toHaveLength(0);
  for (const error of Object.values(errors)) expect(error).toBeLessThanOrEqual(1);
});
