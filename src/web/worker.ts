/*
 * The worker. It owns the device and runs all training, so that the page stays responsive.
 */
import { expose, proxy } from "comlink";
import type { OpenOptions, WorkerApi } from "./contract.ts";
import { openBackend, type OpenedDevice } from "./device.ts";
import { hasMnist } from "./digits/service/data.ts";
import { browserNetworkStore } from "./digits/service/kept.ts";
import { createDigitsService } from "./digits/service/service.ts";
import { createPlaygroundService } from "./playground/service/service.ts";

let settle: (device: Promise<OpenedDevice>) => void;
let opened = new Promise<OpenedDevice>((resolve) => (settle = resolve));
// Callers of getBackend see a failure; this only prevents an unhandled rejection.
opened.catch(() => {});
const getBackend = async () => (await opened).backend;

let page = self.location.href;

let convolution: ReturnType<WorkerApi["openConvolution"]> | undefined;

async function createConvolution(): ReturnType<WorkerApi["openConvolution"]> {
  const { createConvolutionService } = await import("./convolution/service/service.ts");
  return proxy(createConvolutionService({ getBackend, getPage: () => page }));
}

const api: WorkerApi = {
  async open(options: OpenOptions) {
    page = options.page;
    const opening = openBackend(options);
    settle(opening);
    opened = opening;
    const [{ info }, mnist] = await Promise.all([opening, hasMnist(page)]);
    return { ...info, mnist };
  },
  digits: proxy(createDigitsService({ getBackend, getPage: () => page, store: browserNetworkStore() })),
  playground: proxy(createPlaygroundService(getBackend)),
  async openConvolution() {
    convolution ??= createConvolution();
    // The files may be there at the next call.
    convolution.catch(() => (convolution = undefined));
    return convolution;
  },
};

expose(api);
