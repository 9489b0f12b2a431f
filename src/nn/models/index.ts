export { gpt, gptLayer, type GptOptions } from "./gpt.ts";
