import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { parseIdx, readIdx } from "../../src/data/idx.ts";
import { DataError } from "../../src/errors.ts";
import { writeIdx } from "./idx-files.ts";

const file = "some/file";
const good = writeIdx([2, 3], [1, 2, 3, 250, 251, 252]);

async function refusal(bytes: Uint8Array): Promise<DataError> {
  const error: unknown = await readIdx(bytes, file).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

describe("a valid file", () => {
  test("plain", () => {
    const { type, shape, values } = parseIdx(good, file);
    expect({ type, shape, values: [...values] }).toEqual({
      type: "uint8",
      shape: [2, 3],
      values: [1, 2, 3, 250, 251, 252],
    });
  });

  test("compressed is read like a plain one, whatever its name", async () => {
    expect(await readIdx(gzipSync(good), file)).toEqual(parseIdx(good, file));
    expect(await readIdx(good, "named.gz")).toEqual(parseIdx(good, file));
  });

  test("in a Buffer has values that are none, so that no part of them makes one", () => {
    const { values } = parseIdx(Buffer.from(good), file);
    expect(values.constructor).toBe(Uint8Array);
    expect([...values]).toEqual([1, 2, 3, 250, 251, 252]);
  });

  test("within a larger buffer", async () => {
    const around = new Uint8Array(good.length + 12).fill(7);
    around.set(good, 5);
    const packed = gzipSync(good);
    const aroundPacked = new Uint8Array(packed.length + 12).fill(7);
    aroundPacked.set(packed, 5);
    expect([...parseIdx(around.subarray(5, 5 + good.length), file).values]).toEqual([1, 2, 3, 250, 251, 252]);
    const unpacked = await readIdx(aroundPacked.subarray(5, 5 + packed.length), file);
    expect([...unpacked.values]).toEqual([1, 2, 3, 250, 251, 252]);
  });

  test("larger than one chunk of the decompressor", async () => {
    const values = Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) % 251);
    const read = await readIdx(gzipSync(writeIdx([300, 1000], values)), file);
    expect(read.shape).toEqual([300, 1000]);
    expect(Buffer.compare(read.values, values)).toBe(0);
  });
});

describe("a plain file is refused", () => {
  test("with another signature", async () => {
    const error = await refusal(new TextEncoder().encode("PNG and more"));
    expect(error.where).toBe("some/file, byte 0");
    expect(error.what).toContain("found 50 4e 47 20");
  });

  test("with another type of value, which the message names", async () => {
    const error = await refusal(writeIdx([1], [0, 0, 0, 0], 0x0d));
    expect(error.where).toBe("some/file, byte 2");
    expect(error.what).toContain("float32, expected uint8 (type 08, found 0d)");
  });

  test.each([0, 9])("with %i dimensions", async (dimensions) => {
    const error = await refusal(
      writeIdx(
        Array.from({ length: dimensions }, () => 1),
        [1],
      ),
    );
    expect(error.where).toBe("some/file, byte 3");
    expect(error.what).toContain(`${dimensions} dimensions`);
  });

  test.each([0, 3, 4, 11])("that ends in its header, after %i bytes", async (length) => {
    expect((await refusal(good.subarray(0, length))).where).toBe(`some/file, byte ${length}`);
  });

  test("without its last value", async () => {
    const error = await refusal(good.subarray(0, -1));
    expect(error.where).toBe("some/file, byte 17");
    expect(error.what).toContain("2×3 needs 18 bytes, found 17");
  });

  test("with one extra byte", async () => {
    const error = await refusal(new Uint8Array([...good, 0]));
    expect(error.where).toBe("some/file, byte 18");
    expect(error.what).toContain("trailing bytes");
  });

  test("whose dimensions exceed any memory", async () => {
    const error = await refusal(writeIdx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], []));
    expect(error.where).toBe("some/file, byte 16");
  });

  test("whose dimensions are large, with a zero among them", async () => {
    const large = Array.from({ length: 7 }, () => 2 ** 32 - 1);
    expect((await refusal(writeIdx([...large, 0], [1]))).what).toContain("needs 36 bytes, found 37");
  });
});

describe("a compressed file is refused", () => {
  const values = Uint8Array.from({ length: 40_000 }, (_, index) => (index * index) % 253);
  const packed = gzipSync(writeIdx([400, 100], values));
  const end = packed.length;

  test.each([2, 10, 300, end - 9, end - 8, end - 1])("truncated to %i bytes", async (length) => {
    const error = await refusal(packed.subarray(0, length));
    expect(error.where).toBe(file);
    expect(error.what).toContain("truncated or damaged");
  });

  test("with a changed byte", async () => {
    const damaged = Uint8Array.from(packed);
    damaged[end >> 1]! ^= 0x55;
    expect((await refusal(damaged)).what).toContain("truncated or damaged");
  });

  test.each([
    ["text", new TextEncoder().encode("and some more")],
    ["zeros", new Uint8Array(512)],
    ["another archive", gzipSync(Uint8Array.from([]))],
  ])("with %s after its end", async (_, more) => {
    expect((await refusal(Buffer.concat([packed, more]))).where).toContain(file);
  });

  test("that contains less than its header says", async () => {
    const error = await refusal(gzipSync(writeIdx([1_000_000_000], [1, 2, 3])));
    expect(error.where).toBe("some/file, decompressed, byte 11");
    expect(error.what).toContain("needs 1000000008 bytes, found 11");
  });

  test("that contains more than its header says, before all of it is decompressed", async () => {
    const bomb = gzipSync(writeIdx([4], new Uint8Array(60_000_000)));
    const before = process.memoryUsage().arrayBuffers;
    const error = await refusal(bomb);
    expect(error.where).toBe("some/file, decompressed, byte 12");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  test("that would exceed any memory, because of its header", async () => {
    const error = await refusal(gzipSync(writeIdx([2 ** 31, 2 ** 31], new Uint8Array(1000))));
    expect(error.where).toBe("some/file, decompressed, byte 4");
    expect(error.what).toContain("needs 4611686018427388000 bytes, and at most 4294967295 are decompressed");
  });

  test("is passed to the decompressor in small pieces, since browsers decompress everything at once", async () => {
    // Incompressible bytes, so that the archive is long.
    const noise = Uint8Array.from(
      { length: 200_000 },
      (_, index) => (Math.imul(index, 2654435761) >>> 24) ^ (index >>> 3),
    );
    const archive = gzipSync(writeIdx([200_000], noise));
    const given: number[] = [];
    const Engine = globalThis.DecompressionStream;
    vi.stubGlobal("DecompressionStream", function MeteredEngine() {
      const meter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          given.push(chunk.length);
          controller.enqueue(chunk);
        },
      });
      return { writable: meter.writable, readable: meter.readable.pipeThrough(new Engine("gzip")) };
    });
    try {
      expect(Buffer.compare((await readIdx(archive, file)).values, noise)).toBe(0);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(Math.max(...given)).toBe(2 ** 14);
    expect(given.reduce((sum, length) => sum + length)).toBe(archive.length);
  });

  test("that does not contain an IDX file", async () => {
    expect((await refusal(gzipSync("hello, world"))).where).toBe("some/file, decompressed, byte 0");
    expect((await refusal(gzipSync(""))).where).toBe("some/file, decompressed, byte 0");
  });
});
