/*
 * `npm run train`: trains with WebGPU unless the arguments name a device or a configuration file.
 */
const chosen = process.argv.slice(2).some((argument) => /^--(device|config)(=|$)/.test(argument));
process.argv.splice(2, 0, "train", ...(chosen ? [] : ["--device", "webgpu"]));
await import("../dist/cli.js");
