import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { canContain, packed, unpacked } from "../../src/cluster/packing.ts";
import { Random } from "../../src/random.ts";

const random = new Random(5);

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array(0)],
  ["one byte", Uint8Array.of(7)],
  ["zeros", new Uint8Array(3_000_000)],
  ["noise", Uint8Array.from({ length: 200_000 }, () => random.below(256))],
])("%s is unpacked as it was packed, and its sizes are possible", async (_name, bytes) => {
  const archive = await packed(bytes);
  expect(canContain(archive.length, bytes.length)).toBe(true);
  const contents = await unpacked(archive, bytes.length);
  expect(Buffer.from(contents!).equals(bytes)).toBe(true);
});

test("sizes that gzip cannot have are known before anything is unpacked", () => {
  expect(canContain(1000, 2_000_000_000)).toBe(false);
  expect(canContain(2_000_000, 1000)).toBe(false);
});

test("an archive with other contents than expected is refused, and unpacked no further than expected", async () => {
  // 200 MB of zeros in 200 KB: if it were unpacked to its end, the memory would grow by that.
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(200_000_000)));
  const before = process.memoryUsage().arrayBuffers;
  expect(await unpacked(bomb, 1000)).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  const archive = await packed(new Uint8Array(5000));
  for (const bytes of [4999, 5001]) expect(await unpacked(archive, bytes)).toBeUndefined();
  expect(await unpacked(archive.subarray(0, archive.length - 9), 5000)).toBeUndefined();
  expect(await unpacked(new Uint8Array(50), 50)).toBeUndefined();
});
