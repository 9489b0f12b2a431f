/*
 * The safetensors format (github.com/huggingface/safetensors): the length of the header as a 64-bit little-endian
 * integer, the header in JSON, then the tensors' values. The header maps each tensor's name to its dtype, shape and
 * data_offsets, which count from the header's end; "__metadata__" maps strings to strings.
 */
import { DataError, excerpt, OptionError } from "../errors.ts";
import { typeName } from "../text.ts";
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
  /** In the order of their values in the file. */
  readonly tensors: ReadonlyMap<string, TensorValues>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = "__metadata__";

/** The length of the header comes first. */
const LENGTH_BYTES = 8;

/** The limit of the format's own library. */
const LARGEST_HEADER = 100_000_000;

/** More axes than any tensor of a network has. */
const MOST_AXES = 16;

const NOT_SAFETENSORS = "Give a safetensors file";
const DAMAGED = "The file is damaged or incomplete: copy or write it again";

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/**
 * Writes tensors as float32 in the given order. The values start at a multiple of 8 bytes.
 * @param metadata texts by key
 * @returns the bytes of the whole file
 * @throws OptionError for a name that is duplicate or reserved, an invalid shape, or values that do not match it
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
    const what = name === METADATA ? "this name is reserved by the format" : "there are two tensors with this name";
    throw new OptionError({ where, what, fix: "Give each tensor its own name" });
  }
  if (!isCounts(shape)) {
    throw new OptionError({ where, what: `${excerpt(shape)} is not a shape`, fix: "Give a list of whole numbers" });
  }
  if (values.length !== sizeOf(shape)) {
    const what = `${values.length} values for the shape [${shape.join(", ")}] of size ${sizeOf(shape)}`;
    throw new OptionError({ where, what, fix: "Give one value per element, row-major" });
  }
}

/** Options of `readSafetensors`. */
export interface ReadOptions {
  /**
   * Whether to also read tensors in F16, BF16 and F64, converted to float32 (the first two exactly, F64 rounded to
   * nearest). False by default: then only F32 is read. Integers, bool and 8-bit floats are always refused.
   */
  readonly convert?: boolean;
  /** Leaves out the tensors whose names it accepts, which may also hold integers; none by default. */
  readonly omits?: (name: string) => boolean;
}

/**
 * Reads a safetensors file. Sizes in the header are checked against the file's length before memory is allocated.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws OptionError for what is not a Uint8Array
 * @throws DataError that names the tensor and the numbers: for a file that is not in this format; a header that is
 * truncated, too long, not a JSON object, contains a key twice, or has more than 100,000 strings, lists and objects
 * (about 12,000 tensors); an unknown or missing field or type; offsets outside the file; a tensor whose size does not
 * match its shape; bytes that belong to no tensor or to two; and a finite value outside the range of float32
 */
export function readSafetensors(
  bytes: Uint8Array,
  where: string,
  { convert = false, omits = () => false }: ReadOptions = {},
): Safetensors {
  requireBytes(bytes, where);
  const { header, headerEnd } = readHeader(bytes, where);
  const { [METADATA]: found = {}, ...entries } = header;
  const metadata = checkMetadata(found, where);
  const types: readonly FloatType[] = convert ? ["F32", "F16", "BF16", "F64"] : ["F32"];
  const described = Object.entries(entries).map(([name, entry]) =>
    checkEntry(name, entry, where, omits(name) ? omittedTypes : types),
  );
  described.sort((a, b) => a.begin - b.begin || a.end - b.end);
  requireEveryByteOnce(described, bytes.length - headerEnd, where);
  const start = bytes.byteOffset + headerEnd;
  const kept = described.filter(({ name }) => !omits(name));
  const tensors = kept.map(({ name, type, shape, begin, end }): [string, TensorValues] => {
    // Copied, because the values may not be aligned to 4 bytes in the memory of `bytes`.
    const values = toFloat32(type as FloatType, bytes.buffer.slice(start + begin, start + end) as ArrayBuffer);
    if (type === "F64")
      requireNoOverflow(values, bytes.subarray(headerEnd + begin, headerEnd + end), inFile(where, name));
    return [name, { shape, values }];
  });
  return { tensors: new Map(tensors), metadata };
}

/** Refuses undefined, which a store gives for a file that it does not have, and an ArrayBuffer, which fetch gives. */
function requireBytes(bytes: Uint8Array, where: string): void {
  if (bytes instanceof Uint8Array) return;
  const fix = "Give a Uint8Array, such as new Uint8Array(await file.arrayBuffer())";
  throw new OptionError({ where, what: `the bytes of the file are of type ${typeName(bytes)}`, fix });
}

function requireNoOverflow(values: Float32Array, doubles: Uint8Array, where: string): void {
  const view = new DataView(doubles.buffer, doubles.byteOffset, doubles.length);
  const double = (index: number) => view.getFloat64(8 * index, true);
  const wrong = values.findIndex((value, index) => Math.abs(value) === Infinity && Number.isFinite(double(index)));
  if (wrong < 0) return;
  const what = `its value ${double(wrong)} at element ${wrong} is outside the range of float32`;
  throw new DataError({ where, what, fix: "Scale the values, or save them as float32" });
}

const inFile = (file: string, name: string) => `${file}, tensor ${excerpt(name)}`;

function readHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; headerEnd: number } {
  const refuse = (what: string, fix: string, cause?: unknown) => new DataError({ where, what, fix }, { cause });
  // The first byte of the header reveals files of another kind, whose first eight bytes are an arbitrary number.
  if (bytes.length <= LENGTH_BYTES || bytes[LENGTH_BYTES] !== "{".charCodeAt(0)) {
    throw refuse("this is not a safetensors file: it has no JSON header at byte 8", NOT_SAFETENSORS);
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    throw refuse(
      `the header should have ${length} bytes, more than the format's limit of ${LARGEST_HEADER}`,
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
    throw refuse(`the header is not JSON: ${(cause as Error).message}`, DAMAGED, cause);
  }
  const parsed = parseJson(text);
  if ("fault" in parsed) throw refuse(`the header ${parsed.fault}`, DAMAGED);
  // The header starts with a brace, so it is an object.
  return { header: parsed.value as Record<string, unknown>, headerEnd };
}

function checkMetadata(found: unknown, where: string): Record<string, string> {
  if (!isObject(found) || Object.values(found).some((value) => typeof value !== "string")) {
    throw new DataError({ where, what: `${METADATA} does not map strings to strings`, fix: DAMAGED });
  }
  return found as Record<string, string>;
}

/** The size in bytes of the types that a tensor may have. */
const typeBytes = { ...floatBytes, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 };

type TensorType = keyof typeof typeBytes;

const omittedTypes = Object.keys(typeBytes) as TensorType[];

interface Entry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** The first byte, counted from the header's end. */
  readonly begin: number;
  readonly end: number;
}

function checkEntry(name: string, entry: unknown, file: string, types: readonly TensorType[]): Entry {
  const where = inFile(file, name);
  const refuse = (what: string, fix = DAMAGED) => new DataError({ where, what, fix });
  if (!isObject(entry)) throw refuse("its entry in the header is not an object");
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
  const needed = typeBytes[type] * sizeOf(shape);
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
      const what = `it starts at byte ${begin} of the values, but the previous tensor ends at byte ${reached}`;
      throw new DataError({
        where,
        what: `${what}: ${begin < reached ? "two tensors overlap" : "there is a gap"}`,
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
