import { expect, test } from "vitest";
import { formatHash, parseHash } from "../../../../src/web/shared/address/hash.ts";

test("a hash that names no tab belongs to the Digits tab", () => {
  for (const hash of ["", "#", "#nothing?batch=2"]) expect(parseHash(hash)).toMatchObject({ tab: "digits" });
  expect(parseHash("#nothing?batch=2").params.size).toBe(0);
  expect(parseHash("#playground")).toMatchObject({ tab: "playground" });
  expect(formatHash("playground", new URLSearchParams())).toBe("#playground");
});
