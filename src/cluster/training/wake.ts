/** A wait that an event can end early. */
export class Wake {
  #end: (() => void) | undefined;

  /** Waits for the next call of `now`, for some time at most. */
  async within(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
  }

  /** Ends the wait. */
  readonly now = (): void => this.#end?.();
}
