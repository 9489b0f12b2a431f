/*
 * A Playground service without a page.
 */
import type { Backend } from "../../../src/index.ts";
import {
  PLANE_SIDE,
  type Frame,
  type ParameterPlace,
  type PlaygroundApi,
  type PlaygroundEvent,
} from "../../../src/web/playground/contract.ts";
import { createPlaygroundService } from "../../../src/web/playground/service/service.ts";
import { EXTENT, type Mode, type PlaygroundConfig } from "../../../src/web/playground/settings.ts";
import { initialState, type PlaygroundState } from "../../../src/web/playground/state/index.ts";
import type { Stamp } from "../../../src/web/shared/requests.ts";

/** The settings of a mode at full speed, with some changes. */
export function configOf<Of extends Mode>(mode: Of, settings: Partial<PlaygroundState[Of]>): PlaygroundConfig {
  return { mode, ...initialState[mode], speed: "full", ...settings } as PlaygroundConfig;
}

/** A service, its recorded events, and a way to wait for more. */
export function listen(backend: Backend) {
  const events: PlaygroundEvent[] = [];
  const stamps: Stamp[] = [];
  /** For each report that nothing is left to do, the request that it follows and the step that was shown. */
  const idle: { readonly request: number; readonly step: number | undefined }[] = [];
  const waiting = new Set<() => void>();
  const service: PlaygroundApi = createPlaygroundService(async () => backend);
  let request = 0;
  const api = {
    subscribe: service.subscribe.bind(service),
    configure: (config: PlaygroundConfig) => service.configure(++request, config),
    start: () => service.start(++request),
    pause: () => service.pause(++request),
    step: () => service.step(++request),
    reset: () => service.reset(++request),
    show: (visible: boolean) => service.show(++request, visible),
    setParameter: (place: ParameterPlace, value: number) => service.setParameter(++request, place, value),
  };
  const frames = (): Frame[] => events.flatMap((event) => (event.kind === "frame" ? [event.frame] : []));
  const subscribed = api.subscribe((event, stamp) => {
    if (event.kind === "idle") return void idle.push({ request: stamp.request, step: frames().at(-1)?.step });
    events.push(event);
    stamps.push(stamp);
    for (const look of waiting) look();
  });
  const trainUntil = async (enough: (frame: Frame) => boolean): Promise<Frame> => {
    await subscribed;
    const found = new Promise<void>((resolve) => {
      const look = () => {
        const last = events.at(-1);
        if (last?.kind !== "error" && !(last?.kind === "frame" && enough(last.frame))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    });
    await api.start();
    await found;
    await api.pause();
    const failure = events.find((event) => event.kind === "error");
    if (failure) throw new Error(failure.message);
    return frames().at(-1)!;
  };
  return { api, service, events, stamps, idle, frames, last: () => frames().at(-1)!, trainUntil };
}

/** The index of the point of the plane's grid that is nearest to (x, y). */
export function pictureIndex(x: number, y: number): number {
  const along = (value: number) => Math.round(((value / EXTENT + 1) / 2) * (PLANE_SIDE - 1));
  return along(y) * PLANE_SIDE + along(x);
}
