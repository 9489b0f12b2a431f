import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NatsLink } from "../../src/cluster/link.ts";
import { MessageError } from "../../src/cluster/messages.ts";
import { ObjectBucket, ReadTimeoutError } from "../../src/cluster/objects.ts";
import { isUnreachable, whileUnreachable } from "../../src/cluster/retry.ts";
import { DATA } from "../../src/cluster/training/names.ts";
import { setUpTraining } from "../../src/cluster/training/set-up.ts";
import { natsServer } from "./nats-server.ts";
import { Proxy } from "./proxy.ts";

const server = natsServer();
let link: NatsLink;
let bucket: ObjectBucket;
beforeAll(async () => {
  link = await server.current.connect();
  await setUpTraining(link);
  bucket = await ObjectBucket.open(link, DATA);
});
afterAll(() => link.close());

/** More than fits into a message. */
const contents = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);

test("an object is stored compressed, once, under the digest of its contents", async () => {
  const reference = await bucket.putPacked(contents);
  expect(reference).toMatchObject({ object: `${reference.digest}.gz`, bytes: contents.length });
  const { state } = await link.manager.streams.info(`OBJ_${DATA}`);
  expect(await bucket.putPacked(contents)).toEqual(reference);
  expect((await link.manager.streams.info(`OBJ_${DATA}`)).state.last_seq).toBe(state.last_seq);
  expect(state.bytes).toBeLessThan(contents.length / 10);
  expect(Buffer.from(await bucket.getPacked(reference)).equals(contents)).toBe(true);
});

test("an archive of which the server has lost parts is stored again", async () => {
  const reference = await bucket.putPacked(contents);
  await link.manager.streams.purge(`OBJ_${DATA}`, { filter: `$O.${DATA}.C.>` });
  const impatient = await ObjectBucket.open(link, DATA, 200);
  await expect(impatient.getPacked(reference)).rejects.toThrow(/the server has lost parts of it: it has 0 of 1\.$/);
  expect(await bucket.putPacked(contents)).toEqual(reference);
  expect(Buffer.from(await bucket.getPacked(reference)).equals(contents)).toBe(true);
});

test.each<[string, Uint8Array, RegExp]>([
  ["with other contents", gzipSync(Buffer.alloc(contents.length)), /its digest is/],
  ["with more contents", gzipSync(Buffer.alloc(50_000_000)), /it is not an archive of 3000000 bytes/],
  ["that is cut off", gzipSync(contents).subarray(0, -20), /it is not an archive of 3000000 bytes/],
  ["that is none", new Uint8Array(10_000), /it is not an archive of 3000000 bytes/],
  ["that is too small", gzipSync(Buffer.alloc(9)), /an archive of \d+ bytes cannot contain 3000000 bytes/],
  ["that is too large", new Uint8Array(4_000_000), /an archive of 4000000 bytes cannot contain 3000000 bytes/],
])("an archive %s is refused", async (_name, archive, message) => {
  const reference = await bucket.putPacked(contents);
  await bucket.put(reference.object, archive);
  await expect(bucket.getPacked(reference)).rejects.toThrow(message);
  await bucket.remove(reference.object);
});

describe("an object whose parts do not arrive", () => {
  const parts = `$O.${DATA}.C.>`;
  // Parts have 128 KiB.
  const count = Math.ceil(contents.length / 2 ** 17);

  // A long wait is not waited for: after a second without a part, the server is asked.
  test.each<[string, number, number]>([
    ["all", 0, 200],
    ["some", 5, 200],
    ["all", 0, 1e9],
    ["some", 5, 1e9],
  ])(
    "is refused if the server has lost %s of them (kept: %i, longest wait: %i ms), and can be stored again",
    async (_name, keep, longest) => {
      const reference = await bucket.put("parts", contents);
      await link.manager.streams.purge(`OBJ_${DATA}`, { filter: parts, ...(keep > 0 && { keep }) });
      const impatient = await ObjectBucket.open(link, DATA, longest);
      const error: unknown = await impatient.get(reference).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(MessageError);
      expect((error as Error).message).toBe(
        `object parts: the server has lost parts of it: it has ${keep} of ${count}.`,
      );
      expect(isUnreachable(link, error)).toBe(false);
      await bucket.put("parts", contents);
      expect(Buffer.from(await impatient.get(reference)).equals(contents)).toBe(true);
    },
  );

  // After 200 ms without a part, the server is asked for the number of parts.
  test.each<[string, number]>([
    ["did not come back", Infinity],
    ["came back before the server was asked in vain", 1500],
  ])("can be read later if the connection was cut, and %s", async (_name, milliseconds) => {
    const reference = await bucket.put("parts", contents);
    const proxy = await Proxy.start(server.current.port);
    const far = await server.current.connect("worker", { kind: "none" }, undefined, proxy.address);
    const impatient = await ObjectBucket.open(far, DATA, 200);
    const isCut = proxy.cutAfter(contents.length / 2);
    const reading = impatient.get(reference).catch((reason: unknown) => reason);
    await isCut;
    if (milliseconds < Infinity) setTimeout(() => proxy.restore(), milliseconds);
    const error = await reading;
    expect(isUnreachable(far, error)).toBe(true);
    expect(error instanceof ReadTimeoutError).toBe(milliseconds < Infinity);
    proxy.restore();
    const found = await whileUnreachable(far, () => impatient.get(reference));
    expect(Buffer.from(found).equals(contents)).toBe(true);
    await far.close();
    proxy.close();
  });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    "another digest",
    { digest: `SHA-256=${"A".repeat(43)}=` },
    /^object faulty: it is damaged \(.*digests do not match\)/,
  ],
  ["no digest", { digest: undefined }, /^object faulty: it is damaged/],
  ["parts with an invalid name", { nuid: "a.>" }, /^object faulty: its parts have no valid name/],
])("an object with %s is refused", async (_name, changes, message) => {
  const reference = await bucket.put("faulty", contents.subarray(0, 100));
  const subject = `$O.${DATA}.M.${Buffer.from("faulty").toString("base64url")}`;
  const { data } = (await link.manager.streams.getMessage(`OBJ_${DATA}`, { last_by_subj: subject }))!;
  const info = JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>;
  await link.streams.publish(subject, JSON.stringify({ ...info, ...changes }));
  const error: unknown = await bucket.get(reference).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MessageError);
  expect((error as Error).message).toMatch(message);
});
