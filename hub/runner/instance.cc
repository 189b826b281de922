// instance.cc: see instance.h.
#include "runner/instance.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "thalweg/cpp/record.h"

namespace thalweg::runner {
namespace {

constexpr std::int64_t kMsNs = 1'000'000;
constexpr std::uint32_t kPollBudget_ms = 1000;
constexpr std::int64_t kPatience_ms = 30'000;  // beyond a call's budget; then the process is ended
constexpr std::int64_t kStartPatience_ms = 120'000;
constexpr std::int64_t kDeliverPatience_ms = 10'000;
constexpr std::size_t kMostLog = 4096;
constexpr std::size_t kMostKey = 256;

tw_status fill(tw_error* out, tw_status code, std::string_view message) {
  if (out == nullptr) return code;
  out->code = code;
  const std::size_t size = std::min(message.size(), sizeof out->message - 1);
  std::memcpy(out->message, message.data(), size);
  out->message[size] = '\0';
  return code;
}

}  // namespace

Instance::Instance(Assignment assignment, Library library, GateClient& gate, const Clock& clock)
    : assignment_(std::move(assignment)), library_(std::move(library)), gate_(gate), clock_(clock) {
  host_.struct_size = sizeof host_;
  host_.abi_minor = TW_ABI_MINOR;
  host_.ctx = reinterpret_cast<tw_host_ctx*>(this);
  host_.lane = static_cast<std::int32_t>(assignment_.lane);
  host_.instance = to_tw(assignment_.instance);
  host_.party = to_tw(assignment_.party);
  host_.log = [](tw_host_ctx* ctx, std::int32_t level, tw_str message) { of(ctx).log(level, view(message)); };
  host_.submit = [](tw_host_ctx* ctx, const tw_record* const* records, std::uint32_t count, std::uint32_t* taken,
                    tw_error* error) { return of(ctx).submit(records, count, taken, error); };
  host_.should_stop = [](tw_host_ctx* ctx) -> std::int32_t { return of(ctx).should_stop() ? 1 : 0; };
  host_.extension = [](tw_host_ctx*, tw_str) -> const void* { return nullptr; };
}

Instance::~Instance() {
  if (self_ == nullptr) return;
  tw_error error = fresh_error();
  call("destroy", 0, kPatience_ms, error, [&] {
    plugin().destroy(self_);
    return TW_OK;
  });
}

template <class Body>
tw_status Instance::call(const char* name, std::int64_t budget_ms, std::int64_t patience_ms, tw_error& error,
                         Body&& body) {
  const std::int64_t now = clock_.steady_ns();
  deadline_steady_ns_ = budget_ms > 0 ? now + budget_ms * kMsNs : 0;
  give_up_steady_ns_ = now + (budget_ms + patience_ms) * kMsNs;
  running_ = name;
  tw_status status = TW_E_INTERNAL;
  std::string thrown;
  try {
    status = body();
  } catch (const std::exception& e) {
    thrown = e.what();
    if (thrown.empty()) thrown = "an exception";
  } catch (...) {
    thrown = "an exception of unknown type";
  }
  running_ = nullptr;
  deadline_steady_ns_ = 0;
  if (!thrown.empty()) {
    // Nothing may be thrown across the boundary: the plugin's fault, and its state is anybody's guess.
    log(TW_LOG_ERROR, "contract broken by the plugin: " + std::string(name) + "() threw: " + thrown);
    fill(&error, TW_E_INTERNAL, std::string(name) + "() threw: " + thrown);
    status = TW_E_INTERNAL;
  }
  return status;
}

Instance::Call Instance::running() const { return {running_.load(), give_up_steady_ns_.load()}; }

Status Instance::create() {
  tw_error error = fresh_error();
  const tw_status status = call("create", 0, kPatience_ms, error,
                                [&] { return plugin().create(&host_, to_tw(assignment_.kind), &self_, &error); });
  if (status != TW_OK) return to_error(status, error).in("create");
  if (self_ == nullptr) return Error{Code::kPluginContract, "create: said OK and gave no instance"};
  return {};
}

Status Instance::configure() {
  tw_error error = fresh_error();
  const tw_status status = call("configure", 0, kPatience_ms, error,
                                [&] { return plugin().configure(self_, to_tw(assignment_.config_json), &error); });
  return status == TW_OK ? Status() : Status(to_error(status, error));
}

Status Instance::start() {
  tw_error error = fresh_error();
  started_ = true;  // before the call: threads that it begins may submit at once
  const tw_status status = call("start", 0, kStartPatience_ms, error, [&] { return plugin().start(self_, &error); });
  if (status == TW_OK) return {};
  started_ = false;
  return to_error(status, error);
}

void Instance::stop(std::uint32_t grace_ms) {
  stopping_ = true;
  if (!started_) return;
  tw_error error = fresh_error();
  call("stop", grace_ms, 2000, error, [&] {
    plugin().stop(self_, grace_ms);
    return TW_OK;
  });
  started_ = false;
}

void Instance::log(int level, std::string_view text) {
  link::LocalLog line;
  line.level = static_cast<std::uint8_t>(std::clamp(level, TW_LOG_DEBUG, TW_LOG_ERROR));
  line.text = text.substr(0, kMostLog);
  if (!gate_.has_room()) return;
  Bytes frame;
  line.encode(frame);
  gate_.send(std::move(frame));
}

bool Instance::should_stop() const {
  if (stopping_ || gate_.stop_asked()) return true;
  const std::int64_t deadline = deadline_steady_ns_;
  if (deadline != 0 && clock_.steady_ns() >= deadline) return true;
  return gate_.waits(link::LocalType::kSettled);
}

// ---- source ----

tw_status Instance::submit(const tw_record* const* records, std::uint32_t count, std::uint32_t* taken,
                           tw_error* error) {
  if (taken == nullptr) return fill(error, TW_E_INVALID, "taken is required");
  *taken = 0;
  if (records == nullptr || count == 0 || count > link::kMaxLocalItems) {
    return fill(error, TW_E_INVALID, "count must be 1 to 4,096");
  }
  if (!started_) return fill(error, TW_E_STATE, "the instance is not started");
  if (assignment_.kind != "source") return fill(error, TW_E_STATE, "a sink submits nothing");
  if (stopping_ || gate_.stop_asked()) return fill(error, TW_E_CLOSED, "the host is stopping");

  const std::lock_guard one_at_a_time(submit_mutex_);
  link::LocalSubmit submit;
  tw_status status = TW_OK;
  std::string message;
  std::size_t frame_bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const tw_record* record = records[i];
    constexpr std::uint32_t kNeeded = offsetof(tw_record, data) + sizeof(tw_bytes);
    const auto bad = [&](std::string_view why) {
      status = TW_E_INVALID;
      message = "record " + std::to_string(i) + ": " + std::string(why);
    };
    if (record == nullptr || record->struct_size < kNeeded) {
      bad("struct_size does not cover data");
    } else if (record->lane != host_.lane) {
      bad("lane is not the instance's");
    } else if (record->type.size == 0 || record->time.size == 0 || record->data.size == 0) {
      bad("type, time and data are required");
    } else if (record->origin_key.size == 0 || record->origin_key.size > kMostKey) {
      bad("origin_key must have 1 to 256 bytes");
    } else if (record->data.size > kMaxRecordBytes) {
      bad("data is larger than 1 MiB");
    }
    if (status != TW_OK) break;
    const std::size_t size = record->data.size + record->type.size + record->subject.size + record->origin_key.size +
                             record->time.size + record->exercise.size + record->correlation.size + 128;
    if (!gate_.has_room()) {
      status = TW_E_BUSY;
      break;
    }
    if (frame_bytes + size > link::kMaxLocalFrameBytes / 2) {
      status = TW_E_BUSY;
      break;
    }
    {
      const std::lock_guard lock(waiting_mutex_);
      if (waiting_.size() >= kMostWaiting || (!waiting_.empty() && waiting_bytes_ + size > kMostWaitingBytes)) {
        status = TW_E_BUSY;
        break;
      }
      waiting_.push_back(static_cast<std::uint32_t>(size));
      waiting_bytes_ += size;
    }
    frame_bytes += size;
    link::LocalDraft draft;
    draft.ticket = record->ticket;
    draft.lane = assignment_.lane;
    draft.type = view(record->type);
    draft.subject = view(record->subject);
    draft.time = view(record->time);
    draft.exercise = view(record->exercise);
    draft.correlation = view(record->correlation);
    draft.origin_key = view(record->origin_key);
    draft.data = view(record->data);
    submit.drafts.push_back(draft);
  }
  *taken = static_cast<std::uint32_t>(submit.drafts.size());
  if (!submit.drafts.empty()) {
    Bytes frame;
    submit.encode(frame);
    gate_.send(std::move(frame));
  }
  if (status == TW_OK) return TW_OK;
  if (status == TW_E_BUSY) {
    busy_said_ = true;
    return fill(error, TW_E_BUSY, "no room now");
  }
  log(TW_LOG_ERROR, "contract broken by the plugin: submit(): " + message);
  return fill(error, status, message);
}

// The gate and its runner are of one version: a frame that cannot be read says that something is very wrong.
bool Instance::understood(const Status& decoded) {
  if (!decoded) gate_.ask_stop();
  return decoded.has_value();
}

bool Instance::settled(const Frame& frame) {
  if (!understood(link::LocalSettled::decode(frame.body(), settled_))) return false;
  const bool again = std::ranges::any_of(
      settled_.settled, [](const link::LocalSettled::One& one) { return one.answer == link::Answer::kRetry; });
  {
    const std::lock_guard lock(waiting_mutex_);
    for (std::size_t i = 0; i < settled_.settled.size() && !waiting_.empty(); ++i) {
      waiting_bytes_ -= waiting_.front();
      waiting_.pop_front();
    }
  }
  if (!started_ || plugin().settled == nullptr) return again;
  std::vector<tw_settled> values(settled_.settled.size());
  std::vector<const tw_settled*> pointers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& one = settled_.settled[i];
    tw_settled& value = values[i];
    value.struct_size = sizeof value;
    value.verdict = static_cast<tw_verdict>(one.answer);
    value.ticket = one.ticket;
    value.code = static_cast<tw_status>(one.code);
    if (one.answer == link::Answer::kAccepted) std::memcpy(value.id, one.id.bytes.data(), sizeof value.id);
    value.reason = to_tw(one.reason);
    pointers.push_back(&value);
  }
  tw_error error = fresh_error();
  call("settled", 0, kPatience_ms, error, [&] {
    plugin().settled(self_, pointers.data(), static_cast<std::uint32_t>(pointers.size()));
    return TW_OK;
  });
  return again;
}

void Instance::later(const Frame& frame) {
  if (plugin().later == nullptr || !started_) return;
  if (!understood(link::LocalLater::decode(frame.body(), later_))) return;
  std::vector<tw_later> values(later_.refused.size());
  std::vector<const tw_later*> pointers;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& one = later_.refused[i];
    tw_later& value = values[i];
    value.struct_size = sizeof value;
    value.code = static_cast<tw_status>(one.code);
    std::memcpy(value.id, one.id.bytes.data(), sizeof value.id);
    value.origin_key = to_tw(one.origin_key);
    value.reason = to_tw(one.reason);
    pointers.push_back(&value);
  }
  tw_error error = fresh_error();
  call("later", 0, kPatience_ms, error, [&] {
    plugin().later(self_, pointers.data(), static_cast<std::uint32_t>(pointers.size()));
    return TW_OK;
  });
}

void Instance::room() {
  {
    const std::lock_guard lock(waiting_mutex_);
    if (waiting_.size() > kMostWaiting / 2 || waiting_bytes_ > kMostWaitingBytes / 2) return;
  }
  if (!gate_.has_room() || !busy_said_.exchange(false)) return;
  if (plugin().room == nullptr || !started_) return;
  tw_error error = fresh_error();
  call("room", 0, kPatience_ms, error, [&] {
    plugin().room(self_);
    return TW_OK;
  });
}

std::uint32_t Instance::poll() {
  tw_error error = fresh_error();
  std::uint32_t next_ms = 1000;
  const tw_status status = call("poll", kPollBudget_ms, kPatience_ms, error,
                                [&] { return plugin().poll(self_, kPollBudget_ms, &next_ms, &error); });
  if (status == TW_OK) return next_ms;
  log(TW_LOG_WARNING, "poll: " + to_error(status, error).message);
  return std::max<std::uint32_t>(next_ms, 5000);
}

// ---- sink ----

void Instance::deliver(const Frame& frame) {
  if (!understood(link::LocalDeliver::decode(frame.body(), deliver_))) return;
  const std::size_t count = deliver_.records.size();
  std::vector<tw_record> records(count);
  std::vector<tw_answer> answers(count);
  std::vector<const tw_record*> record_pointers;
  std::vector<tw_answer*> answer_pointers;
  tw_error error = fresh_error();
  tw_status status = TW_OK;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& one = deliver_.records[i];
    tw_answer& answer = answers[i];
    answer.struct_size = sizeof answer;
    answer_pointers.push_back(&answer);
    tw_record& record = records[i];
    record.struct_size = sizeof record;
    record_pointers.push_back(&record);
    auto envelope = reader_.read(one.record);  // the frame is followed by padding
    if (!envelope) {
      status = TW_E_DATA;
      continue;
    }
    record.lane = static_cast<std::int32_t>(envelope->lane_value);
    std::memcpy(record.id, envelope->record_id.bytes.data(), sizeof record.id);
    record.time_unix_ns = envelope->time_unix_ns;
    record.source = to_tw(envelope->source);
    record.type = to_tw(envelope->type);
    record.subject = to_tw(envelope->subject);
    record.time = to_tw(envelope->time);
    record.exercise = to_tw(envelope->exercise);
    record.correlation = to_tw(envelope->correlationid);
    record.submitter = to_tw(envelope->submitter);
    record.data = to_tw_bytes(envelope->data_raw);
    record.raw = {one.record.data(), one.record.size()};
    record.attempt = one.attempt;
    record.flags = (one.flags & link::LocalDeliver::kReplay) != 0 ? TW_RECORD_REPLAY : 0;
  }
  if (status == TW_OK) {
    status = call("deliver", deliver_.deadline_ms, kDeliverPatience_ms, error, [&] {
      return plugin().deliver(self_, record_pointers.data(), static_cast<std::uint32_t>(count), deliver_.deadline_ms,
                              answer_pointers.data(), &error);
    });
  }
  const Error whole = status == TW_OK ? Error{Code::kOk, {}} : to_error(status, error);
  std::vector<std::string> reasons(count);
  link::LocalVerdicts verdicts;
  verdicts.batch = deliver_.batch;
  for (std::size_t i = 0; i < count; ++i) {
    const tw_answer& answer = answers[i];
    link::LocalVerdicts::One one;
    one.code = static_cast<Code>(answer.code);
    reasons[i].assign(answer.reason, ::strnlen(answer.reason, sizeof answer.reason));
    switch (answer.verdict) {
      case TW_ACCEPTED:
        one.answer = link::Answer::kAccepted;
        break;
      case TW_REJECTED:
        one.answer = link::Answer::kRejected;
        if (answer.code == TW_OK) one.code = Code::kData;
        break;
      default:  // what no version knows is no answer, and an answer that was forgotten is a retry
        one.answer = link::Answer::kRetry;
        if (status != TW_OK) {
          one.code = whole.code;
          if (reasons[i].empty()) reasons[i] = whole.message;
        } else if (answer.code == TW_OK) {
          one.code = Code::kUnavailable;
        }
        break;
    }
    one.reason = reasons[i];
    verdicts.verdicts.push_back(one);
  }
  Bytes out;
  verdicts.encode(out);
  gate_.send(std::move(out));
}

}  // namespace thalweg::runner
