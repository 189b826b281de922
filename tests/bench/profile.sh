#!/bin/sh
# profile.sh: where the CPU time of records from gate to gate goes, in percent (docs/benchmarks.md).
# Usage: tests/bench/profile.sh [FOLDER OF thalweg-bench] [RECORDS]. Needs perf.
set -eu
bench=${1:-build/release/bin}/thalweg-bench
records=${2:-400000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

perf record -q -e cpu-clock -F 1500 --call-graph dwarf,8192 -o "$folder/perf" "$bench" --only throughput --records "$records"
# A sample counts for the innermost of its functions that a rule knows; of the kernel's for what it was asked to do.
perf script -i "$folder/perf" --no-inline -F comm,ip,sym,dso 2>"$folder/errors" | awk '
  function rule(group, pattern) { groups[++rules] = group; patterns[rules] = pattern }
  BEGIN {
    rule("check against the schema", "RecordChecker::|RecordShape|SchemaWalker")
    rule("SHA-256 and Merkle tree", "leaf_hash|RootBuilder|trust::node_hash|trust::merkle")
    rule("ids of records, keys of sources", "record_id_for|OriginKeys::|HashOfKey")
    rule("compress", "pack_body|LZ4_compress")
    rule("expand", "ParcelBody::expand|LZ4_decompress")
    rule("sign and verify", "SigningKey|Verifier|crypto_sign")
    rule("encrypt and decrypt (CURVE)", "crypto_box|crypto_secretbox|zmq::curve")
    rule("checksums of logs", "crc32c")
    rule("gate: reading frames of submitters", "LocalSubmit|LocalConnection|LocalPeer")
    rule("gate: building records", "append_record|RecordMaker::")
    rule("gate: looking for receipts", "Inbox::is_receipt")
    rule("gate: outbox", "gate::Outbox")
    rule("gate: inbox", "gate::Inbox|Delivered::|gate::GateTrust|trust::check_parcel")
    rule("hub: routing and verdicts", "intake::|routing::|HubLane::on_parcel")
    rule("hub: ledger and its index", "ledger::|HubLane::on_block|HubStore")
    rule("hub: delivery", "delivery::|HubLane::")
    rule("links: chunks and messages", "thalweg::link::|zmq::|zmq_")
    rule("the load", "thalweg::bench::|__libc_start_main|throughput")
    rule("gate: all else", "thalweg::gate::")
  }
  function count() {
    if (!frames) return
    ++all
    group = ""
    if (kernel) {
      group = chain ~ /fdatasync|fsync|pwrite|ext4|io_uring|blk_/ ? "kernel: writing and syncing logs" \
            : chain ~ /sock|tcp|unix_|sendmsg|recvmsg|sys_read|sys_write/ ? "kernel: sockets" \
            : chain ~ /page_fault|madvise|mmap|munmap|brk/ ? "kernel: memory" : "kernel: turns between threads, and the rest"
    } else {
      for (i = 1; i <= frames && group == ""; ++i)
        for (r = 1; r <= rules; ++r) if (frame[i] ~ patterns[r]) { group = groups[r]; break }
    }
    ++sum[group == "" ? "all else" : group]
  }
  /^$/ { count(); frames = 0; kernel = 0; chain = ""; next }
  /^[^ \t]/ { frames = 0; next }
  { frame[++frames] = $0; chain = chain $0; if (frames == 1 && /kernel|\[k\]/) kernel = 1 }
  END { count(); for (g in sum) printf "%5.1f  %s\n", 100 * sum[g] / all, g }' | sort -rn
