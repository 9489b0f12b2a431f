/** How many values there is room for at first. */
const LEAST_ROOM = 1 << 12;

/**
 * Numbers that come one by one: kept as bytes while they are whole numbers in 0 … 255, which takes a quarter of the
 * memory, then as float32.
 */
export class ValueList {
  #values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> = new Uint8Array(LEAST_ROOM);
  #length = 0;

  /** How many values there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a value at the end. */
  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length] = value;
    if (this.#values[this.#length] !== value && this.#values instanceof Uint8Array) {
      this.#values = Float32Array.from(this.#values);
      this.#values[this.#length] = value;
    }
    this.#length++;
  }

  /** The values so far, which share memory with the list. */
  get values(): Uint8Array | Float32Array {
    return this.#values.subarray(0, this.#length);
  }

  #grow(): void {
    const room = 2 * this.#values.length;
    // Memory that nothing was written to yet is not taken from the system.
    const grown = this.#values instanceof Uint8Array ? new Uint8Array(room) : new Float32Array(room);
    grown.set(this.#values);
    this.#values = grown;
  }
}
