#!/bin/sh
# Runs wgrad's benchmarks on this machine with what this archive holds: no network, npm or Node is needed, only a
# graphics driver. Results go to $OUT, else to ./out. The options are those of bench/pack/run.mjs: ./run.sh --help
folder=$(cd "$(dirname "$0")" && pwd) || exit 1
node=$folder/bin/node
if ! "$node" --version >/dev/null 2>&1; then
  # The C++ runtime is all that Node needs beside glibc; where the machine has none, the archive's is taken.
  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder/lib/libstdc++.so.6:$folder/lib/libgcc_s.so.1
  export LD_LIBRARY_PATH
  if ! said=$("$node" --version 2>&1); then
    echo "The archive's Node does not run on this machine ($(uname -sm)):" >&2
    echo "$said" >&2
    echo "It needs Linux on x86-64, with glibc 2.34 or newer." >&2
    exit 1
  fi
fi
exec "$node" "$folder/bench/pack/run.mjs" "$@"
