import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { NatsLink } from "../../../src/cluster/link.ts";
import type { DeviceChoice } from "../../../src/index.ts";
import { documentedConfig, freePort, NatsServer } from "../../cluster/nats-server.ts";
import type { Demo, Visitor } from "../demo.ts";

/** A server with the documented configuration, which browsers reach without TLS, as they may on their own machine. */
export interface LendServer {
  readonly current: NatsServer;
  /** The address of its WebSocket. */
  readonly websocket: string;
  connect(user: "owner" | "worker"): Promise<NatsLink>;
}

/** The password of a user in the documented configuration. */
export const passwordOf = (user: string): string => `${user.toUpperCase()}-PASSWORD`;

/** Starts the server before the tests of a file, after the demo, whose page it lets connect. */
export function useLendServer(demo: Demo): LendServer {
  let [server, websocket] = [undefined as NatsServer | undefined, ""];
  beforeAll(async () => {
    const port = await freePort();
    websocket = `ws://127.0.0.1:${port}`;
    const config = documentedConfig(port)
      .replaceAll(/ *tls \{[^}]*\}\n/g, "")
      .replace("websocket {", "websocket {\n  no_tls: true")
      .replace("https://page.example", new URL(demo.site.address).origin);
    server = await NatsServer.start(config);
  });
  afterAll(() => server?.remove());
  return {
    get current() {
      return server!;
    },
    get websocket() {
      return websocket;
    },
    connect: (user) => server!.connect(user, { kind: "password", user, password: passwordOf(user) }),
  };
}

/** A visitor of the page at `?lend` for one test, who has typed an address and a password and asked what is open. */
export async function visitLend(
  demo: Demo,
  address: string,
  { password = passwordOf("browser"), device = "wasm" as DeviceChoice, width = 1280 } = {},
): Promise<Visitor> {
  const visitor = await demo.arrive(device, "&lend", { width });
  onTestFinished(() => visitor.leave());
  const { page } = visitor;
  await visitor.says("backend", device === "wasm" ? /^CPU$/ : /^WebGPU/);
  await page.getByTestId("lend-address").fill(address);
  await page.getByTestId("lend-user").fill("browser");
  await page.getByTestId("lend-secret").fill(password);
  await visitor.click("lend-connect");
  return visitor;
}
