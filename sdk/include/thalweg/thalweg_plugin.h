/* thalweg_plugin.h: the whole boundary between Thalweg and an adapter plugin, version 1.0.
 *
 * C11 and C++11 and later; no include but the two below; 64-bit little-endian targets only. C++ authors include
 * cpp/adapter.h instead, which wraps this.
 *
 * A plugin is one library with one exported function, thalweg_plugin_open(). One process (thalweg-runner) opens it and
 * makes ONE instance: of one kind (source or sink), for one configuration, on one lane. An adapter that serves both
 * lanes therefore runs twice, so that a routine call that blocks never delays an urgent record.
 *
 * WORDS
 *   source   an adapter that submits records to the gate; it calls tw_host.submit().
 *   sink     an adapter that delivers records to another system; the host calls tw_plugin.deliver().
 *   host     the caller of the plugin: thalweg-runner, or the test kit.
 *
 * RULES THAT HOLD FOR EVERY DECLARATION
 *   Strings   UTF-8, pointer + length, never relied on to end in NUL; size 0 means absent (data may then be NULL).
 *   Ownership Everything passed in is borrowed until the call returns; copy what is needed longer. Nothing is
 *             allocated on one side and freed on the other.
 *   Errors    tw_status; details go to the caller's tw_error, which may be NULL. On failure out-parameters are as
 *             before, unless said otherwise.
 *   Units     are in the name: _ms, _bytes, _unix_ns (UTC).
 *   Threads   [any]      any thread, also at the same time.
 *             [instance] the host never enters two [instance] functions of one instance at the same time; the OS
 *                        thread may differ from call to call.
 *   States    create -> created -> configure -> configured -> start -> started -> stop -> stopped -> destroy.
 *             From stopped, start() is allowed again. A failed call leaves the state as it was. "started" begins when
 *             start() is entered and ends when stop() returns, so that threads begun in start() may call the host.
 *   Growth    A struct with struct_size only ever gains members at its end. Who allocates sets struct_size; a reader
 *             touches a member only if struct_size covers it. Such a struct is never a member of another one by value,
 *             and never the element of an array (arrays hold pointers). Structs without struct_size are frozen for
 *             the life of the ABI major. Unknown flags and codes are ignored, resp. read as TW_E_INTERNAL.
 *   Blame     The host logs breaches of this contract with the side that committed them; after a breach by the plugin
 *             the process is ended and started anew, and what was not answered is given again.
 */
#ifndef THALWEG_PLUGIN_H
#define THALWEG_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TW_ABI_MAJOR 1u /* a change here means: rebuild and re-review the plugin */
#define TW_ABI_MINOR 0u /* a change here means: members or codes were added      */

/* The minor that the including code is written against. A plugin defines it before the include, as low as it can; names
 * of later minors stay hidden and struct_size ends before them. So a rebuild against a newer header never claims more
 * than was written. */
#ifndef TW_ABI_TARGET_MINOR
#define TW_ABI_TARGET_MINOR 0u
#endif
#if TW_ABI_TARGET_MINOR > TW_ABI_MINOR
#error "TW_ABI_TARGET_MINOR is newer than this header"
#endif

#if defined(_WIN32)
#define TW_EXPORT __declspec(dllexport)
#else
#define TW_EXPORT __attribute__((visibility("default")))
#endif

/* ---- status codes: the general part of sdk/errors.json (a test compares them); numbers are never reused. Other codes
 * of that file may appear wherever a code is given, e.g. 105 for data that breaks the schema of its type. ---- */
typedef int32_t tw_status;
#define TW_OK 0
#define TW_E_INVALID 1     /* an argument breaks the contract: a bug in the caller         */
#define TW_E_STATE 2       /* the call is not allowed in this state: a bug in the caller   */
#define TW_E_UNSUPPORTED 3 /* an optional function or extension is absent                  */
#define TW_E_ABI 4         /* this ABI major is not spoken; the host tries an older one    */
#define TW_E_CONFIG 5      /* configuration rejected; tw_error says which key and why      */
#define TW_E_UNAVAILABLE 6 /* the far side is unreachable: the host retries                */
#define TW_E_TIMEOUT 7     /* the deadline passed: the host retries                        */
#define TW_E_BUSY 8        /* no room now: offer the same again later, in order            */
#define TW_E_DATA 9        /* the record itself is unacceptable: never retried             */
#define TW_E_DENIED 10     /* not authorised                                               */
#define TW_E_INTERNAL 11   /* anything else, also what a reader makes of unknown codes     */
#define TW_E_NOT_FOUND 12  /* there is no such thing                                       */
#define TW_E_CLOSED 13     /* the other end has gone or is stopping                        */

/* ---- frozen value types ---- */
typedef struct tw_str {
  const char* data;
  size_t size;
} tw_str;
typedef struct tw_bytes {
  const uint8_t* data;
  size_t size;
} tw_bytes;

/* Details of one failure. Owned by the caller, on its stack, with struct_size set; no release call. */
typedef struct tw_error {
  uint32_t struct_size;
  tw_status code;
  char message[512]; /* UTF-8, NUL-terminated, for people only: never parsed */
} tw_error;

/* ---- lanes: numbers as in the record's `lane` attribute ---- */
#define TW_LANE_ROUTINE 0
#define TW_LANE_URGENT 1

/* One record, in the words of CloudEvents.
 *
 *                  submit(): the source sets        deliver(): the sink reads
 *   struct_size    yes                              yes
 *   ticket         its own number for settled()     0
 *   type, time     required                         always there
 *   data           required: JSON, UTF-8            always there, the bytes as the origin signed them
 *   origin_key     required, see below              absent
 *   subject, exercise, correlation   where it has one    where there is one
 *   all other      leaves zero (ignored)            always there
 */
typedef struct tw_record {
  uint32_t struct_size;
  int32_t lane;         /* TW_LANE_...; all records of a batch have the instance's lane */
  uint64_t ticket;      /* chosen by the source, never read by the host; settled() gives it back */
  uint8_t id[16];       /* UUIDv7; stays the same over retries: a sink's key for de-duplication */
  int64_t time_unix_ns; /* `time` as a number */
  tw_str source;        /* "/party/<code>": the origin, authenticated */
  tw_str type;          /* "thalweg.section.observation.v1" ... */
  tw_str subject;       /* section, incident or case */
  tw_str time;          /* RFC 3339 with an offset: when the thing happened, not when it was sent; old times are fine */
  tw_str exercise;      /* the drill's id; absent means REAL. Never drop this on the way to people */
  tw_str correlation;   /* attribute correlationid: incident, case or drill */
  tw_str submitter;     /* instance or person that submitted it, as the origin's gate knows it */
  tw_str origin_key;    /* 1 to 256 bytes, unique within the instance: the same key gives the same record, however
                           often and after whatever crash it is submitted. Made from what the record IS (station,
                           time, number), never from when it was sent. Remembered for 30 days */
  tw_bytes data;        /* the attribute `data`: JSON by the schema of `type` */
  tw_bytes raw;         /* the whole record as signed, for archives and proofs */
  uint32_t attempt;     /* 1, 2, 3 ...: how often this instance has been given it */
  uint32_t flags;       /* TW_RECORD_... */
} tw_record;

#define TW_RECORD_REPLAY 1u /* a person asked for it again (dead letter retried, replay): same id, deliver it again */

/* ---- what became of a record ---- */
typedef int32_t tw_verdict;
#define TW_RETRY 0    /* not now. What the host pre-fills: an answer that was forgotten is a retry */
#define TW_ACCEPTED 1 /* held durably by the side that says so; the other side may forget it */
#define TW_REJECTED 2 /* will never be accepted as it is; kept as a dead letter with code and reason */

/* A sink's answer for one record. The host allocates it, pre-filled {TW_RETRY, TW_OK, ""}; the sink fills it. */
typedef struct tw_answer {
  uint32_t struct_size;
  tw_verdict verdict;
  tw_status code;    /* why, unless accepted; TW_OK there is read as TW_E_UNAVAILABLE (retry) or TW_E_DATA (rejected) */
  uint32_t reserved; /* 0 */
  char reason[256];  /* UTF-8, NUL-terminated, for people; "" for none */
} tw_answer;

/* What became of one submitted record. Borrowed until settled() returns. */
typedef struct tw_settled {
  uint32_t struct_size;
  tw_verdict verdict; /* ACCEPTED: synced to the gate's outbox, it will reach the hub. REJECTED: never as it is.
                         RETRY: not taken after all (the gate went away, disk full): submit it again, same key */
  uint64_t ticket;    /* the record's */
  tw_status code;     /* TW_OK if accepted; 110 if accepted because the same origin key was accepted before */
  uint32_t reserved;  /* 0 */
  uint8_t id[16];     /* the record's id if accepted, else zero */
  tw_str reason;      /* for people; names every fault with its JSON path */
} tw_settled;

/* A refusal that came after ACCEPTED, by the hub. Borrowed until later() returns. */
typedef struct tw_later {
  uint32_t struct_size;
  tw_status code;    /* 600 no agreement, 106 unknown section ... */
  uint8_t id[16];    /* as settled() gave it */
  tw_str origin_key; /* the submitter's; the ticket may be of an earlier process, so it is not given */
  tw_str reason;     /* for people */
} tw_later;

/* ---- what the host offers ---- */
typedef struct tw_host_ctx tw_host_ctx; /* opaque, the host's */

#define TW_LOG_DEBUG 1
#define TW_LOG_INFO 2
#define TW_LOG_WARNING 3
#define TW_LOG_ERROR 4

/* Lives from before create() until after destroy(); its members do not change. */
typedef struct tw_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* highest minor of this major that the host speaks */
  tw_host_ctx* ctx;   /* first argument of every function below */
  int32_t lane;       /* TW_LANE_...: the lane of this instance; a source's records go out on it */
  uint32_t reserved;  /* 0 */
  tw_str instance;    /* name of the instance in the gate's configuration */
  tw_str party;       /* code of the party for which the gate speaks */

  /* Writes one line to the gate's log, tagged with the instance. level: TW_LOG_... Never log secrets or contents.
   * Prefer to return an error over logging it. Longer than 4,096 bytes is cut. [any, from create() to destroy()]
   * Since 1.0. */
  void (*log)(tw_host_ctx* ctx, int32_t level, tw_str message);

  /* Submits records from a source, in order; takes as many as there is room for.
   *
   * TW_OK: all were taken. TW_E_BUSY: the first *taken were, there is no room for the rest: offer them again, in
   * order, after room() or at the next poll(). TW_E_CLOSED: the host is stopping, the rest will not be taken.
   * Any other status: contract broken at record *taken (that one and the rest were not taken).
   * Every taken record is answered by exactly one settled() while the instance is started, a record with bad content
   * too; that call may come BEFORE submit() returns if another thread calls, so keep the ticket first.
   * Acknowledge to the far side only after settled(TW_ACCEPTED). What was not answered when stop() returns must be
   * submitted again after a later start(): the same origin_key makes no second record.
   * count: 1 to 4,096; a record's data at most 1 MiB. `taken` is required. Copies what it takes; does not block.
   * [any & started] Since 1.0. */
  tw_status (*submit)(tw_host_ctx* ctx, const tw_record* const* records, uint32_t count, uint32_t* taken,
                      tw_error* error);

  /* 1 once stop() is waiting, the deadline of the running call has passed, or settlements wait to be handed in: return
   * from deliver() or poll() soon, leaving the rest at TW_RETRY resp. for the next call. Cheap. [any & started]
   * Since 1.0. */
  int32_t (*should_stop)(tw_host_ctx* ctx);

  /* Looks up a host extension such as "thalweg.state/1"; NULL if there is none (1.0 defines none). The result lives
   * as long as the instance. [any, from configure() to destroy()] Since 1.0. */
  const void* (*extension)(tw_host_ctx* ctx, tw_str id);
} tw_host;

/* ---- what the plugin offers ---- */
typedef struct tw_instance tw_instance; /* opaque, the plugin's */

#define TW_PLUGIN_EXERCISE_AWARE                                                       \
  1u /* sinks: tells an exercise from reality in all it writes, by tw_record.exercise. \
        Without this flag here AND in plugin.json no exercise record is ever given */

typedef struct tw_plugin {
  uint32_t struct_size; /* in: bytes the host allocated; out: bytes the plugin filled */
  uint32_t abi_minor;   /* out: TW_ABI_TARGET_MINOR of the plugin */
  uint32_t flags;       /* out: TW_PLUGIN_... */
  uint32_t reserved;    /* out: 0 */

  /* Makes an instance of `kind`, "source" or "sink"; no I/O, no host call but log().
   * On TW_OK *out is an instance, ended by destroy(). TW_E_UNSUPPORTED: not a kind of this plugin.
   * Required. [any, -> created] Since 1.0. */
  tw_status (*create)(const tw_host* host, tw_str kind, tw_instance** out, tw_error* error);

  /* Checks and takes the configuration: a JSON object, already valid by the schema in plugin.json. Reads files that
   * it names (mappings); connects to nothing and changes nothing outside. TW_E_CONFIG with the key in the message: the
   * instance is not started (`thalweg gate check` calls this too).
   * Required. [instance & created, -> configured] Since 1.0. */
  tw_status (*configure)(tw_instance* self, tw_str json, tw_error* error);

  /* Connects, listens, begins threads. TW_E_UNAVAILABLE, TW_E_TIMEOUT and TW_E_BUSY are retried with back-off on the
   * same instance, all else is final. On failure nothing is left running.
   * Required. [instance & configured or stopped, -> started] Since 1.0. */
  tw_status (*start)(tw_instance* self, tw_error* error);

  /* Delivers a batch to the far side: answers[i] answers records[i]. Records come in order. The first TW_RETRY ends the
   * batch: that record and all behind it are given again, whatever their answers say, so stop there. A status other
   * than TW_OK gives every answer left at TW_RETRY that code and message. May block up to deadline_ms; what is late is
   * retried. Idempotent by tw_record.id: after a crash between the far side's commit and the answer the same record
   * comes again.
   * Required for sinks, NULL otherwise. [instance & started] Since 1.0. */
  tw_status (*deliver)(tw_instance* self, const tw_record* const* records, uint32_t count, uint32_t deadline_ms,
                       tw_answer* const* answers, tw_error* error);

  /* Gives a source without threads time to look for new data and call submit(). Returns within budget_ms, or soon after
   * should_stop() says so; sets *next_ms to the time after which it wants to be called again (0: at once). Pre-filled
   * with 1,000. room() and settled() bring the next call forward (not within 0.2 s of a retry). A failure backs off.
   * Optional: NULL if the source has threads of its own, or for sinks. [instance & started] Since 1.0. */
  tw_status (*poll)(tw_instance* self, uint32_t budget_ms, uint32_t* next_ms, tw_error* error);

  /* Says what became of submitted records, in the order of submit(); see tw_settled. Must not block.
   * Required for sources, NULL otherwise. [instance & started] Since 1.0. */
  void (*settled)(tw_instance* self, const tw_settled* const* settled, uint32_t count);

  /* There is room again after submit() said TW_E_BUSY. Must not block; may call submit().
   * Optional for sources. [instance & started] Since 1.0. */
  void (*room)(tw_instance* self);

  /* Tells of refusals by the hub after ACCEPTED, so that a source can inform the far side. News, not a promise: it
   * comes to a running instance, and again if the process ends before it returned; the record of it is the dead letter.
   * Optional for sources: giving it is asking for it. [instance & started] Since 1.0. */
  void (*later)(tw_instance* self, const tw_later* const* refusals, uint32_t count);

  /* Ends all activity within grace_ms: when this returns no thread of the instance runs and no host function but log()
   * is called. Past grace_ms the process may be ended.
   * Required. [instance & started, -> stopped] Since 1.0. */
  void (*stop)(tw_instance* self, uint32_t grace_ms);

  /* Frees the instance. Required. [instance & not started, -> destroyed] Since 1.0. */
  void (*destroy)(tw_instance* self);

  /* Looks up a plugin extension; NULL if there is none. Optional. [any, from create() to destroy()] Since 1.0. */
  const void* (*extension)(tw_instance* self, tw_str id);
} tw_plugin;

/* The only symbol a plugin exports. The host calls it before anything else, newest major first.
 *
 * In: plugin->struct_size, the rest zero. On TW_OK at most that many bytes are filled and struct_size says how many.
 * TW_E_ABI: abi_major is not spoken; nothing was written; the host tries the next older one. host_minor says what the
 * host speaks. Required functions that are missing are refused by name. [any] Since 1.0. */
typedef tw_status (*tw_plugin_open_fn)(uint32_t abi_major, uint32_t host_minor, tw_plugin* plugin, tw_error* error);
TW_EXPORT tw_status thalweg_plugin_open(uint32_t abi_major, uint32_t host_minor, tw_plugin* plugin, tw_error* error);

#ifdef __cplusplus
}
#endif
#endif
