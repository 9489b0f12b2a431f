/*
 * The safetensors format (github.com/huggingface/safetensors): the length of the header as a 64-bit little-endian
 * integer, the header in JSON, then the tensors' values. The header maps each tensor's name to its dtype, shape and
 * data_offsets, which count from the header's end; "__metadata__" maps strings to strings.
 */
import { DataError, excerpt, OptionError } from "../errors.ts";
import { floatBytes, toFloat32, type FloatType } from "./float-types.ts";
import { parseJson } from "./json.ts";

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

/** More than any tensor of a network has. */
const MOST_AXES = 16;

const NOT_SAFETENSORS = "Give a safetensors file";
const DAMAGED = "The file is damaged or incomplete: copy or write it again";

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/**
 * Writes tensors as float32 in the order given. The values begin at a multiple of 8 bytes.
 * @param metadata free text by key
 * @returns the bytes of the whole file
 * @throws OptionError for a name that is used twice or reserved, a shape that is none, and values that do not fill it
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
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
  const where = `tensor ${excerpt(name)}`;
  if (taken) {
    const what = name === METADATA ? "this name is reserved by the format" : "there are two tensors of this name";
    throw new OptionError({ where, what, fix: "Give each tensor a name of its own" });
  }
  if (!isCounts(shape)) {
    throw new OptionError({ where, what: `${excerpt(shape)} is no shape`, fix: "Give a list of whole numbers" });
  }
  if (values.length !== sizeOf(shape)) {
    const what = `${values.length} values for shape [${shape.join(", ")}], which holds ${sizeOf(shape)}`;
    throw new OptionError({ where, what, fix: "Give one value per element, row after row" });
  }
}

/** How a safetensors file is read. */
export interface ReadOptions {
  /**
   * Whether tensors of F16, BF16 and F64 are read too, and made float32: the first two exactly, F64 rounded to the
   * nearest. False by default: then F32 alone is read. Integers, bool and 8-bit floats are always refused.
   */
  readonly convert?: boolean;
}

/**
 * Reads a safetensors file. Nothing is allocated by what the header says before that was checked against the file's
 * length.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError naming the tensor and the numbers for a file that is no safetensors file; a header that is cut
 * short, too long, no JSON object, has a key twice, or has more than 100,000 texts, lists and objects (about 12,000
 * tensors); a field or type that is unknown or missing; offsets outside the file; a tensor whose bytes are not those
 * of its shape; bytes that belong to no tensor or to two; and a finite value beyond float32
 */
export function readSafetensors(bytes: Uint8Array, where: string, { convert = false }: ReadOptions = {}): Safetensors {
  const { header, headerEnd } = readHeader(bytes, where);
  const { [METADATA]: found = {}, ...entries } = header;
  const metadata = checkMetadata(found, where);
  const types: readonly FloatType[] = convert ? ["F32", "F16", "BF16", "F64"] : ["F32"];
  const described = Object.entries(entries).map(([name, entry]) => checkEntry(name, entry, where, types));
  described.sort((a, b) => a.begin - b.begin || a.end - b.end);
  requireEveryByteOnce(described, bytes.length - headerEnd, where);
  const start = bytes.byteOffset + headerEnd;
  const tensors = described.map(({ name, type, shape, begin, end }): [string, TensorValues] => {
    // A copy, since the values need not lie at a multiple of 4 bytes in the memory of `bytes`.
    const values = toFloat32(type, bytes.buffer.slice(start + begin, start + end) as ArrayBuffer);
    if (type === "F64")
      requireNoOverflow(values, bytes.subarray(headerEnd + begin, headerEnd + end), inFile(where, name));
    return [name, { shape, values }];
  });
  return { tensors: new Map(tensors), metadata };
}

function requireNoOverflow(values: Float32Array, doubles: Uint8Array, where: string): void {
  const view = new DataView(doubles.buffer, doubles.byteOffset, doubles.length);
  const double = (index: number) => view.getFloat64(8 * index, true);
  const wrong = values.findIndex((value, index) => Math.abs(value) === Infinity && Number.isFinite(double(index)));
  if (wrong < 0) return;
  const what = `its value ${double(wrong)} at element ${wrong} is beyond float32`;
  throw new DataError({ where, what, fix: "Scale the values, or save them as float32" });
}

const inFile = (file: string, name: string) => `${file}, tensor ${excerpt(name)}`;

function readHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; headerEnd: number } {
  const refuse = (what: string, fix: string, cause?: unknown) => new DataError({ where, what, fix }, { cause });
  // The header's first byte tells a file of another kind, whose first eight bytes are any number.
  if (bytes.length <= LENGTH_BYTES || bytes[LENGTH_BYTES] !== "{".charCodeAt(0)) {
    throw refuse("this is no safetensors file: it has no header in JSON at byte 8", NOT_SAFETENSORS);
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    throw refuse(
      `the header should have ${length} bytes, more than the ${LARGEST_HEADER} of the format`,
      NOT_SAFETENSORS,
    );
  }
  const headerEnd = LENGTH_BYTES + length;
  if (headerEnd > bytes.length) {
    throw refuse(`the header should end at byte ${headerEnd}, but the file has ${bytes.length} bytes`, DAMAGED);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, headerEnd));
  } catch (cause) {
    throw refuse(`the header is no JSON: ${(cause as Error).message}`, DAMAGED, cause);
  }
  const parsed = parseJson(text);
  if ("fault" in parsed) throw refuse(`the header ${parsed.fault}`, DAMAGED);
  // The header begins with a brace, so it is an object.
  return { header: parsed.value as Record<string, unknown>, headerEnd };
}

function checkMetadata(found: unknown, where: string): Record<string, string> {
  if (!isObject(found) || Object.values(found).some((value) => typeof value !== "string")) {
    throw new DataError({ where, what: `${METADATA} does not map strings to strings`, fix: DAMAGED });
  }
  return found as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly type: FloatType;
  readonly shape: readonly number[];
  /** Bytes from the header's end. */
  readonly begin: number;
  readonly end: number;
}

function checkEntry(name: string, entry: unknown, file: string, types: readonly FloatType[]): Entry {
  const where = inFile(file, name);
  const refuse = (what: string, fix = DAMAGED) => new DataError({ where, what, fix });
  if (!isObject(entry)) throw refuse("its entry in the header is no object");
  const { dtype, shape, data_offsets: offsets, ...others } = entry;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`its entry has the unknown field ${excerpt(unknown)}`);
  const type = types.find((known) => known === dtype);
  if (type === undefined) {
    throw refuse(`its type is ${excerpt(dtype)}, expected ${types.map(excerpt).join(" or ")}`, "Convert it to float32");
  }
  if (!isCounts(shape)) throw refuse(`its shape is ${excerpt(shape)}, not a list of whole numbers`);
  if (shape.length > MOST_AXES) throw refuse(`its shape has ${shape.length} axes, more than ${MOST_AXES}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw refuse(`its data_offsets are ${excerpt(offsets)}, not two whole numbers`);
  }
  const [begin, end] = offsets as [number, number];
  const needed = floatBytes[type] * sizeOf(shape);
  if (end - begin !== needed) {
    throw refuse(`its shape [${shape.join(", ")}] needs ${needed} bytes, but it has ${begin} … ${end}`);
  }
  return { name, type, shape, begin, end };
}

/** @param entries in the order of their bytes */
function requireEveryByteOnce(entries: readonly Entry[], length: number, file: string): void {
  let reached = 0;
  for (const { name, begin, end } of entries) {
    const where = inFile(file, name);
    if (begin !== reached) {
      const what = `it begins at byte ${begin} of the values, but ${reached} bytes came before`;
      throw new DataError({
        where,
        what: `${what}: ${begin < reached ? "two tensors overlap" : "there is a hole"}`,
        fix: DAMAGED,
      });
    }
    if (end > length) {
      throw new DataError({
        where,
        what: `it ends at byte ${end} of the values, but the file has ${length}`,
        fix: DAMAGED,
      });
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
