/**
 * The digit that a class is asked for next: one of those with the fewest drawings, so that there are about as many of each.
 * Among them it is the first one after the current digit, which is not asked for twice in a row.
 * @param counts how many drawings there are of each digit
 */
export function nextDigit(counts: readonly number[], current: number): number {
  const others = Array.from({ length: counts.length - 1 }, (_, step) => (current + 1 + step) % counts.length);
  const fewest = Math.min(...others.map((digit) => counts[digit]!));
  return others.find((digit) => counts[digit] === fewest)!;
}
