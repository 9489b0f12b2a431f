/** A buffer that a backend allocates, compared by identity. */
export interface VirtualBuffer {
  readonly label: string;
  /** Number of elements of four bytes. */
  elements: number;
}

/** Part of a buffer. It starts at a multiple of `ALIGNMENT` elements, so that it can be bound separately. */
export interface Region {
  readonly buffer: VirtualBuffer;
  readonly offset: number;
  readonly elements: number;
}

export function overlaps(a: Region, b: Region): boolean {
  return a.buffer === b.buffer && a.offset < b.offset + b.elements && b.offset < a.offset + a.elements;
}

/** The bytes of the buffers of regions, each counted once, without those that a session stores leaves in. */
export function bytesOf(regions: Iterable<Region>, isStored: (buffer: VirtualBuffer) => boolean): number {
  const buffers = new Set([...regions].map(({ buffer }) => buffer));
  return [...buffers].reduce((bytes, buffer) => bytes + (isStored(buffer) ? 0 : 4 * buffer.elements), 0);
}

export function wholeBuffer(label: string, elements: number): Region {
  return { buffer: { label, elements }, offset: 0, elements };
}
