/*
 * Compression of what browsers fetch, with gzip, which they have built in.
 */

/** Contents that were compressed cannot be longer than this many times the compressed ones, by the format of gzip. */
const MOST_GROWTH = 1032;

/** The most bytes that gzip adds to contents that cannot be compressed: 5 for each 16 KiB, and a header. */
const mostPacked = (bytes: number): number => bytes + 5 * Math.ceil(bytes / 16_384) + 64;

/** Compresses bytes with gzip. */
export async function packed(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Whether compressed bytes of this size can have contents of the other size. */
export const canContain = (packedBytes: number, bytes: number): boolean =>
  packedBytes <= mostPacked(bytes) && bytes <= MOST_GROWTH * packedBytes;

/**
 * Decompresses what `packed` returns. It stops as soon as there are more bytes than expected, so an archive that is made to
 * fill the memory does no harm.
 * @param bytes the number of bytes of the contents; check it with `canContain` first
 * @returns undefined if the contents are damaged, or have another number of bytes
 */
export async function unpacked(archive: Uint8Array, bytes: number): Promise<Uint8Array | undefined> {
  const blob = new Blob([archive as Uint8Array<ArrayBuffer>]);
  const reader = blob.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const contents = new Uint8Array(bytes);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return length === bytes ? contents : undefined;
      if (length + value.length > bytes) break;
      contents.set(value, length);
      length += value.length;
    }
  } catch {
    return undefined;
  }
  await reader.cancel().catch(() => undefined);
  return undefined;
}
