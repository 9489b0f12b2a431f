import { requireText, requireTokens, type Tokenizer } from "./tokenizer.ts";

/** A tokenizer whose tokens are the bytes of the text in UTF-8: 256 tokens, for any text. */
export function byteTokenizer(): Tokenizer {
  return {
    vocabularySize: 256,
    config: { type: "bytes" },
    encode(text) {
      requireText("encode", text);
      return new TextEncoder().encode(text);
    },
    decode(tokens) {
      requireTokens("decode", tokens, 256);
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(tokens));
    },
  };
}
