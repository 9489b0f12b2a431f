/** The initial capacity. */
const LEAST_ROOM = 1 << 12;

/**
 * A growing list of numbers. It stores bytes while all values are integers in 0 … 255, which takes a quarter of the
 * memory, and float32 afterwards.
 */
export class ValueList {
  #values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> = new Uint8Array(LEAST_ROOM);
  #length = 0;

  /** Number of values. */
  get length(): number {
    return this.#length;
  }

  /** Appends a value. */
  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length] = value;
    if (this.#values[this.#length] !== value && this.#values instanceof Uint8Array) {
      this.#values = Float32Array.from(this.#values);
      this.#values[this.#length] = value;
    }
    this.#length++;
  }

  /** The values so far. They share memory with the list. */
  get values(): Uint8Array | Float32Array {
    return this.#values.subarray(0, this.#length);
  }

  #grow(): void {
    const capacity = 2 * this.#values.length;
    // The operating system does not commit pages that were never written.
    const grown = this.#values instanceof Uint8Array ? new Uint8Array(capacity) : new Float32Array(capacity);
    grown.set(this.#values);
    this.#values = grown;
  }
}
