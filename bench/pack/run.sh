#!/bin/sh
# Runs wgrad's benchmarks on this machine. The archive contains everything but a graphics driver; no network, npm or Node
# is needed. Results are written to $OUT, or ./out. The options are those of bench/pack/run.mjs: ./run.sh --help
folder=$(cd "$(dirname "$0")" && pwd) || exit 1
node=$folder/bin/node
if ! "$node" --version >/dev/null 2>&1; then
  # Besides glibc, Node needs only the C++ runtime; if the machine has none, the archive's is used.
  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder/lib/libstdc++.so.6:$folder/lib/libgcc_s.so.1
  export LD_LIBRARY_PATH
  if ! output=$("$node" --version 2>&1); then
    echo "The archive's Node does not run on this machine ($(uname -sm)):" >&2
    echo "$output" >&2
    echo "It needs Linux on x86-64, with glibc 2.34 or newer." >&2
    exit 1
  fi
fi
exec "$node" "$folder/bench/pack/run.mjs" "$@"
