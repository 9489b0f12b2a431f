import { createRequire } from "node:module";
import { cpus } from "node:os";
import { Option, type Command } from "commander";
import type { BenchmarkReport } from "../../bench/report.ts";
import { WgradError } from "../../errors.ts";
import { dawnGpu, fileTuningStore, nodeWasm, readFileOrRefuse, writeFileAtomically } from "../../node/index.ts";
import { DeclaredOption } from "../options/declared-option.ts";
import { nameOption } from "../options/options.ts";
import { optionPaths, requireSeparatePaths } from "../options/paths.ts";
import { requireWritable } from "../options/writable.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";

interface BenchFlags {
  readonly device: (typeof benchDevices)[number];
  readonly filter: string;
  readonly json?: string;
  readonly compare?: string;
  readonly growth: boolean;
  readonly quick: boolean;
}

const benchDevices = ["webgpu", "wasm"] as const;

/** `wgrad bench`. */
export function benchCommand(command: Command): Command {
  return command
    .description(
      "Times the kernels of a training step and the whole step on this machine's adapter or CPU. Each result is compared with " +
        "the CPU's first; what is wrong is not timed, and the exit code is 1.",
    )
    .addOption(nameOption("--device", "what computes", benchDevices, "webgpu"))
    .addOption(
      new DeclaredOption(
        "--filter <text>",
        'measure only what has this in its name, such as "matmul" or "batch 64"',
      ).default("", "everything"),
    )
    .addOption(
      new Option("--growth", "also how a step's cost grows with batch, width and depth, a few minutes more").default(
        false,
      ),
    )
    .addOption(new Option("--quick", "fewer and shorter measurements, and no slow products").default(false))
    .addOption(
      new DeclaredOption("--json <file>", "write all that was found, such as BENCH.json").withFacts({ file: "output" }),
    )
    .addOption(
      new DeclaredOption(
        "--compare <file>",
        "mark what got slower or faster than in an earlier --json, beyond the spread of both",
      ).withFacts({ file: "input" }),
    )
    .addHelpText("after", "\nExample:\n  wgrad bench --json new.json --compare old.json")
    .action((flags: BenchFlags) => bench(flags, command));
}

async function bench(flags: BenchFlags, command: Command): Promise<void> {
  requireSeparatePaths(optionPaths(command.options, flags));
  // Loaded here, so that no other command waits for it.
  const { comparison, readReport, ReportLines, runBenchmark } = await import("../../bench/index.ts");
  const before = flags.compare === undefined ? undefined : readReport(await textOf(flags.compare), flags.compare);
  if (flags.json !== undefined) await requireWritable(flags.json, "the report", "--json");
  const lines = new ReportLines();
  const isWasm = flags.device === "wasm";
  const report = await runBenchmark({
    source: isWasm ? nodeWasm() : await dawnGpu({ flags: ["disable-dawn-features=timestamp_quantization"] }),
    runtime: `Node ${process.version}${isWasm ? "" : `, Dawn${dawnVersion()}`}`,
    system: `${process.platform} ${process.arch}, ${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${counted(cpus().length, "core")}`,
    tuning: fileTuningStore(),
    filter: flags.filter,
    growth: flags.growth,
    quick: flags.quick,
    emit: (event) => print(lines.of(event)),
  });
  if (before) print(["", ...comparison(flags.compare!, before, report)]);
  if (flags.json !== undefined) {
    await writeFileAtomically(flags.json, new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
    say(["", ...field("report", flags.json)]);
  }
  refuseWrong(report);
}

/** The version of the package that Dawn comes in, where it lies beside its package.json. */
function dawnVersion(): string {
  try {
    const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
    return ` (webgpu ${version})`;
  } catch {
    return "";
  }
}

/** @throws WgradError where a result was wrong */
function refuseWrong({ wrong }: BenchmarkReport): void {
  if (wrong.length === 0) return;
  throw new WgradError({
    where: "bench",
    what: `${wrong.length === 1 ? "one result was" : `${wrong.length} results were`} wrong and not timed: ${wrong.map(({ name }) => name).join("; ")}`,
    fix: "Run wgrad's tests on this adapter, and please report what they say",
  });
}

const textOf = async (path: string) => new TextDecoder().decode(await readFileOrRefuse(path));
