/** Strings as a whole, so that braces and commas inside them do not count; then what opens, closes and separates. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The first key that stands twice in one object. `JSON.parse` takes the last of such keys silently, so two programs
 * may read one text in two ways.
 * @param text valid JSON
 */
export function repeatedKey(text: string): string | undefined {
  // One entry per open object or list; a list has no keys.
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    const keys = open.at(-1);
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":" && keys) {
      const key = JSON.parse(last) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
    last = token;
  }
  return undefined;
}
