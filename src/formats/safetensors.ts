/*
 * The safetensors format (github.com/huggingface/safetensors): the length of the header as a 64-bit little-endian
 * integer, the header in JSON, then the tensors' values. The header maps each tensor's name to its dtype, shape and
 * data_offsets, which count from the header's end; "__metadata__" maps strings to strings.
 */
import { DataError, OptionError } from "../errors.ts";
import { repeatedKey } from "./json-keys.ts";

/** The values of a tensor, row-major. */
export interface TensorValues {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A tensor in a file. */
export interface NamedTensor extends TensorValues {
  readonly name: string;
}

/** The contents of a safetensors file. */
export interface Safetensors {
  /** In the order in which the values lie in the file. */
  readonly tensors: ReadonlyMap<string, TensorValues>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = "__metadata__";

/** Before the header stands its length. */
const LENGTH_BYTES = 8;

/** As the format's own library has it. */
const LARGEST_HEADER = 100_000_000;

const NOT_SAFETENSORS = "Give a .safetensors file, such as `wgrad train --out` writes";
const DAMAGED = "The file is damaged or incomplete: copy or write it again";

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/**
 * Writes tensors as float32 in the order given. The values begin at a multiple of 8 bytes.
 * @param metadata free text by key
 * @returns the bytes of the whole file
 * @throws OptionError for a name that is used twice or reserved, and for values that do not fill their shape
 */
export function writeSafetensors(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const header = new Map<string, unknown>([[METADATA, metadata]]);
  let end = 0;
  for (const { name, shape, values } of tensors) {
    requireWritable(header.has(name), name, shape, values);
    header.set(name, { dtype: "F32", shape, data_offsets: [end, end + values.byteLength] });
    end += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(" ".charCodeAt(0), LENGTH_BYTES, LENGTH_BYTES + headerLength);
  bytes.set(json, LENGTH_BYTES);
  let start = LENGTH_BYTES + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
    start += values.byteLength;
  }
  return bytes;
}

function requireWritable(taken: boolean, name: string, shape: readonly number[], values: Float32Array): void {
  const where = `tensor "${name}"`;
  if (taken) {
    const what = name === METADATA ? "this name is reserved by the format" : "there are two tensors of this name";
    throw new OptionError({ where, what, fix: "Give each tensor a name of its own" });
  }
  if (values.length !== sizeOf(shape)) {
    const what = `${values.length} values for shape [${shape.join(", ")}], which holds ${sizeOf(shape)}`;
    throw new OptionError({ where, what, fix: "Give one value per element, row after row" });
  }
}

/**
 * Reads a safetensors file of float32 tensors. Nothing is allocated by what the header says before that was checked
 * against the file's length.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError naming the tensor and the numbers for a file that is no safetensors file; a header that is cut
 * short, too long, no JSON object, or has a key twice; a field or type that is unknown or missing; offsets outside the
 * file; a tensor whose bytes are not those of its shape; and bytes that belong to no tensor or to two
 */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const { header, headerEnd } = readHeader(bytes, where);
  const { [METADATA]: found = {}, ...entries } = header;
  const metadata = checkMetadata(found, where);
  const described = Object.entries(entries).map(([name, entry]) => checkEntry(name, entry, where));
  described.sort((a, b) => a.begin - b.begin || a.end - b.end);
  requireEveryByteOnce(described, bytes.length - headerEnd, where);
  const values = bytes.byteOffset + headerEnd;
  const tensors = described.map(({ name, shape, begin, end }): [string, TensorValues] => {
    // A copy, since the values need not lie at a multiple of 4 bytes in the memory of `bytes`.
    return [name, { shape, values: new Float32Array(bytes.buffer.slice(values + begin, values + end)) }];
  });
  return { tensors: new Map(tensors), metadata };
}

function readHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; headerEnd: number } {
  const refuse = (what: string, fix: string, cause?: unknown) => new DataError({ where, what, fix }, { cause });
  // The header's first byte tells a file of another kind, whose first eight bytes are any number.
  if (bytes.length <= LENGTH_BYTES || bytes[LENGTH_BYTES] !== "{".charCodeAt(0)) {
    throw refuse("this is no safetensors file: it has no header in JSON at byte 8", NOT_SAFETENSORS);
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    throw refuse(`the header should have ${length} bytes, more than the ${LARGEST_HEADER} of the format`, NOT_SAFETENSORS);
  }
  const headerEnd = LENGTH_BYTES + length;
  if (headerEnd > bytes.length) {
    throw refuse(`the header should end at byte ${headerEnd}, but the file has ${bytes.length} bytes`, DAMAGED);
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, headerEnd));
    header = JSON.parse(text);
  } catch (cause) {
    throw refuse(`the header is no JSON: ${(cause as Error).message}`, DAMAGED, cause);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw refuse(`the header has the key ${JSON.stringify(repeated)} twice`, DAMAGED);
  // The header begins with a brace, so it is an object.
  return { header: header as Record<string, unknown>, headerEnd };
}

function checkMetadata(found: unknown, where: string): Record<string, string> {
  if (!isObject(found) || Object.values(found).some((value) => typeof value !== "string")) {
    throw new DataError({ where, what: `${METADATA} does not map strings to strings`, fix: DAMAGED });
  }
  return found as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Bytes from the header's end. */
  readonly begin: number;
  readonly end: number;
}

function checkEntry(name: string, entry: unknown, file: string): Entry {
  const where = `${file}, tensor "${name}"`;
  const refuse = (what: string, fix = DAMAGED) => new DataError({ where, what, fix });
  if (!isObject(entry)) throw refuse("its entry in the header is no object");
  const { dtype, shape, data_offsets: offsets, ...others } = entry;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`its entry has the unknown field ${JSON.stringify(unknown)}`);
  if (dtype !== "F32") throw refuse(`its type is ${JSON.stringify(dtype)}, expected "F32"`, "Convert it to float32");
  if (!isCounts(shape)) throw refuse(`its shape is ${JSON.stringify(shape)}, not a list of whole numbers`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw refuse(`its data_offsets are ${JSON.stringify(offsets)}, not two whole numbers`);
  }
  const [begin, end] = offsets as [number, number];
  if (end - begin !== 4 * sizeOf(shape)) {
    throw refuse(`its shape [${shape.join(", ")}] needs ${4 * sizeOf(shape)} bytes, but it has ${begin} … ${end}`);
  }
  return { name, shape, begin, end };
}

/** @param entries in the order of their bytes */
function requireEveryByteOnce(entries: readonly Entry[], length: number, file: string): void {
  let reached = 0;
  for (const { name, begin, end } of entries) {
    const where = `${file}, tensor "${name}"`;
    if (begin !== reached) {
      const what = `it begins at byte ${begin} of the values, but ${reached} bytes came before`;
      throw new DataError({ where, what: `${what}: ${begin < reached ? "two tensors overlap" : "there is a hole"}`, fix: DAMAGED });
    }
    if (end > length) {
      throw new DataError({ where, what: `it ends at byte ${end} of the values, but the file has ${length}`, fix: DAMAGED });
    }
    reached = end;
  }
  if (reached !== length) {
    const what = `the tensors end at byte ${reached} of the values, but the file has ${length}`;
    throw new DataError({ where: file, what, fix: DAMAGED });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
