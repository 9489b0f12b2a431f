import { expect, test } from "vitest";
import { GraphError } from "../../src/errors.ts";

/** An action that throws, and its complete message. */
export type Refusal = readonly [name: string, build: () => unknown, message: string];

/** One test per refusal. */
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
