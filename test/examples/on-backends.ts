import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { backends } from "../backends.ts";

/** Tests of an example, on every backend in turn. */
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
