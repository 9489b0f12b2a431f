/*
 * Learns the merges of byte-pair encoding (Sennrich, Haddow and Birch 2016, arXiv 1508.07909).
 */

/** A pair of adjacent symbols, which becomes a new symbol. */
export type Merge = readonly [left: number, right: number];

/** A word as symbols, with its number of occurrences. */
interface Word {
  symbols: number[];
  readonly count: number;
}

/** Larger than any symbol. */
const BASE = 2 ** 16;

const keyOf = (left: number, right: number) => left * BASE + right;

/**
 * Repeatedly merges the most frequent pair of symbols; among equally frequent ones that with the smallest symbols.
 * @param words occurrences of words, each a list of symbols below `symbols`
 * @param symbols the number of symbols before the first merge; each merge makes the next one
 * @param wanted the number of merges
 * @param minimumCount pairs with fewer occurrences are not merged
 */
export function learnMerges(
  words: Iterable<readonly [readonly number[], number]>,
  { symbols, wanted, minimumCount }: { symbols: number; wanted: number; minimumCount: number },
): Merge[] {
  const pairs = new PairCounts(Array.from(words, ([list, count]) => ({ symbols: [...list], count })));
  const merges: Merge[] = [];
  while (merges.length < wanted) {
    const best = pairs.mostFrequent();
    if (best === undefined || best.count < minimumCount) break;
    merges.push(best.pair);
    pairs.merge(best.pair, symbols++);
  }
  return merges;
}

/** The number of occurrences of each pair in words, and the words in which it occurs. */
class PairCounts {
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  readonly #wordsOf = new Map<number, Set<number>>();
  /** Pairs by their counts. A count that has changed since is corrected when it is taken out. */
  readonly #queue = new PairQueue();

  constructor(words: readonly Word[]) {
    this.#words = words;
    words.forEach((_, index) => this.#count(index, 1));
    for (const [key, count] of this.#counts) this.#queue.add({ key, count });
  }

  mostFrequent(): { pair: Merge; count: number } | undefined {
    for (let entry = this.#queue.take(); entry; entry = this.#queue.take()) {
      const { key } = entry;
      const count = this.#counts.get(key) ?? 0;
      if (count === entry.count) return { pair: [Math.floor(key / BASE), key % BASE], count };
      if (count > 0) this.#queue.add({ key, count });
    }
    return undefined;
  }

  /** Replaces a pair by a symbol in all words. */
  merge([left, right]: Merge, symbol: number): void {
    // Counting changes the set.
    const affected = Array.from(this.#wordsOf.get(keyOf(left, right))!);
    const changed = new Set<number>();
    for (const index of affected) {
      const word = this.#words[index]!;
      this.#count(index, -1);
      word.symbols = merged(word.symbols, left, right, symbol);
      this.#count(index, 1);
      for (let place = 1; place < word.symbols.length; place++) {
        const [before, after] = [word.symbols[place - 1]!, word.symbols[place]!];
        if (before === symbol || after === symbol) changed.add(keyOf(before, after));
      }
    }
    for (const key of changed) this.#queue.add({ key, count: this.#counts.get(key)! });
  }

  /** Adds the pairs of a word to the counts, or takes them out. */
  #count(index: number, sign: 1 | -1): void {
    const { symbols, count } = this.#words[index]!;
    for (let place = 1; place < symbols.length; place++) {
      const key = keyOf(symbols[place - 1]!, symbols[place]!);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign * count);
      const found = this.#wordsOf.get(key) ?? new Set();
      if (sign === 1) found.add(index);
      else found.delete(index);
      this.#wordsOf.set(key, found);
    }
  }
}

/** The pair is merged from left to right. */
function merged(symbols: readonly number[], left: number, right: number, symbol: number): number[] {
  const result: number[] = [];
  for (let place = 0; place < symbols.length; place++) {
    const isPair = symbols[place] === left && symbols[place + 1] === right;
    result.push(isPair ? symbol : symbols[place]!);
    if (isPair) place++;
  }
  return result;
}

interface QueuedPair {
  readonly key: number;
  readonly count: number;
}

const comesBefore = (a: QueuedPair, b: QueuedPair) => a.count > b.count || (a.count === b.count && a.key < b.key);

/** A binary heap: the most frequent pair is taken first. */
class PairQueue {
  readonly #heap: QueuedPair[] = [];

  add(entry: QueuedPair): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!comesBefore(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  take(): QueuedPair | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!comesBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}
