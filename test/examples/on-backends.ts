import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { backends } from "../backends.ts";

/** Runs an example's tests on every backend. */
export function onBackends(example: string, tests: (backend: () => Backend) => void): void {
  describe.each(backends)(`${example} on $name`, ({ create }) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(() => backend.dispose());
    tests(() => backend);
  });
}
