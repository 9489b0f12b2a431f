import { expect, test } from "vitest";
import { GraphError } from "../../src/errors.ts";

/** Something that cannot be built, and the whole message that says why. */
export type Refusal = readonly [name: string, build: () => unknown, message: string];

/** One test a refusal. */
export function refuses(refusals: readonly Refusal[]): void {
  test.each(refusals)("%s", (_, build, message) => {
    let thrown: unknown;
    try {
      build();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GraphError);
    expect((thrown as GraphError).message).toBe(message);
  });
}
