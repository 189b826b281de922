/* Sizes and offsets of version 1.0, pinned. A line that fails to compile means: plugins built against 1.0 would break.
 * New members may only be added behind the ones named here, with lines of their own. */
#include <stddef.h>

#include "thalweg/thalweg_plugin.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)

SIZE(tw_str, 16);
SIZE(tw_bytes, 16);
AT(tw_error, code, 4);
AT(tw_error, message, 8);
SIZE(tw_error, 520);
AT(tw_record, lane, 4);
AT(tw_record, ticket, 8);
AT(tw_record, id, 16);
AT(tw_record, time_unix_ns, 32);
AT(tw_record, source, 40);
AT(tw_record, type, 56);
AT(tw_record, subject, 72);
AT(tw_record, time, 88);
AT(tw_record, exercise, 104);
AT(tw_record, correlation, 120);
AT(tw_record, submitter, 136);
AT(tw_record, origin_key, 152);
AT(tw_record, data, 168);
AT(tw_record, raw, 184);
AT(tw_record, attempt, 200);
AT(tw_record, flags, 204);
SIZE(tw_record, 208);
AT(tw_answer, verdict, 4);
AT(tw_answer, code, 8);
AT(tw_answer, reason, 16);
SIZE(tw_answer, 272);
AT(tw_settled, verdict, 4);
AT(tw_settled, ticket, 8);
AT(tw_settled, code, 16);
AT(tw_settled, id, 24);
AT(tw_settled, reason, 40);
SIZE(tw_settled, 56);
AT(tw_later, code, 4);
AT(tw_later, id, 8);
AT(tw_later, origin_key, 24);
AT(tw_later, reason, 40);
SIZE(tw_later, 56);
AT(tw_host, abi_minor, 4);
AT(tw_host, ctx, 8);
AT(tw_host, lane, 16);
AT(tw_host, instance, 24);
AT(tw_host, party, 40);
AT(tw_host, log, 56);
AT(tw_host, submit, 64);
AT(tw_host, should_stop, 72);
AT(tw_host, extension, 80);
SIZE(tw_host, 88);
AT(tw_plugin, abi_minor, 4);
AT(tw_plugin, flags, 8);
AT(tw_plugin, create, 16);
AT(tw_plugin, configure, 24);
AT(tw_plugin, start, 32);
AT(tw_plugin, deliver, 40);
AT(tw_plugin, poll, 48);
AT(tw_plugin, settled, 56);
AT(tw_plugin, room, 64);
AT(tw_plugin, later, 72);
AT(tw_plugin, stop, 80);
AT(tw_plugin, destroy, 88);
AT(tw_plugin, extension, 96);
SIZE(tw_plugin, 104);
