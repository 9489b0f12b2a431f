/*
 * The strokes of a drawing. One pointer or the keyboard draws at a time.
 */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The ID of a pointer, or the keyboard. */
export type Drawer = number | "keyboard";

export class Drawing {
  readonly #strokes: Place[][] = [];
  #drawer: Drawer | undefined;

  get strokes(): readonly (readonly Place[])[] {
    return this.#strokes;
  }

  /** Starts a stroke, unless another pointer or the keyboard is drawing. */
  begin(drawer: Drawer, at: Place): boolean {
    if (this.#drawer !== undefined) return false;
    this.#drawer = drawer;
    this.#strokes.push([at]);
    return true;
  }

  /** Whether a stroke is not finished. */
  get isActive(): boolean {
    return this.#drawer !== undefined;
  }

  isDrawing(drawer: Drawer): boolean {
    return this.#drawer === drawer;
  }

  /**
   * Extends the stroke to a place.
   * @returns where the stroke was before; undefined if this drawer has not started one
   */
  extend(drawer: Drawer, to: Place): Place | undefined {
    const stroke = this.#drawer === drawer ? this.#strokes.at(-1) : undefined;
    const from = stroke?.at(-1);
    stroke?.push(to);
    return from;
  }

  end(drawer: Drawer): void {
    if (this.#drawer === drawer) this.#drawer = undefined;
  }

  /** Removes the last stroke, even if it is not finished. */
  undo(): void {
    this.#strokes.pop();
    this.#drawer = undefined;
  }

  clear(): void {
    this.#strokes.length = 0;
    this.#drawer = undefined;
  }
}
