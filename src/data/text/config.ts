import { excerpt, OptionError } from "../../errors.ts";
import { bytePairTokenizer } from "./byte-pairs/index.ts";
import { byteTokenizer } from "./bytes.ts";
import { tokenizerOfCharacters } from "./characters.ts";
import { isTokenizerConfig, type Tokenizer, type TokenizerConfig } from "./tokenizer.ts";

/**
 * The tokenizer of a config, such as the one in a model file. The package that encodes byte pairs is loaded only for
 * them.
 * @throws OptionError for something that is not a config; DataError for one whose contents are invalid
 */
export async function tokenizerFromConfig(config: TokenizerConfig): Promise<Tokenizer> {
  if (!isTokenizerConfig(config)) {
    const what = `${excerpt(config)} is not the config of a tokenizer`;
    throw new OptionError({ where: "tokenizerFromConfig", what, fix: "Give the config of a tokenizer" });
  }
  if (config.type === "bytes") return byteTokenizer();
  if (config.type === "bytePairs") return bytePairTokenizer(config.tokenizer);
  return tokenizerOfCharacters(config.characters);
}
