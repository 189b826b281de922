#!/usr/bin/env bash
# follow.sh: does docs/operate.md work as it is written? See README.md.
# usage: follow.sh SOURCE BUILD CMAKE OPERATE_SERVICE    exit code 77: this machine has no namespaces, nothing was tried
set -euo pipefail

if [ -z "${OPERATE_INSIDE:-}" ]; then
  here=$(realpath "$1") build=$(realpath "$2") cmake=$(command -v "$3") service=$(realpath "$4")
  for folder in "$here" "$build" "$cmake"; do
    case $folder/ in
      /usr/local/* | /mnt/* | /media/* | /var/lib/* | /run/* | /tmp/*) echo "skipped: the test covers the folder of $folder on its machines"; exit 77 ;;
    esac
  done
  for tool in unshare nsenter setpriv script ip; do
    command -v "$tool" >/dev/null || { echo "skipped: there is no '$tool'"; exit 77; }
  done
  flags=(--net --mount --pid --fork --mount-proc --kill-child)
  # An ordinary user is root of a namespace of one id.
  if [ "$(id -u)" != 0 ]; then
    flags+=(--map-root-user)
    export OPERATE_ONE_ID=0
  fi
  # shellcheck disable=SC2016
  if ! why=$(unshare "${flags[@]}" sh -c 'ip link add t0 type bridge && mount -t tmpfs tmpfs /mnt' 2>&1); then
    echo "skipped: this kernel or these rights do not give namespaces: $why"
    exit 77
  fi
  OPERATE_INSIDE=1 exec unshare "${flags[@]}" bash "$here/tests/operate/follow.sh" "$here" "$build" "$cmake" "$service"
fi

page=$1/docs/operate.md
# shellcheck source=tests/operate/machines.sh
. "$1/tests/operate/machines.sh"
# blocks SECTION: its blocks that have commands, into the array `block`.
blocks() {
  local line inside= text=
  block=()
  while IFS= read -r line; do
    case $inside$line in
      '```'*) inside=yes text= ;;
      'yes```') inside=; if grep -qE '^[^ $]+\$ ' <<<"$text"; then block+=("$text"); fi ;;
      yes*) text+=$line$'\n' ;;
    esac
  done < <(sed -n "/^## $1\. /,/^## /p" "$page")
  [ ${#block[@]} -gt 0 ] || fail "section $1 of docs/operate.md has no commands"
}

# lines BLOCK: its commands, each ended by a zero byte: "MACHINE<tab>COMMAND". A line without a prompt goes on with the one before.
lines() {
  local line command=
  while IFS= read -r line; do
    if [[ $line =~ ^([^ $]+)\$\ (.*)$ ]]; then
      [ -z "$command" ] || printf '%s\0' "$command"
      command=${BASH_REMATCH[1]}$'\t'${BASH_REMATCH[2]}
    else
      command+=$'\n'$line
    fi
  done <<<"${1%$'\n'}"
  printf '%s\0' "$command"
}

# Of the documented commands some are looks at what came of the others: what they have to show.
what_it_shows() {
  case $1 in
    *"thalweg-gate status"*) echo '500153|510521' ;;
    *'thalweg-gate --check'*) echo 'are good' ;;
    *' tail '*) echo "$record" ;;
    *' show '*) echo '510521.*(0830|not signed for|未签收)' ;;
    *hub' why '*) echo 'rongchang-luxian' ;;
    *' why '*) echo 'rongchang-luxian' ;;
    *' records --type observation') echo '2026-09-23 06:00' ;;
    *"-name '*.csv'"*) echo 'observation.*\.csv' ;;
    *' verify '*) echo 'whole and true|完好' ;;
    *) echo . ;;
  esac
}

# follow BLOCK GATE...: types it. Where it is about a gate, for each of them in turn, who types their own code.
follow() {
  local text=$1 gate command commands name
  shift
  mapfile -d '' commands < <(lines "$text")
  for gate; do
    for command in "${commands[@]}"; do
      name=${command%%$'\t'*}
      command=${command#*$'\t'}
      [ "$name" != gate ] || name=$gate
      [ "$gate" != 荣昌 ] || command=${command//510521/500153}
      do_line "$name" "$command" "$gate"
      local pattern
      pattern=$(what_it_shows "$command")
      [ "$pattern" = . ] || grep -qE -- "$pattern" <<<"$screen" || until_shown "$name" "${command//RECORD/$record}" "$pattern"
    done
    grep -qE '^gate\$|510521' <<<"$text" || break
  done
}

# documented SECTION WORDS: the one command of that section with these words.
documented() {
  local text command
  blocks "$1"
  for text in "${block[@]}"; do
    while IFS= read -r -d '' command; do
      if [[ $command == *"$2"* ]]; then
        printf '%s' "${command#*$'\t'}"
        return
      fi
    done < <(lines "$text")
  done
  fail "section $1 has no command with '$2'"
}

at_hub="sudo -u thalweg-hub thalweg --dir /var/lib/thalweg-hub"
at_gate="sudo -u thalweg-gate thalweg --dir /var/lib/thalweg-gate"
tables=/var/lib/thalweg-gate/tables

world "$@"
machine hub 10.7.0.1 C.UTF-8
machine 荣昌 10.7.0.2 zh_CN.UTF-8
machine 泸县 10.7.0.3 en_GB.UTF-8

echo "== 1. install"
blocks 1
for one in "${block[@]}"; do follow "$one" hub; done

echo "== 2. from nothing to two districts"
blocks 2
for one in "${block[@]}"; do follow "$one" 荣昌 泸县; done
until_shown 荣昌 "$at_gate status" '已连接'
until_shown 泸县 "$at_gate status" 'urgent .* open '
until_shown 泸县 "$at_gate --json records --type observation --limit 100" '.'
[ "$(grep -o '"subject":"laixi-gaodong"' <<<"$screen" | wc -l)" = 9 ] || fail "nine moments were sent: $screen"
# A word typed wrong must not be taken for the right digits.
if type_at 泸县 "$at_gate gate trust /media/stick/hub.card" "12345 12345"; then fail "wrong digits were believed"; fi

publish() { do_line 荣昌 "$(documented 2 ' publish ')" 荣昌; }

echo "== 4. backup and restore"
blocks 4
[ ${#block[@]} = 4 ] || fail "section 4: backup and restore of the hub, then of a gate"
restores=("${block[@]}")
follow "${restores[0]}" 荣昌
publish
until_shown 泸县 "$at_gate records" "$record"
kept=$record
follow "${restores[1]}" 荣昌
until_shown hub "$at_hub show $kept" '510521'
follow "${restores[2]}" 荣昌
publish
until_shown hub "$at_hub show $record" '510521'
follow "${restores[3]}" 荣昌
publish
until_shown 泸县 "$at_gate records" "$record"
until_shown hub "$at_hub show $record" '510521'

echo "== 5. a gate's machine is broken"
# One that lies in the inbox and that no adapter could take, and one that comes while there is no machine.
inside 泸县 sh -c "rm -rf $tables && touch $tables"
publish
untaken=$record
until_shown 泸县 "$at_gate records" "$untaken"
lose_machine 泸县 3
publish
missed=$record
machine 泸县 10.7.0.3 en_GB.UTF-8
blocks 2
adapters=("${block[@]}")
blocks 5
again=("${block[@]}")
follow "${again[0]}" 泸县
for one in "${adapters[@]}"; do
  if [[ $one == 泸县* && $one == *gate.toml* ]]; then follow "$one" 泸县; fi
done
for one in "${again[@]:1}"; do follow "$one" 泸县; done
for id in "$untaken" "$missed"; do
  until_shown 泸县 "sudo sh -c 'cat \$(find $tables -name \"*.csv\")'" "$id"
done
do_line hub "$(documented 4 ' verify ')" hub
grep -qE 'whole and true' <<<"$screen" || fail "the ledger is not whole: $screen"
echo "followed in $SECONDS s"
