import { expect, test } from "vitest";
import { timelineSection } from "../../../src/cli/report/timeline.ts";
import { timelineText } from "../../../src/cli/text/timeline-text.ts";
import type { CommitRecord } from "../../../src/cluster/training/messages.ts";
import { activitiesIn, timelineOf } from "../../../src/cluster/training/timeline.ts";

const [a, b] = ["a", "b"].map((letter) => letter.repeat(32)) as [string, string];
const EVIL = `<b>"x"\u001b[2J${"long name ".repeat(10)}`;

/** A round of 10 seconds, in which each participant trains for the given number of seconds. */
function commit(
  round: number,
  trained: Readonly<Record<string, number>>,
  missing: CommitRecord["missing"] = {},
): CommitRecord {
  const reference = { object: "x", digest: "0".repeat(64), bytes: 4000 };
  const workers = Object.keys(trained);
  return {
    round,
    innerSteps: 10,
    tasks: [],
    participants: workers.map((worker, place) => ({
      worker,
      range: { first: 20 * round + 10 * place, count: 10 },
      ownStep: 10 * round,
      examples: 320,
      loss: 1,
      digest: "murmur3:00000000",
      factor: round === 2 ? 0.5 : 1,
    })),
    digest: "murmur3:00000000",
    steps: 0,
    open: [],
    start: reference,
    values: reference,
    velocity: reference,
    coordinator: a,
    names: { [a]: "laptop", [b]: EVIL },
    members: {},
    states: {},
    milliseconds: 10_000,
    facts: Object.fromEntries(
      workers.map((worker) => [
        worker,
        { trainMilliseconds: 1000 * trained[worker]!, arrivedMilliseconds: 9000, sentBytes: 2000 },
      ]),
    ),
    missing,
  };
}

const log = [
  commit(0, { [a]: 10, [b]: 2 }),
  commit(1, { [a]: 7 }, { [b]: { name: EVIL, kind: "lost", reason: null } }),
  commit(2, { [a]: 999 }, { [b]: { name: EVIL, kind: "refused", reason: "value 0 is NaN" } }),
];

test("a timeline has the steps, times, bytes and refusals of each worker", () => {
  const timeline = timelineOf(log);
  expect(timeline).toMatchObject({ seconds: 30, rounds: 3, examples: 1280, bytes: 4 * 6000 });
  const [laptop, other] = timeline.workers;
  // A worker cannot have trained for longer than the round.
  expect(laptop).toMatchObject({ name: "laptop", steps: 30, trainSeconds: 27, waitSeconds: 3, clipped: 1 });
  expect(other).toMatchObject({ steps: 10, trainSeconds: 2, waitSeconds: 8, refusals: ["value 0 is NaN"] });
  expect([...other!.rounds.values()]).toEqual([{ first: 10, count: 10 }, "lost", "refused"]);
  expect(activitiesIn(other!, 30, 6)).toEqual(["waited", "waited", "lost", "lost", "refused", "refused"]);
  expect(activitiesIn(laptop!, 30, 3)).toEqual(["trained", "trained", "trained"]);
});

test("a timeline fits 80 columns of a terminal", () => {
  const lines = timelineText(timelineOf(log));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines[1]).toMatch(/^laptop +█{14}·{2}█{8} +30 +10 % +6\.00 kB +12\.0 kB$/);
  expect(lines[2]).toMatch(/^<b>"x"\\u001b\[2Jlo… +█{2}·{6}x{8}!{8} +10 +80 % +2\.00 kB +4\.00 kB$/);
  expect(lines.at(-1)).toBe("3 rounds, 1,280 examples seen, 24.0 kB exchanged, 1 change refused");
});

test("a report shows a timeline, the steps by round, and why changes were refused", () => {
  const { text } = timelineSection(timelineOf(log));
  expect(text).toMatch(/<svg[^>]*>.*laptop.*<\/svg>/s);
  expect(text.match(/<path[^>]* fill="#d55e00"/g)).toHaveLength(2);
  expect(text).toContain("<td>value 0 is NaN</td>");
  expect(text).toContain('<tr><th scope="row">2</th><td>20–29</td><td>lost</td></tr>');
  expect(text).not.toContain("<b>");
});
