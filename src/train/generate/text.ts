import type { Tokenizer } from "../../data/text/tokenizer.ts";

/** The text that generated tokens add: it ends before a stop text, and has no incomplete characters before its end. */
export class GeneratedText {
  readonly #tokenizer: Tokenizer;
  readonly #stops: readonly string[];
  readonly #tokens: number[] = [];
  /** The number of characters that were returned. */
  #returned = 0;
  /** Whether a stop text was found. */
  isStopped = false;

  constructor(tokenizer: Tokenizer, stops: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#stops = stops;
  }

  /**
   * The text that is complete with another token.
   * @param isLast whether all the rest is returned
   */
  add(token: number, isLast: boolean): string {
    this.#tokens.push(token);
    const text = this.#tokenizer.decode(this.#tokens);
    const found = this.#stops.map((stop) => text.indexOf(stop, 0)).filter((place) => place >= 0);
    this.isStopped = found.length > 0;
    const end = this.isStopped ? Math.min(...found) : isLast ? text.length : this.#certainEnd(text);
    const added = text.slice(this.#returned, Math.max(this.#returned, end));
    this.#returned += added.length;
    return added;
  }

  /** The length of the text that later tokens do not change, and that is not the beginning of a stop text. */
  #certainEnd(text: string): number {
    let end = text.length;
    // A token may be a part of a character, which decodes to U+FFFD.
    while (end > 0 && text[end - 1] === "\ufffd") end--;
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let start = Math.max(0, end - longest); start < end; start++)
      if (this.#stops.some((stop) => stop.startsWith(text.slice(start, end)))) return start;
    return end;
  }
}
