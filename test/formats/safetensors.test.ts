import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../src/errors.ts";
import { readSafetensors, writeSafetensors, type NamedTensor } from "../../src/formats/safetensors.ts";

const weight: NamedTensor = { name: "weight", shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 0, -0, 1e-40) };
const bias: NamedTensor = { name: "bias", shape: [3], values: Float32Array.of(NaN, Infinity, 7) };

/** A file with the given header, valid or not, and the given number of value bytes. */
function fileOf(header: unknown, values = 0, headerLength?: number | bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + values);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("writeSafetensors", () => {
  test("writes files as the format specifies", () => {
    const bytes = writeSafetensors([weight, bias], { format: "wgrad" });
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength));
    expect(headerLength % 8).toBe(0);
    expect(header).toMatch(/^\{.*\} *$/);
    expect(JSON.parse(header)).toEqual({
      __metadata__: { format: "wgrad" },
      weight: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      bias: { dtype: "F32", shape: [3], data_offsets: [24, 36] },
    });
    expect(bytes.length).toBe(8 + headerLength + 36);
    expect(new DataView(bytes.buffer).getFloat32(8 + headerLength + 8, true)).toBe(3.5);
  });

  test.each<[string, NamedTensor[], RegExp]>([
    ["two tensors with the same name", [bias, bias], /tensor "bias": there are two tensors with this name/],
    ["the reserved name", [{ ...bias, name: "__metadata__" }], /reserved by the format/],
    ["values that do not match the shape", [{ ...bias, shape: [4] }], /3 values for the shape \[4\] of size 4/],
  ])("refuses %s", (_, tensors, message) => {
    expect(() => writeSafetensors(tensors, {})).toThrow(OptionError);
    expect(() => writeSafetensors(tensors, {})).toThrow(message);
  });
});

describe("readSafetensors", () => {
  test.each([
    [undefined, "undefined"],
    [new ArrayBuffer(64), "ArrayBuffer"],
    ["{}", "string"],
    [new Float32Array(16), "Float32Array"],
  ])("refuses %o, which is not the bytes of a file", (value, type) => {
    const read = () => readSafetensors(value as never, "your model");
    expect(read).toThrow(OptionError);
    expect(read).toThrow(
      `your model: the bytes of the file are of type ${type}. Give a Uint8Array, such as new Uint8Array(await file.arrayBuffer()).`,
    );
  });

  test("reads what was written: any shapes, names, values and texts, at any memory alignment", () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
    const tensors = fc.uniqueArray(fc.record({ name: fc.string({ unit: "grapheme" }), shape: shapes }), {
      selector: ({ name }) => name,
      maxLength: 4,
    });
    const texts = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(tensors, texts, fc.integer({ min: 0, max: 7 }), (described, metadata, shift) => {
        fc.pre(described.every(({ name }) => name !== "__metadata__"));
        const written = described.map(({ name, shape }, position) => {
          const size = shape.reduce((product, axis) => product * axis, 1);
          return { name, shape, values: Float32Array.from({ length: size }, (_, index) => position + index / 7) };
        });
        const bytes = writeSafetensors(written, metadata);
        const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
        shifted.set(bytes);
        const read = readSafetensors(shifted, "file");
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
        expect(new Map(read.tensors)).toEqual(new Map(written.map(({ name, ...tensor }) => [name, tensor])));
      }),
    );
  });

  test("keeps every bit, also of NaN values", () => {
    const { tensors } = readSafetensors(writeSafetensors([weight, bias], {}), "file");
    for (const { name, values } of [weight, bias]) {
      expect(new Uint32Array(tensors.get(name)!.values.buffer)).toEqual(new Uint32Array(values.buffer));
    }
  });

  test("reads a file of another writer: without metadata, with entries in any order, without padding", () => {
    const bytes = fileOf({ second: entry(4, 12), first: entry(0, 4, []) }, 12);
    const { tensors, metadata } = readSafetensors(bytes, "file");
    expect([...tensors.keys()]).toEqual(["first", "second"]);
    expect(metadata).toEqual({});
  });

  const good = writeSafetensors([weight, bias], { format: "wgrad" });
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /^f: this is not a safetensors file/],
    ["a text file", new TextEncoder().encode("model weights, version 1"), /this is not a safetensors file/],
    [
      "a file that ends in its header",
      good.subarray(0, 40),
      /header should end at byte \d+, but the file has 40 bytes/,
    ],
    [
      "a header beyond 100 MB",
      fileOf("{}", 0, 100_000_001),
      /100000001 bytes, more than the format's limit of 100000000/,
    ],
    ["a header beyond 2^53 bytes", fileOf("{}", 0, 2n ** 64n - 1n), /more than the format's limit of 100000000/],
    ["a header that is not JSON", fileOf("{oops"), /the header is not JSON/],
    ["a header that is not UTF-8", fileOf("{}").fill(0xff, 9), /the header is not JSON/],
    ["bytes after the header's object", fileOf("{} 1"), /the header is not JSON/],
    ["a duplicate name", fileOf('{"a":1,"b":[{"a":{}}],"a":2}'), /the key "a" twice/],
    ["a duplicate name with another spelling", fileOf('{"\\u0061":1,"a":2}'), /the key "a" twice/],
    ["a duplicate field", fileOf('{"a":{"dtype":"F32","dtype":"F32"}}'), /the key "dtype" twice/],
    ["a duplicate name after escapes", fileOf('{"a\\\\":1,"\\"":2,"a\\\\":3}'), /the key "a\\\\" twice/],
    ["a duplicate name in the metadata", fileOf('{"__metadata__":{"k":"1","k":"1"}}'), /the key "k" twice/],
    ["a key with an invalid escape", fileOf('{"\\x":1}'), /the header is not JSON/],
    ["a header of open brackets", fileOf(`{"a":${"[".repeat(1_000_000)}`), /more than 16 levels/],
    [
      "a header of empty lists",
      fileOf(`{"a":[${"[],".repeat(1_000_000)}[]]}`),
      /more than 100000 objects, lists and strings/,
    ],
    ["an unterminated string", fileOf(`{"${"a".repeat(5_000_000)}`), /the header is not JSON/],
    [
      "a duplicate key of escapes",
      fileOf(`{${`"${"\\".repeat(2_000_000)}":1,`.repeat(2)}"b":1}`),
      /the key "\\+… twice/,
    ],
    ["a shape with many axes", fileOf({ a: entry(0, 4, new Array<number>(17).fill(1)) }, 4), /17 axes, more than 16/],
    ["metadata that is not an object", fileOf({ __metadata__: [] }), /__metadata__ does not map strings to strings/],
    ["metadata that contains a number", fileOf({ __metadata__: { step: 1 } }), /__metadata__ does not map/],
    ["an entry that is not an object", fileOf({ a: null }), /f, tensor "a": its entry in the header is not an object/],
    ["an unknown field", fileOf({ a: { ...entry(0, 4), scale: 1 } }, 4), /tensor "a".*unknown field "scale"/],
    ["a missing field", fileOf({ a: { dtype: "F32", shape: [1] } }, 4), /data_offsets are undefined/],
    ["another type", fileOf({ a: entry(0, 4, [2], "F16") }, 4), /tensor "a": its type is "F16", expected "F32"/],
    ["a shape that is not a list", fileOf({ a: entry(0, 4, 1) }, 4), /its shape is 1, not a list of whole numbers/],
    ["a negative size", fileOf({ a: entry(0, 4, [-1, -1]) }, 4), /its shape is \[-1,-1\]/],
    ["a fractional size", fileOf({ a: entry(0, 4, [0.5, 2]) }, 4), /its shape is \[0.5,2\]/],
    ["three offsets", fileOf({ a: { ...entry(0, 4), data_offsets: [0, 4, 8] } }, 4), /data_offsets are \[0,4,8\]/],
    ["an end before the start", fileOf({ a: entry(8, 4, [1]) }, 8), /needs 4 bytes, but it has 8 … 4/],
    ["fewer bytes than the shape needs", fileOf({ a: entry(0, 4, [2]) }, 4), /\[2\] needs 8 bytes, but it has 0 … 4/],
    ["a shape beyond any memory", fileOf({ a: entry(0, 4, [2 ** 40, 2 ** 40]) }, 4), /needs 4\.8.*e\+24 bytes/],
    [
      "truncated values",
      fileOf({ a: entry(0, 8) }, 4),
      /tensor "a": it ends at byte 8 of the values, but the file has 4/,
    ],
    ["bytes after the values", fileOf({ a: entry(0, 4) }, 8), /end at byte 4 of the values, but the file has 8/],
    [
      "a gap",
      fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12),
      /tensor "b".*starts at byte 8 .*ends at byte 4: there is a gap/,
    ],
    [
      "an overlap",
      fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12),
      /tensor "b".*starts at byte 4 .*ends at byte 8: two tensors overlap/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes, "f")).toThrow(DataError);
    expect(() => readSafetensors(bytes, "f")).toThrow(message);
  });

  test("converts floats to float32, 16-bit ones exactly", () => {
    const header = {
      double: { dtype: "F64", shape: [2, 2], data_offsets: [0, 32] },
      brain: { dtype: "BF16", shape: [5], data_offsets: [32, 42] },
      half: { dtype: "F16", shape: [9], data_offsets: [42, 60] },
      single: { dtype: "F32", shape: [], data_offsets: [60, 64] },
    };
    const bytes = fileOf(header, 64);
    const view = new DataView(bytes.buffer, bytes.length - 64);
    [0.1, -Infinity, -0, 3e-46].forEach((value, index) => view.setFloat64(8 * index, value, true));
    [0x3f80, 0xc049, 0x0001, 0x7f80, 0x7fc1].forEach((word, index) => view.setUint16(32 + 2 * index, word, true));
    const halves = [0x3c00, 0xc248, 0x0001, 0x83ff, 0x0400, 0x7bff, 0xfc00, 0x7e01, 0x8000];
    halves.forEach((word, index) => view.setUint16(42 + 2 * index, word, true));
    view.setFloat32(60, 1.5, true);
    expect(() => readSafetensors(bytes, "f")).toThrow(
      /tensor "double": its type is "F64", expected "F32"\. Convert it/,
    );
    const { tensors } = readSafetensors(bytes, "f", { convert: true });
    expect(tensors.get("double")).toEqual({ shape: [2, 2], values: Float32Array.of(0.1, -Infinity, -0, 0) });
    expect([...tensors.get("brain")!.values]).toEqual([1, -3.140625, 2 ** -133, Infinity, NaN]);
    expect([...tensors.get("half")!.values]).toEqual([
      1,
      -3.140625,
      2 ** -24,
      -1023 * 2 ** -24,
      2 ** -14,
      65504,
      -Infinity,
      NaN,
      -0,
    ]);
    expect([...tensors.get("single")!.values]).toEqual([1.5]);
  });

  test("refuses a float64 outside the range of float32, and types that are not floats", () => {
    const double = fileOf({ a: { dtype: "F64", shape: [2], data_offsets: [0, 16] } }, 16);
    new DataView(double.buffer, double.length - 8).setFloat64(0, -1e39, true);
    expect(() => readSafetensors(double, "f", { convert: true })).toThrow(
      /tensor "a": its value -1e\+39 at element 1 is outside the range of float32/,
    );
    for (const dtype of ["I64", "U8", "BOOL", "F8_E4M3", "f32", "toString"]) {
      const read = () => readSafetensors(fileOf({ a: entry(0, 4, [4], dtype) }, 4), "f", { convert: true });
      expect(read).toThrow(`its type is "${dtype}", expected "F32" or "F16" or "BF16" or "F64"`);
    }
  });

  test("returns a DataError or a result for a file with any single byte changed", () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 }), (position, value) => {
        const spoiled = good.slice();
        spoiled[position] = value;
        try {
          readSafetensors(spoiled, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
