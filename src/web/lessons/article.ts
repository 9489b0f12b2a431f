/** A digit with its article. */
export const aDigit = (digit: number): string => (digit === 8 ? "an 8" : `a ${digit}`);
