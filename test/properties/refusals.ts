import * as fc from "fast-check";
import { expect } from "vitest";
import { WgradError } from "../../src/errors.ts";

/**
 * Numbers of every kind that a caller may give where a size, a count, a share or a rate is wanted. None is so large
 * that taking it at its word would fill the memory, and yet not so large that it must be refused.
 */
export const numbers = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 2, 3, 0.5, 0.9, 10) },
  fc.constantFrom(0, -0, -1, -2, 1.5, NaN, Infinity, -Infinity, 2 ** 31 + 1, 2 ** 32, 2 ** 53, 1e300, -1e300, 5e-324),
);

/** Values that JavaScript code can pass instead of a number. */
export const junk = fc.constantFrom<unknown>(null, "", "5", "relu", true, false, {}, [], [3], 10n, () => 3);

/** Mostly numbers; undefined is an option that is not given. */
export const anything = fc.oneof(
  { weight: 6, arbitrary: numbers },
  { weight: 2, arbitrary: fc.constant(undefined) },
  junk,
);

export const shapes = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }) },
  fc.array(numbers, { maxLength: 4 }),
);

/** Fails for an error that is not one of the library's, or that does not say what, where and how to fix it. */
function requireClear(error: unknown): void {
  if (!(error instanceof WgradError)) throw error;
  const { what, where, fix, message } = error;
  expect({ what, where, fix }, message).toEqual({
    what: expect.stringMatching(/./),
    where: expect.stringMatching(/./),
    fix: expect.stringMatching(/./),
  });
  expect(message.length).toBeLessThan(600);
}

/** How often an action succeeded and was refused. */
export interface Outcomes {
  succeeded: number;
  refused: number;
}

/** Runs an action that must succeed or be refused clearly. */
export function attempt<Result>(outcomes: Outcomes, action: () => Result): Result | undefined {
  try {
    const result = action();
    outcomes.succeeded++;
    return result;
  } catch (error) {
    requireClear(error);
    outcomes.refused++;
    return undefined;
  }
}

/** The same for actions that may be refused later. */
export async function attemptAsync<Result>(
  outcomes: Outcomes,
  action: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    const result = await action();
    outcomes.succeeded++;
    return result;
  } catch (error) {
    requireClear(error);
    outcomes.refused++;
    return undefined;
  }
}

/** Tries an action with many arguments. It must both succeed and be refused, or the arguments test nothing. */
export function holds<Arguments extends unknown[]>(
  action: (...values: Arguments) => unknown,
  ...arbitraries: { [Index in keyof Arguments]: fc.Arbitrary<Arguments[Index]> }
): void {
  const outcomes = { succeeded: 0, refused: 0 };
  fc.assert(
    fc.property(fc.tuple(...arbitraries), (values) => {
      attempt(outcomes, () => action(...(values as unknown as Arguments)));
    }),
    { numRuns: 400 },
  );
  expect(outcomes.succeeded).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
}
