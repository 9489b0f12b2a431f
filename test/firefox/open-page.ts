import type { ViteDevServer } from "vite";
import { afterAll, beforeAll } from "vitest";
import { serveSources } from "../web/sources.ts";
import { openFirefox, type Firefox } from "./firefox.ts";
import { ReportServer } from "./reports.ts";

/**
 * Opens a page in Firefox before all tests of a file, and closes it after them.
 * @param script the page's script, which runs tests, from the root of the project
 * @returns a function that waits for what the page measured in a test, and throws if that test failed
 */
export function openPage(script: string): (name: string) => Promise<Readonly<Record<string, number>>> {
  let reports: ReportServer;
  let server: ViteDevServer;
  let firefox: Firefox;

  beforeAll(async () => {
    [reports, server] = await Promise.all([ReportServer.open(), serveSources(script)]);
    firefox = openFirefox(`${server.resolvedUrls!.local[0]!}?port=${reports.port}`);
    void firefox.ended.then((why) => reports.fail(why));
  });

  afterAll(async () => {
    await firefox?.close();
    await server?.close();
    reports?.close();
  });

  return async (name) => {
    const report = await reports.of(name);
    if ("failure" in report) throw new Error(report.failure);
    return report.measured;
  };
}
