import { acquireGuardedBackend } from "../gpu.ts";
import { parityTests } from "./parity-suite.ts";

// Without an adapter every test here fails, because acquireBackend throws. Results are poisoned before each run, and
// the words after them are guarded.
parityTests(() => acquireGuardedBackend());
