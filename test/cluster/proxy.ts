import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * A TCP proxy whose connections can be cut: nothing passes then, and nobody is told, as on a network without a route. What
 * was sent meanwhile arrives afterwards, as TCP repeats it.
 */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  /** The bytes that pass before the connections are cut, and what is called then. */
  #bytesLeft = Infinity;
  #noteCut = () => {};

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Starts a proxy for a port of this machine. */
  static async start(port: number): Promise<Proxy> {
    const server = createServer();
    const proxy = new Proxy(server);
    server.on("connection", (client) => proxy.#join(client, connect(port, "127.0.0.1")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Cuts the connections once this number of bytes has passed. @returns a promise that is resolved then */
  cutAfter(bytes: number): Promise<void> {
    this.#bytesLeft = bytes;
    return new Promise((resolve) => (this.#noteCut = resolve));
  }

  restore(): void {
    this.#isCut = false;
    this.#bytesLeft = Infinity;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (bytes) => {
        to.write(bytes);
        this.#bytesLeft -= bytes.length;
        if (this.#bytesLeft > 0 || this.#isCut) return;
        this.cut();
        this.#noteCut();
      });
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#isCut) from.pause();
    }
  }
}
