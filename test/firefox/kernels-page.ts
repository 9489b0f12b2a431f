/* The page of kernels.firefox.ts. */
import { compiled, computed } from "./kernels.ts";
import { runTests, tested } from "./page-reports.ts";

await runTests(async () => {
  for (const [name, compile] of Object.entries(compiled)) {
    await tested(name, async () => {
      const started = performance.now();
      const { kernels, refused } = await compile();
      if (refused.length > 0) throw new Error(`${refused.length} of ${kernels} kernels: ${refused.join("\n")}`);
      return { kernels, seconds: Math.round((performance.now() - started) / 1000) };
    });
  }
  for (const [name, compute] of Object.entries(computed)) await tested(name, compute);
});
