import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { parityTests } from "./parity-suite.ts";

// The fallback where there is no GPU; and a proof, without one, that the cases and their bounds are right.
parityTests(async () => createCpuBackend({ precision: "float32" }));
