import { describe, expect, test } from "vitest";
import { messageBytes, MessageError } from "../../src/cluster/messages.ts";
import { dataSetBytes, readDataSet } from "../../src/cluster/sweeps/data-set.ts";
import { describeSweep, readDescription } from "../../src/cluster/sweeps/description.ts";
import {
  eventBytes,
  readEvent,
  stateAfter,
  trialLogRules,
  UNTOUCHED,
  type Happening,
  type TrialEvent,
} from "../../src/cluster/sweeps/events.ts";
import { keyOfSubject, resultSubject, trialSubject } from "../../src/cluster/sweeps/names.ts";
import { TrialStates } from "../../src/cluster/sweeps/results.ts";
import { readTrial, trialBytes, type Trial } from "../../src/cluster/sweeps/trial.ts";

const digest = "0123456789abcdef".repeat(4);
const key = { sweep: "0123456789ab", trial: "ba9876543210", rung: 0 };
const trial: Trial = {
  ...key,
  version: "0.1.0",
  configuration: { lr: 0.1, hidden: [8, 4], csv: "t.csv" },
  data: [{ option: "csv", digest, bytes: 100 }],
};

const changed = (bytes: Uint8Array, changes: object): Uint8Array =>
  messageBytes({ ...(JSON.parse(new TextDecoder().decode(bytes)) as object), ...changes });

describe("a trial", () => {
  test("is read as it was written", () => {
    expect(readTrial(trialBytes(trial), key)).toEqual(trial);
    const rungs = { count: 3, reduction: 3 };
    expect(readTrial(trialBytes({ ...trial, rung: 2, rungs }), { ...key, rung: 2 })).toEqual({
      ...trial,
      rung: 2,
      rungs,
    });
  });

  test.each<[string, object, RegExp]>([
    ["another format", { format: 2 }, /format is 2, not 1/],
    ["another trial than its subject", { trial: "ffffffffffff" }, /trial is "ffffffffffff", not "ba9876543210"/],
    ["an unknown field", { code: "process.exit()" }, /there is no field "code"/],
    ["a version that is none", { version: "latest" }, /version is "latest"/],
    ["options in a list", { configuration: [1] }, /configuration is \[1\], not an object/],
    ["an option that is not a name", { configuration: { "a b": 1 } }, /configuration/],
    ["data without a digest", { data: [{ option: "csv", digest: "1234", bytes: 1 }] }, /data 1: digest is "1234"/],
    ["data of no size", { data: [{ option: "csv", digest, bytes: -1 }] }, /data 1: bytes is -1/],
    ["more data than options", { data: Array.from({ length: 11 }, () => ({})) }, /data is .* not a list of at most 10/],
    ["too many rungs", { rungs: { count: 1000, reduction: 3 } }, /rungs: count is 1000/],
  ])("is refused with %s", (_name, changes, message) => {
    expect(() => readTrial(changed(trialBytes(trial), changes), key)).toThrow(message);
    expect(() => readTrial(changed(trialBytes(trial), changes), key)).toThrow(MessageError);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["no JSON", new TextEncoder().encode("{"), /the message is not JSON/],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), /the message is not JSON/],
    ["nothing", new Uint8Array(0), /the message is not JSON/],
    ["a list", messageBytes([]), /this is not an object/],
    ["a key twice", new TextEncoder().encode('{"format":1,"format":1}'), /has the key .*format.* twice/],
    ["deep lists", new TextEncoder().encode("[".repeat(1000)), /more than 16 levels/],
    ["too many bytes", new Uint8Array(64 * 1024 + 1), /65537 bytes, more than 65536/],
  ])("is refused if the message is %s", (_name, bytes, message) => {
    expect(() => readTrial(bytes, key)).toThrow(message);
  });

  test("that is too large for a message is refused where it is written", () => {
    const layers = "dense 10, ".repeat(10_000);
    expect(() => trialBytes({ ...trial, configuration: { layers } })).toThrow(/more than 65536/);
  });

  test("has its key in its subject, and no other subject has one", () => {
    for (const isForBrowsers of [false, true]) expect(keyOfSubject(trialSubject(key, isForBrowsers))).toEqual(key);
    expect(keyOfSubject(resultSubject({ ...key, rung: 9 }))).toEqual({ ...key, rung: 9 });
    for (const subject of [
      "wgrad.trials",
      "wgrad.trials.a.b.0",
      `${trialSubject(key, false)}.1`,
      `${trialSubject(key, true)}1`,
    ])
      expect(keyOfSubject(subject)).toBeUndefined();
  });
});

const session = "a".repeat(32);
const writer = { version: "0.1.0", worker: "one", session, attempt: 1 };
const reference = { object: "a.b", digest, bytes: 5 };
const result = { score: 0.5, metrics: { loss: 0.5, accuracy: 0.9 }, steps: 100, stop: "finished", seconds: 2.5 };
const happenings: Happening[] = [
  { event: "started", step: 0, stalled: 1 },
  { event: "saved", step: 10, totalSteps: 100, checkpoint: reference },
  { event: "finished", result, model: reference },
  {
    event: "finished",
    result: { ...result, score: null, metrics: { loss: null } },
    model: reference,
    checkpoint: reference,
  },
  { event: "failed", reason: "there is no option\n“x”" },
];
const finished: TrialEvent = { ...writer, ...happenings[2]! };

describe("an event", () => {
  test.each(happenings)("$event is read as it was written", (happening) => {
    const event = { ...writer, ...happening };
    expect(readEvent("event", eventBytes(event))).toEqual(event);
  });

  test.each<[string, object, RegExp]>([
    ["an unknown kind", { event: "promoted" }, /event is "promoted", not one of started, saved, finished, failed/],
    [
      "a loss that is infinite",
      { result: { ...result, score: "Infinity" } },
      /score is "Infinity", not a finite number/,
    ],
    ["a metric that is a text", { result: { ...result, metrics: { loss: "0.1" } } }, /metrics: loss is "0.1"/],
    ["a metric of the prototype", JSON.parse('{"result":{"metrics":{"__proto__":1}}}') as object, /metrics is/],
    ["a negative time", { result: { ...result, seconds: -1 } }, /the time is negative/],
    ["half a step", { result: { ...result, steps: 0.5 } }, /steps is 0.5/],
    ["an unknown end", { result: { ...result, stop: "\u001b[2J" } }, /stop is/],
    ["a model without a digest", { model: { ...reference, digest: "" } }, /model: digest/],
    ["a model of another bucket", { model: { ...reference, object: "../x" } }, /model: object/],
    ["a negative size", { model: { ...reference, bytes: -1 } }, /model: bytes is -1/],
    ["an attempt that is no number", { attempt: "2" }, /attempt is "2"/],
    ["control characters in a name", { worker: "\u001b[31m" }, /worker is/],
    ["no session", { session: "" }, /session is ""/],
  ])("is refused with %s", (_name, changes, message) => {
    expect(() => readEvent("event", changed(eventBytes(finished), changes))).toThrow(message);
  });

  test("with a number that is too large for JSON is refused", () => {
    const text = new TextDecoder().decode(eventBytes(finished)).replace('"score":0.5', '"score":1e999');
    expect(() => readEvent("event", new TextEncoder().encode(text))).toThrow(/score is Infinity|score is null/);
  });
});

describe("the state of a trial", () => {
  const by = (attempt: number, happening: Happening, ofSession = session): TrialEvent => ({
    ...writer,
    attempt,
    session: ofSession,
    ...happening,
  });
  const [started, saved] = happenings as [Happening, Happening];
  const after = (...events: TrialEvent[]) => events.reduce(stateAfter, UNTOUCHED);

  test("is that of the last attempt", () => {
    const state = after(by(1, started), by(1, saved), by(2, { event: "started", step: 10, stalled: 1 }));
    expect(state).toMatchObject({ attempt: 2, step: 10, checkpoint: reference, ending: undefined });
  });

  test("counts the attempts at the same step until one comes further", () => {
    const again: Happening = { event: "started", step: 10, stalled: 2 };
    const stalled = after(by(1, started), by(1, saved), by(2, { ...again, stalled: 1 }), by(3, again));
    expect(stalled).toMatchObject({ attempt: 3, step: 10, stalled: 2 });
    const further: Happening = { event: "saved", step: 20, totalSteps: 100, checkpoint: reference };
    expect(stateAfter(stalled, by(3, further))).toMatchObject({ step: 20, stalled: 0 });
  });

  test("does not change by late results of an earlier attempt, nor by another process with the same attempt", () => {
    const second = after(by(1, started), by(2, started, "b".repeat(32)));
    expect(stateAfter(second, by(1, happenings[2]!))).toBe(second);
    expect(stateAfter(second, by(2, happenings[2]!))).toBe(second);
    expect(stateAfter(second, by(2, happenings[2]!, "b".repeat(32))).ending).toMatchObject({ event: "finished" });
  });

  test("does not change after its end", () => {
    const end = after(by(1, started), by(1, happenings[2]!));
    for (const event of [by(2, started), by(1, happenings[3]!), by(7, happenings[4]!)])
      expect(stateAfter(end, event)).toBe(end);
  });

  test("does not change by invalid messages, which are counted", () => {
    const states = new TrialStates();
    const subject = resultSubject(key);
    expect(states.take(subject, eventBytes(by(1, started)))?.after.attempt).toBe(1);
    for (const bytes of [new Uint8Array(3), messageBytes({}), new Uint8Array(20_000)])
      expect(states.take(subject, bytes)).toBeUndefined();
    expect(states.take("wgrad.results.x", eventBytes(finished))).toBeUndefined();
    expect(states.invalid).toBe(4);
    expect(states.of(key)).toMatchObject({ attempt: 1, ending: undefined });
    expect(trialLogRules.next(UNTOUCHED, new Uint8Array(3))).toBe(UNTOUCHED);
  });
});

describe("a data set", () => {
  const file = { path: "a/b.png", digest, bytes: 3 };
  const read = (files: unknown, kind = "folder") => readDataSet(messageBytes({ format: 1, kind, files }));

  test("is read as it was written", () => {
    const set = { kind: "folder", files: [file, { ...file, path: "ä ö.png" }] } as const;
    expect(readDataSet(dataSetBytes(set))).toEqual(set);
  });

  test.each(["../a", "/etc/passwd", "a/../../b", "a//b", ".", "a/.", "a\\b", "C:a", "a\0b", "a\nb", ""])(
    "with the path %j is refused",
    (path) => {
      expect(() => read([[path, digest, 3]])).toThrow(/this is not a path within the folder/);
    },
  );

  test("is refused with equal paths, without files, and with several in place of one", () => {
    const entry = ["a", digest, 3];
    expect(() => read([entry, ["A", digest, 3]])).toThrow(/two files have the same path/);
    expect(() => read([])).toThrow(/a folder does not have 0 files/);
    expect(() => read([entry, ["b", digest, 3]], "file")).toThrow(/a file does not have 2 files/);
    expect(() => read([["a", digest, 1e300]])).toThrow(/a digest and a size/);
  });
});

test("the description of a sweep is named by its digest, and refused under another name", async () => {
  const sweep = {
    version: "0.1.0",
    configuration: { lr: 0.1 },
    runs: [{ lr: 0.1 }, { lr: 0.2 }],
    data: trial.data,
    rungs: { count: 3, reduction: 3 },
    parallel: 4,
  };
  const { name, bytes } = await describeSweep(sweep);
  expect(await readDescription(name, bytes)).toEqual(sweep);
  await expect(readDescription("0123456789ab", bytes)).rejects.toThrow(/does not have the digest that names it/);
});
