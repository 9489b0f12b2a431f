/*
 * Damages files, as a faulty disk, a faulty program or an attacker might.
 */
import type { Random } from "../../src/random.ts";

export type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const pick = <Value>(values: readonly Value[], random: Random): Value => values[random.below(values.length)]!;

/** One of 1, 2, 4, … 128, so that few changes are as likely as many. */
const some = (random: Random) => 2 ** random.below(8);

const flipBits: Mutation = (bytes, random) => {
  const changed = bytes.slice();
  for (let count = some(random); count > 0; count--) changed[random.below(changed.length)]! ^= 1 << random.below(8);
  return changed;
};

const overwrite: Mutation = (bytes, random) => {
  const changed = bytes.slice();
  const first = random.below(changed.length);
  const value = pick([0, 0x20, 0x22, 0x5b, 0x7b, 0xff], random);
  return changed.fill(value, first, first + some(random));
};

const cut: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.length));

const extend: Mutation = (bytes, random) => {
  const more = Uint8Array.from({ length: some(random) }, () => pick([0, 0x20, random.below(256)], random));
  return joined(bytes, more);
};

const drop: Mutation = (bytes, random) => {
  const first = random.below(bytes.length);
  return joined(bytes.subarray(0, first), bytes.subarray(first + some(random)));
};

const repeat: Mutation = (bytes, random) => {
  const first = random.below(bytes.length);
  return joined(bytes.subarray(0, first + some(random)), bytes.subarray(first));
};

/** Changes of bits and lengths, for files of any format. */
export const anyMutations: readonly Mutation[] = [flipBits, overwrite, cut, extend, drop, repeat];

const headerLength: Mutation = (bytes, random) => {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const old = view.getBigUint64(0, true);
  const lengths = [
    0n,
    1n,
    old - 1n,
    old + 1n,
    old * 2n,
    BigInt(changed.length),
    99_999_999n,
    2n ** 31n,
    2n ** 53n,
    2n ** 64n - 1n,
  ];
  view.setBigUint64(0, BigInt.asUintN(64, pick(lengths, random)), true);
  return changed;
};

const tokens = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "null",
  "-1",
  "1e999",
  "0.5",
  '"a":1,',
  "[[[[",
  '{"a":',
  " ",
  "\u0000",
  "é",
];

const headerText: Mutation = (bytes, random) => {
  const { text, values } = split(bytes);
  let changed = text;
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(changed.length);
    changed = changed.slice(0, at) + pick(tokens, random) + changed.slice(at + random.below(4));
  }
  return fileOf(changed, values);
};

/** Changes values, keys and order in the header's JSON, and in the JSON within its metadata. */
const headerJson: Mutation = (bytes, random) => {
  const { text, values } = split(bytes);
  let header = JSON.parse(text) as unknown;
  for (let count = 1 + random.below(3); count > 0; count--) header = changedJson(header, random);
  return fileOf(JSON.stringify(header), values);
};

const repeatedEntry: Mutation = (bytes, random) => {
  const { text, values } = split(bytes);
  const header = JSON.parse(text) as Record<string, unknown>;
  const name = pick(Object.keys(header), random);
  const value = random.below(2) === 0 ? header[name] : changedJson(header[name], random);
  return fileOf(`${text.trimEnd().slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`, values);
};

/** Changes of the header of a safetensors file, with and without a matching length. */
export const safetensorsMutations: readonly Mutation[] = [
  ...anyMutations,
  headerLength,
  headerText,
  headerJson,
  headerJson,
  headerJson,
  repeatedEntry,
];

const oddValues: readonly unknown[] = [
  null,
  true,
  "",
  "F32",
  "F16",
  "I8",
  "__proto__",
  [],
  {},
  -1,
  0,
  1,
  0.5,
  3,
  4,
  8,
  2 ** 31,
  2 ** 53,
  1e300,
  [0, 4],
  [4, 0],
  [[0]],
  "relu",
  "x".repeat(10_000),
  new Array<number>(5000).fill(1),
  { type: "dense", units: 2 ** 40, activation: "relu", bias: true },
];

function changedJson(value: unknown, random: Random): unknown {
  if (typeof value === "string" && /^[[{]/.test(value)) {
    if (random.below(4) === 0) return value.slice(0, random.below(value.length));
    return JSON.stringify(changedJson(JSON.parse(value), random));
  }
  if (typeof value === "number" && random.below(2) === 0) {
    return pick([value + 1, value - 1, value + 4, value - 4, value * 2, -value, value / 2], random);
  }
  if (typeof value !== "object" || value === null || random.below(8) === 0) return pick(oddValues, random);
  return Array.isArray(value) ? changedList(value, random) : changedObject(value as Record<string, unknown>, random);
}

function changedList(list: readonly unknown[], random: Random): unknown {
  const at = random.below(list.length + 1);
  if (at === list.length) return [...list, pick(oddValues, random)];
  return pick(
    [() => list.toSpliced(at, 1), () => list.toReversed(), () => list.with(at, changedJson(list[at], random))],
    random,
  )();
}

function changedObject(object: Readonly<Record<string, unknown>>, random: Random): unknown {
  const entries = Object.entries(object);
  const at = random.below(entries.length + 1);
  if (at === entries.length)
    return Object.fromEntries([
      ...entries,
      [pick(["extra", "__proto__", "0", "dtype"], random), pick(oddValues, random)],
    ]);
  const [name, value] = entries[at]!;
  const [otherName, otherValue] = pick(entries, random);
  switch (random.below(6)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1));
    case 1:
      return Object.fromEntries(entries.with(at, [`${name}${pick(["", " ", "x"], random)}`, otherValue]));
    case 2:
      return Object.fromEntries(entries.with(at, [otherName, value]));
    default:
      return Object.fromEntries(entries.with(at, [name, changedJson(value, random)]));
  }
}

function split(bytes: Uint8Array): { text: string; values: Uint8Array } {
  const end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return { text: new TextDecoder().decode(bytes.subarray(8, end)), values: bytes.subarray(end) };
}

/** A safetensors file with the given header, valid or not. */
export function fileOf(text: string, values: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return joined(length, header, values);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A file with one or a few mutations; the same seed and number give the same file. */
export function mutated(good: Uint8Array, mutations: readonly Mutation[], random: Random): Uint8Array {
  let bytes = pick(mutations, random)(good, random);
  // The header can be parsed only the first time; bits and lengths can change again.
  while (bytes.length > 0 && random.below(4) === 0) bytes = pick(anyMutations, random)(bytes, random);
  return bytes;
}
