/*
 * Files of networks. The worker loads this code, and that of all layers with it, when it first needs a file.
 */
export { loadModel, saveModel } from "../../../index.ts";
