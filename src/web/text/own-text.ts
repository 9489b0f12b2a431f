/*
 * The visitor's own text: what is accepted, and what is not.
 */
import { TEXT_LIMITS } from "./settings.ts";

const { least, most, characters } = TEXT_LIMITS;

const counted = (count: number) => count.toLocaleString("en");

/** A text, or a sentence that says why it is refused and what to do. */
export type ReadText = { readonly text: string } | { readonly fault: string };

/** Checks a text. Line breaks become "\n", and spaces at both ends are removed. */
export function readText(given: string): ReadText {
  const text = given
    .replace(/^\ufeff/, "")
    .replace(/\r\n?/g, "\n")
    .trim();
  if (text === "") return { fault: `There is no text. Paste at least ${counted(least)} characters, or drop a file.` };
  if (text.length < least) {
    const fault = `${counted(text.length)} characters are too few to learn from. Give at least ${counted(least)}, such as a poem.`;
    return { fault };
  }
  if (text.length > most) {
    return { fault: `The text has ${counted(text.length)} characters. Give a part of at most ${counted(most)}.` };
  }
  if (/\p{Surrogate}/u.test(text)) {
    return { fault: "The text contains half of a character, which no file can store. Copy it again." };
  }
  const different = new Set(text).size;
  if (different <= characters) return { text };
  const what = `The text has ${counted(different)} different characters, and the network can learn ${characters}.`;
  return { fault: `${what} Give a text in an alphabet, or a shorter one.` };
}

/** A character takes at most this many bytes in UTF-8. */
const MOST_BYTES = 4;

/** Reads a file of UTF-8. One that is too large is refused before it is read. */
export async function readTextFile(file: File): Promise<ReadText> {
  if (file.size > MOST_BYTES * most) {
    return { fault: `${file.name} is too large. Give a text of at most ${counted(most)} characters.` };
  }
  try {
    return readText(new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()));
  } catch {
    return { fault: `${file.name} is not a text in UTF-8. Save it as plain text in UTF-8, and drop it again.` };
  }
}
