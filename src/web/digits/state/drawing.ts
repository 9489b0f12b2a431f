/*
 * The strokes of a drawing, made by one pointer or the keyboard at a time.
 */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A pointer's number, or the keyboard. */
export type Drawer = number | "keyboard";

export class Drawing {
  readonly #strokes: Place[][] = [];
  #drawer: Drawer | undefined;

  get strokes(): readonly (readonly Place[])[] {
    return this.#strokes;
  }

  /** Begins a stroke, unless somebody else is drawing one. */
  begin(drawer: Drawer, at: Place): boolean {
    if (this.#drawer !== undefined) return false;
    this.#drawer = drawer;
    this.#strokes.push([at]);
    return true;
  }

  isDrawing(drawer: Drawer): boolean {
    return this.#drawer === drawer;
  }

  /**
   * Draws on to a place.
   * @returns where from; undefined where this drawer has no stroke under way
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

  /** Takes the last stroke back, also one under way. */
  undo(): void {
    this.#strokes.pop();
    this.#drawer = undefined;
  }

  clear(): void {
    this.#strokes.length = 0;
    this.#drawer = undefined;
  }
}
