import { describe, expect, test } from "vitest";
import { messageBytes, MessageError } from "../../../src/cluster/messages.ts";
import { historiesBytes, readHistory } from "../../../src/cluster/training/history.ts";
import {
  commitBytes,
  MOST_MESSAGE_BYTES,
  MOST_WORKERS,
  memberBytes,
  readCommit,
  readMember,
  readRound,
  roundBytes,
  type CommitRecord,
  type MemberMessage,
  type RoundMessage,
} from "../../../src/cluster/training/messages.ts";
import { readState, stateBytes } from "../../../src/cluster/training/stored-state.ts";
import { DataError } from "../../../src/errors.ts";

const [a, b] = ["a", "b"].map((letter) => letter.repeat(32)) as [string, string];
const object = { object: "0123456789ab.7.state.x", digest: "0".repeat(64), bytes: 4 };
const task = { worker: a, range: { first: 3, count: 4 }, scheduleStep: 0, scheduleStride: 2 };
const digest = "murmur3:0123abcd";

const round: RoundMessage = {
  round: 7,
  values: object,
  tasks: [task],
  lastRounds: { [a]: { round: 6, digest } },
  members: { [a]: b },
  stateOf: [a],
  histories: object,
  checks: 2,
  isFinished: false,
};

const member: MemberMessage = {
  member: b,
  name: "laptop",
  version: "0.1.0",
  change: {
    round: 7,
    task,
    ownStep: 3,
    examples: 40,
    loss: 0.5,
    type: "float16",
    exponent: -3,
    object,
    state: object,
    trainMilliseconds: 12,
  },
  failure: { round: 6, reason: "why", checks: 1 },
};

const commit: CommitRecord = {
  round: 7,
  innerSteps: 4,
  tasks: [task],
  participants: [{ worker: a, range: task.range, ownStep: 3, examples: 40, loss: 0.5, digest, factor: 0.5 }],
  digest,
  steps: 8,
  open: [{ first: 9, count: 1 }],
  start: object,
  values: object,
  velocity: object,
  coordinator: b,
  names: { [a]: "laptop" },
  members: { [a]: b },
  states: { [a]: object },
  milliseconds: 100,
  facts: { [a]: { trainMilliseconds: 12, arrivedMilliseconds: 50, sentBytes: 8 } },
  missing: { [b]: { name: "other", kind: "refused", reason: "NaN" } },
};

const history = { state: object, rounds: [{ task, values: object }] };

const changed = (bytes: Uint8Array, changes: object): Uint8Array =>
  messageBytes({ ...(JSON.parse(new TextDecoder().decode(bytes)) as object), ...changes });

test("messages and records are read as they were written", () => {
  expect(readRound("x", roundBytes(round))).toEqual(round);
  expect(readMember("x", memberBytes(member))).toEqual(member);
  expect(readCommit("x", commitBytes(commit))).toEqual(commit);
  expect(readHistory("x", historiesBytes({ [a]: history }), a)).toEqual(history);
  expect(readHistory("x", historiesBytes({ [a]: history }), b)).toBeUndefined();
});

describe("is refused:", () => {
  test.each<[string, object, RegExp]>([
    ["a state of no worker", { stateOf: ["x"] }, /stateOf 1: worker is "x"/],
    ["a process that is none", { members: { [a]: 1 } }, /members: a{32} is 1/],
    ["a last round without a digest", { lastRounds: { [a]: { round: 1 } } }, /lastRounds, a{32}: digest is undefined/],
    ["histories of no digest", { histories: { ...object, digest: "0" } }, /histories: digest is "0"/],
  ])("a round with %s", (_name, changes, message) => {
    expect(() => readRound("x", changed(roundBytes(round), changes))).toThrow(message);
  });

  test.each<[string, object, RegExp]>([
    ["half a millisecond", { change: { ...member.change, trainMilliseconds: 0.5 } }, /trainMilliseconds is 0.5/],
    ["a state of another bucket", { change: { ...member.change, state: { ...object, object: "../x" } } }, /state: obj/],
    ["a loss that is infinite", { change: { ...member.change, loss: "Infinity" } }, /loss is "Infinity"/],
  ])("a report with %s", (_name, changes, message) => {
    expect(() => readMember("x", changed(memberBytes(member), changes))).toThrow(message);
  });

  test.each<[string, object, RegExp]>([
    ["no steps of a round", { innerSteps: 0 }, /innerSteps is 0/],
    ["a name with control characters", { names: { [a]: "\u001b[2J" } }, /names: a{32} is/],
    ["an unknown reason", { missing: { [b]: { name: "x", kind: "asleep", reason: null } } }, /kind is "asleep"/],
    ["negative bytes", { facts: { [a]: { ...commit.facts[a], sentBytes: -1 } } }, /sentBytes is -1/],
    ["a state without a size", { states: { [a]: { ...object, bytes: null } } }, /states, a{32}: bytes is null/],
  ])("a record with %s", (_name, changes, message) => {
    expect(() => readCommit("x", changed(commitBytes(commit), changes))).toThrow(message);
    expect(() => readCommit("x", changed(commitBytes(commit), changes))).toThrow(MessageError);
  });

  test.each<[string, object, RegExp]>([
    ["no list of rounds", { ...history, rounds: {} }, /rounds is \{\}, not a list/],
    [
      "a task without a range",
      { ...history, rounds: [{ task: { ...task, range: 1 }, values: object }] },
      /range: this/,
    ],
  ])("a history with %s", (_name, wrong, message) => {
    const bytes = messageBytes({ format: 1, workers: { [a]: wrong } });
    expect(() => readHistory("x", bytes, a)).toThrow(message);
  });

  test("a stored state without its number of steps, or cut off", () => {
    const state = { step: 12, optimizer: { m: { shape: [2], values: Float32Array.of(1, -0) } } };
    const bytes = stateBytes(state);
    expect(readState("x", bytes)).toEqual(state);
    expect(() => readState("x", bytes.subarray(0, -1))).toThrow(DataError);
    expect(() => readState("x", stateBytes({ ...state, step: NaN }))).toThrow(/x: it has no number of steps/);
  });
});

test("the record of a round with the most workers fits a message", () => {
  const workers = Array.from({ length: MOST_WORKERS }, (_, index) => index.toString(16).padStart(32, "0"));
  const all = <Value>(value: Value) => Object.fromEntries(workers.map((worker) => [worker, value]));
  const large = 2 ** 40;
  const full = {
    ...commit,
    tasks: workers.map((worker) => ({ ...task, worker, range: { first: large, count: large }, scheduleStep: large })),
    participants: workers.map((worker) => ({ ...commit.participants[0]!, worker, ownStep: large, loss: Math.PI })),
    names: all("a name of a worker with forty characters"),
    members: all(b),
    states: all({ ...object, object: `0123456789ab.1000000.state.${a}`, bytes: 2 ** 31 - 1 }),
    facts: all({ trainMilliseconds: 1e6, arrivedMilliseconds: 1e6, sentBytes: large }),
    missing: {},
  };
  expect(commitBytes(full).length).toBeLessThan(MOST_MESSAGE_BYTES);
});
