# machines.sh: machines made of namespaces, and typing at them. Sourced by follow.sh, which runs inside its own namespaces.
# shellcheck shell=bash

declare -A holder  # machine: the process that keeps its namespaces
declare -A digits  # machine: the fingerprint that its screen showed when it was set up
declare -A speaks  # machine: LANG of its operator
record=            # id of the record published last
screen=            # what the line typed last printed
work=/mnt          # a tmpfs that all machines see
path=/usr/local/libexec/operate:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# world SOURCE BUILD CMAKE SERVICE: what all machines share: the bridge, the programs, the users, the stick.
world() {
  mount -t tmpfs tmpfs "$work"
  mkdir -p "$work/tree/build" "$work/etc" "$work/safe"
  ln -s "$2" "$work/tree/build/release"
  mount -t tmpfs tmpfs /usr/local
  mkdir -p /usr/local/libexec/operate
  cp "$1"/tests/operate/stand-ins/* "$4" /usr/local/libexec/operate/
  path=$path:$(dirname "$3")
  local file
  for file in passwd group; do
    cp "/etc/$file" "$work/etc/$file"
    mount --bind "$work/etc/$file" "/etc/$file"
  done
  mount -t tmpfs tmpfs /media
  mkdir /media/stick /media/safe
  chmod 755 "$work" /media /media/stick /usr/local
  ip link set lo up
  ip link add river type bridge
  ip link set river up
}

# machine NAME ADDRESS LANG: a new one, with nothing on its disk; what lies in its safe is there again.
machine() {
  local name=$1 address=$2 ready="$work/ready" wire=v${2##*.} pipe
  mkdir -p "$work/safe/$name"
  rm -f "$ready" "$work/folder.$name"
  mkfifo "$ready"
  # shellcheck disable=SC2016
  unshare --net --mount bash -c '
    mount --bind "$1" /media/safe
    for folder in /var/lib /run /tmp; do mount -t tmpfs tmpfs "$folder"; done
    chmod 1777 /tmp
    ip link set lo up
    echo ready >"$2"
    exec sleep infinity' machine "$work/safe/$name" "$ready" &
  holder[$name]=$!
  disown # its end is no news
  speaks[$name]=$3
  # Opened both ways: a machine that ends before it is ready must not leave us waiting for somebody who writes.
  exec {pipe}<>"$ready"
  read -r -t 60 -u "$pipe" || { echo "the machine $name did not begin" >&2; return 1; }
  exec {pipe}>&-
  ip link add "$wire" type veth peer name eth0 netns "${holder[$name]}"
  ip link set "$wire" master river up
  inside "$name" ip address add "$address/24" dev eth0
  inside "$name" ip link set eth0 up
}

# inside MACHINE COMMAND...
inside() { nsenter -t "${holder[$1]}" --net --mount "${@:2}"; }

# The power goes off: nothing on this machine says goodbye, and its disk is never seen again.
lose_machine() {
  local pid
  for pid in $(inside "$1" sh -c 'cat /run/*.pid'); do kill -KILL "$pid"; done
  ip link delete "v$2"
  kill -KILL "${holder[$1]}"
}

# type MACHINE LINE [ANSWER]: as a person types it, at a terminal that stays in the folder where the last line left it.
# Its output is in $screen. The exit code is the line's.
type_at() {
  local name=$1 line=$2 answer=${3:-} code=0 into=()
  [ "$name" = all ] || into=(nsenter -t "${holder[$name]}" --net --mount)
  {
    printf 'cd "%s"\n' "$(cat "$work/folder.$name" 2>/dev/null || echo "$work/tree")"
    printf '%s\n' "$line"
    printf 'code=$?\npwd >"%s"\nexit $code\n' "$work/folder.$name"
  } >"$work/line"
  # What is typed comes from a pipe that does not end: a terminal has no end either.
  rm -f "$work/keys"
  mkfifo "$work/keys"
  exec 7<>"$work/keys"
  [ -z "$answer" ] || printf '%s\n' "$answer" >&7
  screen=$("${into[@]}" env -i PATH="$path" LANG="${speaks[$name]:-C.UTF-8}" LC_CTYPE=C.UTF-8 HOME=/tmp TERM=dumb NO_COLOR=1 \
    ${OPERATE_ONE_ID:+OPERATE_ONE_ID=0} ${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} \
    timeout --foreground 100 script -qec "bash $work/line" /dev/null <&7 7>&-) || code=$?
  exec 7>&-
  if [ -n "${quiet:-}" ]; then return $code; fi
  printf '%4d s  %s$ %s\n' "$SECONDS" "$name" "${line%%$'\n'*}"
  if [ -n "${OPERATE_SHOW:-}" ] || [ $code != 0 ]; then printf '%s\n' "$screen" | sed 's/^/          /'; fi
  return $code
}

# do_line MACHINE LINE GATE: a documented line, with the digits that are read out to who types it. GATE: whom it is about.
do_line() {
  local name=$1 line=${2//RECORD/$record} answer=
  case $line in
    *'gate trust'*) answer=${digits[hub]} ;;
    *'party add'*) answer=${digits[$3]} ;;
  esac
  type_at "$name" "$line" "$answer" || fail "$name\$ $line"
  case $line in
    *'thalweg init'*) digits[$name]=$(grep -oE '([0-9]{5} ){3,}[0-9]{5}' <<<"$screen" | tail -n 1) ;;
    *' publish '*) record=$(grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' <<<"$screen" | tail -n 1) ;;
  esac
}

# until_shown MACHINE LINE PATTERN: looks again, as a person would, until the screen shows it.
until_shown() {
  local end=$((SECONDS + 60)) quiet=
  until type_at "$1" "$2" && grep -qE -- "$3" <<<"$screen"; do
    [ $SECONDS -lt $end ] || fail "$1\$ $2
  does not show: $3
$screen"
    quiet=yes
  done
}
