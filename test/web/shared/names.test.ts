import { expect, test } from "vitest";
import { activations, deviceChoices, losses } from "../../../src/index.ts";
import { activationNames, deviceNames, lossNames } from "../../../src/web/shared/names.ts";

test("the page's lists of names are complete", () => {
  expect(activationNames).toEqual(Object.keys(activations));
  expect(lossNames).toEqual(Object.keys(losses));
  expect(deviceNames).toEqual(deviceChoices);
});
