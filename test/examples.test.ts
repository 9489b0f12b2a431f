import { expect, test } from "vitest";
import { composition, product } from "../examples/04-chain-rule.ts";

test("chain rule: z = (x + y) · w and f(x) = (2x − 1)² give the gradients worked by hand", async () => {
  expect(await product()).toEqual({ z: 20, dx: 4, dy: 4, dw: 5 });
  for (const at of [-1.5, 0.5, 2]) {
    const { value, slope, closedForm } = await composition(at);
    expect(value).toBe((2 * at - 1) ** 2);
    expect(slope).toBeCloseTo(closedForm, 12);
  }
});
