/*
 * The worker. It owns the device and runs all training, so that the page stays responsive.
 */
import { expose, proxy } from "comlink";
import type { OpenOptions, WorkerApi } from "./contract.ts";
import { openBackend, type OpenedDevice } from "./device.ts";
import { hasMnist } from "./digits/service/data.ts";
import { browserNetworkStore } from "./digits/service/kept.ts";
import { createDigitsService } from "./digits/service/service.ts";

let settle: (device: Promise<OpenedDevice>) => void;
let opened = new Promise<OpenedDevice>((resolve) => (settle = resolve));
// Callers of getBackend see a failure; this only prevents an unhandled rejection.
opened.catch(() => {});
const getBackend = async () => (await opened).backend;

let page = self.location.href;

/** Creates a service at the first call. If its files cannot be loaded, the next call tries again. */
function lazily<Service>(create: () => Promise<Service>): () => Promise<Service> {
  let service: Promise<Service> | undefined;
  return () => {
    service ??= create();
    service.catch(() => (service = undefined));
    return service;
  };
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
  openPlayground: lazily(async () => {
    const { createPlaygroundService } = await import("./playground/service/service.ts");
    return proxy(createPlaygroundService(getBackend));
  }),
  openConvolution: lazily(async () => {
    const { createConvolutionService } = await import("./convolution/service/service.ts");
    return proxy(createConvolutionService({ getBackend, getPage: () => page }));
  }),
  openText: lazily(async () => {
    const { createTextService } = await import("./text/service/service.ts");
    return proxy(createTextService(getBackend));
  }),
};

expose(api);
