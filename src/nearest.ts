const plain = (word: string) => word.toLowerCase().replaceAll(/[-_ ]/g, "");

/** wgrad's names for what other libraries call things, by the other name in lower case without dashes. */
export type Synonyms = Readonly<Record<string, string>>;

/**
 * The name that an unknown one most likely means: wgrad's name for a synonym, or else the name with the smallest edit
 * distance, ignoring case, dashes, underscores and spaces.
 * @returns undefined if no name is within 2 edits and within two fifths of its length
 */
export function nearest<Name extends string>(
  text: string,
  names: readonly Name[],
  synonyms: Synonyms = {},
): Name | undefined {
  const synonym = Object.hasOwn(synonyms, plain(text)) ? synonyms[plain(text)] : undefined;
  const same = names.find((name) => name === synonym);
  if (same !== undefined) return same;
  const distances = names.map((name) => ({ name, distance: editDistance(plain(text), plain(name)) }));
  distances.sort((a, b) => a.distance - b.distance);
  const [best] = distances;
  return best && best.distance <= Math.min(2, 0.4 * best.name.length) ? best.name : undefined;
}

/** Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps. */
function editDistance(a: string, b: string): number {
  let twoBefore: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped =
        a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? twoBefore[column - 2]! + 1 : Infinity;
      current.push(Math.min(before[column]! + 1, current[column - 1]! + 1, before[column - 1]! + changed, swapped));
    }
    [twoBefore, before] = [before, current];
  }
  return before[b.length]!;
}
