import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the page reports of one test: what it measured, by name, or why it failed. */
export type Report = { readonly measured: Readonly<Record<string, number>> } | { readonly failure: string };

/** A report that has arrived, or will. */
interface Expected {
  readonly report: Promise<Report>;
  readonly arrive: (report: Report) => void;
}

function expected(): Expected {
  let arrive: Expected["arrive"] = () => {};
  const report = new Promise<Report>((resolve) => (arrive = resolve));
  return { report, arrive };
}

/** Receives the reports of a page. */
export class ReportServer {
  readonly #server: Server;
  readonly #waiting = new Map<string, Expected>();
  #failure: string | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<ReportServer> {
    const server = createServer();
    const reports = new ReportServer(server);
    server.on("request", (request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        // The page comes from another port.
        response.writeHead(204, { "access-control-allow-origin": "*" }).end();
        if (request.method === "POST") reports.#receive(JSON.parse(Buffer.concat(pieces).toString()));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return reports;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The report of a test, which may have arrived already. */
  of(name: string): Promise<Report> {
    return this.#entry(name).report;
  }

  /** Fails all tests that have not reported, since no further report comes. */
  fail(failure: string): void {
    this.#failure = failure;
    for (const entry of this.#waiting.values()) entry.arrive({ failure });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #entry(name: string): Expected {
    const entry = this.#waiting.get(name) ?? expected();
    this.#waiting.set(name, entry);
    if (this.#failure !== undefined) entry.arrive({ failure: this.#failure });
    return entry;
  }

  #receive({ name, ...report }: Report & { name?: string }): void {
    if (name !== undefined) return this.#entry(name).arrive(report);
    // Without a name, the page itself has failed.
    this.fail("failure" in report ? report.failure : "the page ended");
  }
}
