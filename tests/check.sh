#!/usr/bin/env bash
# check.sh: what must hold beside the tests: layout, static checks, architecture, sanitizers, durability.
# usage: tests/check.sh [STEP...]    without a STEP: all of them; every step runs, whatever the others found
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

steps=(format static arch asan tsan durability chaos speed)

# Bytes from outside are read here first; all modules would take longer than all other checks together.
tidy_modules=(base model trust region routing ledger link intake delivery)

# Also in a checkout of another user, as containers have it.
git() { command git -c safe.directory="$PWD" "$@"; }

sources() { git ls-files -co --exclude-standard '*.h' '*.cc' '*.c'; }

build() {
  local preset=$1
  shift
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" "$@"
}

# Every source is laid out as .clang-format says (./run format does it).
step_format() { sources | xargs clang-format --dry-run -Werror; }

# Shell scripts parse; the sources of tidy_modules pass .clang-tidy. Warnings of the compiler are the build's (-w).
step_static() {
  local script
  git ls-files -co --exclude-standard | while read -r script; do
    if [ -f "$script" ] && head -c 64 "$script" | head -n 1 | grep -qaE '^#!.*\b(ba)?sh\b'; then bash -n "$script"; fi
  done
  cmake --preset asan >/dev/null # for the compile commands
  git ls-files "${tidy_modules[@]/#/hub/}" | grep -E '^hub/[a-z]+/[a-z_0-9]+\.cc$' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/asan --quiet --extra-arg=-w 2>&1 | { grep -vE '^[0-9]+ warnings? generated' || true; }
}

# The rules of docs and READMEs about the tree itself.
step_arch() {
  build asan --target test_arch
  ctest --preset asan -R '^(test_arch|arch)'
}

# All tests under AddressSanitizer and UndefinedBehaviorSanitizer.
step_asan() {
  build asan
  ctest --preset asan
}

# All tests under ThreadSanitizer.
step_tsan() {
  build tsan
  ctest --preset tsan
}

# Every process is killed at random moments while 20,000 records flow each way; then hub and a gate are away for a
# minute each, ended or hung; then a receiver comes back that missed 100,000 records; then the hub is
# attacked in eleven ways while honest parties go on, and disks fail under hub and gates (docs/reliability.md).
step_durability() {
  local storm=build/release/bin/thalweg-storm away trial trials=() failed=0
  build release
  if [ ! -x "$storm" ]; then
    echo "$storm is not there" >&2
    return 1
  fi
  "$storm" --kills 50 --records 20000
  # All at once, since they mostly wait: one minute instead of four.
  for away in hub "hub --hung" gate "gate --hung"; do
    # shellcheck disable=SC2086 # two words
    "$storm" --outage $away --seconds 60 &
    trials+=($!)
  done
  for trial in "${trials[@]}"; do wait "$trial" || failed=1; done
  [ "$failed" = 0 ]
  "$storm" --catch-up 100000
  build/release/bin/thalweg-hostile --short
  build/release/bin/thalweg-disks --short
}

# Lines, programs, clocks and disks are broken by a plan for 45 s, the same every time, then a soak of a minute
# (docs/reliability.md). Other plans: ./run chaos.
step_chaos() {
  build release --target thalweg-chaos
  build/release/bin/thalweg-chaos --seconds 45 --seed 11
  build/release/bin/thalweg-chaos --soak 0.7 --rate 100
}

# Every measurement of the bench once, short: that it works, not how fast it is (docs/benchmarks.md).
step_speed() {
  local bench=build/release/bin/thalweg-bench
  build release
  "$bench" --quick
  "$bench" --only behind --quick
  "$bench" --only growth --quick
  "$bench" --only restart --records-stored 20000 --runs 1
}

if [ "${1:-}" = --in-step ]; then
  "step_${2:?}"
  exit
fi

[ $# -gt 0 ] || set -- "${steps[@]}"
failed=()
summary=
logs=build/check
mkdir -p "$logs"
for step; do
  if [[ " ${steps[*]} " != *" $step "* ]]; then
    echo "check: no step '$step'; there are: ${steps[*]}" >&2
    exit 64
  fi
done
for step; do
  printf '\n== check: %s\n' "$step"
  began=$SECONDS
  # A process of its own, so that `set -e` holds inside it.
  # With a limit, against what hangs.
  if timeout 6000 bash tests/check.sh --in-step "$step" 2>&1 | tee "$logs/$step.log"; then
    word=ok
  else
    word=FAILED
    failed+=("$step")
  fi
  line=$(printf '%-12s %-6s %5d s' "$step" "$word" "$((SECONDS - began))")
  printf '== check: %s\n' "$line"
  summary+="$line"$'\n'
done
# What failed stands at the end once more: logs are long, and often only their ends are kept.
for step in ${failed[@]+"${failed[@]}"}; do
  printf '\n== failed: %s (all of it: %s)\n' "$step" "$logs/$step.log"
  grep -aE 'error|FAILED|Failed|\*\*\*|failed' "$logs/$step.log" | tail -n 25 || tail -n 25 "$logs/$step.log"
done
printf '\n%stogether     %-6s %5d s\n' "$summary" "" "$SECONDS"
[ ${#failed[@]} -eq 0 ]
