#!/usr/bin/env bash
# fuzz.sh: feeds every decoder of outside bytes with what libFuzzer makes of the kept inputs (needs clang-14 libclang-rt-14-dev).
# usage: tests/fuzz/fuzz.sh [SECONDS] [TARGET...]    600 seconds each by default; a finding is left beside the inputs
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(record parcel documents link local entries state segment region packet table)
CC=clang-14 CXX=clang++-14 cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"
status=0
for target in "${targets[@]}"; do
  found=build/fuzz/found/$target
  mkdir -p "$found"
  printf '\n== fuzz: %s, %s s\n' "$target" "$seconds"
  build/fuzz/bin/fuzz_"$target" -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$found/crash-" "$found" tests/fuzz/inputs/"$target" 2>&1 | tail -n 12 || status=1
done
exit $status
