// Run in a separate process by adapter.mjs: requests an adapter from Dawn and prints the result as one line of JSON.

let create;
try {
  ({ create } = await import("webgpu"));
} catch (error) {
  print({ unloadable: error.message });
}

// Dawn crashes if this object is garbage collected while an adapter is in use, so it is kept for the whole process.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (adapter === null) print({ adapter: null });
const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
print({ adapter: { vendor, architecture, device, description, isFallbackAdapter } });

/** Prints a result and exits at once, because Node would wait as long as Dawn holds an adapter. */
function print(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exit(0);
}
