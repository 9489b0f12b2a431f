/* The page of non-finite.test.ts: it writes to the console what is not as expected, and then a line that ends it. */
import { createBackend } from "../../src/backends/choose.ts";
import { nonFiniteCases } from "../ops/non-finite.ts";
import { differencesOf } from "../ops/non-finite-differences.ts";

const backend = await createBackend({ device: "webgpu" });
for (const nonFiniteCase of nonFiniteCases) {
  for (const difference of await differencesOf(backend, nonFiniteCase))
    console.log(`${nonFiniteCase.name}: ${difference}`);
}
console.log(`Compared on ${backend.adapter.name}`);
