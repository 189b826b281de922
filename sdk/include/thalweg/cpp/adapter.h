// adapter.h: Source and Sink, the C++20 side of thalweg_plugin.h. Start here to write an adapter.
//
// Header only: it is compiled into the plugin, so no C++ type crosses into the host. States, threads and ownership are
// those of thalweg_plugin.h; [instance] functions are never entered twice at the same time. Exceptions may leave the
// functions that an adapter overrides: they become TW_E_INTERNAL, a retry; prefer to return an Error.
//
//   class MySink final : public thalweg::Sink { public: ... };
//   THALWEG_SINK(MySink)
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "thalweg/cpp/record.h"
#include "thalweg/cpp/result.h"
#include "thalweg/thalweg_plugin.h"

namespace thalweg {

/// What the host offers; see tw_host. Copies freely. Threads: any.
class Host {
 public:
  explicit Host(const tw_host* host = nullptr) : host_(host) {}

  void debug(std::string_view text) const { log(TW_LOG_DEBUG, text); }
  void info(std::string_view text) const { log(TW_LOG_INFO, text); }
  void warning(std::string_view text) const { log(TW_LOG_WARNING, text); }
  void error(std::string_view text) const { log(TW_LOG_ERROR, text); }

  std::string_view instance() const { return view(host_->instance); }
  std::string_view party() const { return view(host_->party); }
  bool urgent() const { return host_->lane == TW_LANE_URGENT; }
  bool should_stop() const { return host_->should_stop(host_->ctx) != 0; }

  /// Submits in order and says how many of the first were taken; fewer than all means: no room for the rest now (room()
  /// is called when there is). settled() may come before this returns.
  /// Errors: kClosed (the host stops), kInvalid, kState (contract broken). What was taken before the error is in
  /// `*taken`.
  Result<std::size_t> submit(std::span<const Submission> records, std::size_t* taken = nullptr) const {
    std::vector<tw_record> held;
    std::vector<const tw_record*> pointers;
    held.reserve(records.size());
    pointers.reserve(records.size());
    for (const Submission& record : records) pointers.push_back(&held.emplace_back(record.c()));
    std::uint32_t count = 0;
    tw_error error{};
    error.struct_size = sizeof error;
    const tw_status status =
        host_->submit(host_->ctx, pointers.data(), static_cast<std::uint32_t>(pointers.size()), &count, &error);
    if (taken != nullptr) *taken = count;
    if (status == TW_OK || status == TW_E_BUSY) return static_cast<std::size_t>(count);
    return Error{static_cast<Code>(status), error.message};
  }

  const tw_host* c() const { return host_; }

 private:
  void log(std::int32_t level, std::string_view text) const { host_->log(host_->ctx, level, to_tw(text)); }
  const tw_host* host_;
};

namespace detail {
/// Copies as much of `text` as fits, never half a UTF-8 character, and ends it with NUL.
template <std::size_t N>
void copy_text(char (&out)[N], std::string_view text) {
  std::size_t n = std::min(text.size(), N - 1);
  if (n < text.size())
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0U) == 0x80U) --n;
  if (n > 0) std::memcpy(out, text.data(), n);
  out[n] = '\0';
}
}  // namespace detail

/// The answers to a batch, one per record; what is not answered stays a retry. See tw_answer.
class Answers {
 public:
  Answers(tw_answer* const* answers, std::size_t count) : answers_(answers), count_(count) {}
  std::size_t size() const { return count_; }

  /// The far side holds record `i` durably.
  void accept(std::size_t i) { set(i, TW_ACCEPTED, Code::kOk, {}); }
  /// Not now. Stop delivering: this record and all behind it are given again.
  void retry(std::size_t i, Code code, std::string_view reason) { set(i, TW_RETRY, code, reason); }
  /// Never: the record becomes a dead letter with this reason.
  void reject(std::size_t i, Code code, std::string_view reason) { set(i, TW_REJECTED, code, reason); }

 private:
  void set(std::size_t i, tw_verdict verdict, Code code, std::string_view reason) {
    answers_[i]->verdict = verdict;
    answers_[i]->code = static_cast<tw_status>(code);
    detail::copy_text(answers_[i]->reason, reason);
  }
  tw_answer* const* answers_;
  std::size_t count_;
};

/// What became of a submitted record; see tw_settled. `reason` is borrowed until settled() returns.
struct Settled {
  std::uint64_t ticket = 0;
  tw_verdict verdict = TW_RETRY;
  Code code = Code::kOk;
  std::string_view reason;
  std::string id;  ///< empty unless accepted

  bool accepted() const { return verdict == TW_ACCEPTED; }
  bool rejected() const { return verdict == TW_REJECTED; }
};

/// A refusal by the hub after acceptance; see tw_later. Views are borrowed until later() returns.
struct Refusal {
  Code code = Code::kInternal;
  std::string id;
  std::string_view origin_key;
  std::string_view reason;
};

/// What Source and Sink share.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// Checks and takes the configuration, a JSON object; config.h reads it. No connection to anything yet.
  /// Errors: kConfig, with the key. [instance & created]
  virtual Status configure(std::string_view json) = 0;
  /// Connects. kUnavailable, kTimeout, kBusy are retried with back-off; all else is final. [instance & configured]
  virtual Status start() { return {}; }
  /// When this returns no thread of the adapter runs and the host is not called again. [instance & started]
  virtual void stop(std::chrono::milliseconds /*grace*/) {}

  /// Called by the trampolines, or by a test that makes the adapter itself, before all else.
  void set_host(Host host) { host_ = host; }

 protected:
  const Host& host() const { return host_; }

 private:
  Host host_;
};

/// An adapter that delivers records to another system.
///
/// A sink that shows the exercise in all that it writes declares `static constexpr bool kExerciseAware = true;`;
/// others are never given a drill's records.
class Sink : public Adapter {
 public:
  /// Delivers in order; `answers` has one place per record. An Error returned gives all that is unanswered that code.
  /// Must be idempotent by record id. [instance & started]
  virtual Status deliver(std::span<const RecordView> records, Answers& answers, std::chrono::milliseconds deadline) = 0;
};

/// An adapter that submits records. Overrides must be public.
class Source : public Adapter {
 public:
  /// Override in a source without threads of its own: looks for new data, submits it, and returns when it wants to be
  /// called again. [instance & started]
  virtual Result<std::chrono::milliseconds> poll(std::chrono::milliseconds /*budget*/) {
    return Error{Code::kUnsupported, "poll"};
  }
  /// What became of records, in the order of submission. Must not block. [instance & started]
  virtual void settled(std::span<const Settled> settled) = 0;
  /// There is room again. [instance & started]
  virtual void room() {}
  /// The hub refused what the gate had accepted; override to be told. [instance & started]
  virtual void later(std::span<const Refusal> /*refusals*/) {}
};

/// Stands for the kind that a plugin does not have.
struct NoAdapter {};

namespace detail {

inline tw_status fill(tw_error* out, tw_status code, std::string_view message) {
  if (out != nullptr) {
    out->code = code;
    copy_text(out->message, message);
  }
  return code;
}

/// Runs `body` and turns its Status, or whatever it throws, into a status code.
template <class Body>
tw_status guarded(tw_error* error, Body&& body) noexcept {
  try {
    const Status status = body();
    return status ? TW_OK : fill(error, static_cast<tw_status>(status.error().code), status.error().message);
  } catch (const std::exception& e) {
    return fill(error, TW_E_INTERNAL, e.what());
  } catch (...) {
    return fill(error, TW_E_INTERNAL, "unknown exception");
  }
}

/// For functions that return nothing: an exception there is logged, as nobody can be told.
template <class Body>
void guarded_void(const Host& host, Body&& body) noexcept {
  try {
    body();
  } catch (const std::exception& e) {
    host.error(e.what());
  } catch (...) {
    host.error("unknown exception");
  }
}

/// What a tw_instance is.
struct Instance {
  Host host;
  std::unique_ptr<Source> source;
  std::unique_ptr<Sink> sink;
  Adapter& adapter() { return source ? static_cast<Adapter&>(*source) : *sink; }
};

inline Instance& instance(tw_instance* self) { return *reinterpret_cast<Instance*>(self); }

template <class SourceType, class SinkType>
tw_status create(const tw_host* host, tw_str kind, tw_instance** out, tw_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    auto made = std::make_unique<Instance>();
    made->host = Host(host);
    if constexpr (!std::is_same_v<SourceType, NoAdapter>)
      if (view(kind) == "source") made->source = std::make_unique<SourceType>();
    if constexpr (!std::is_same_v<SinkType, NoAdapter>)
      if (view(kind) == "sink") made->sink = std::make_unique<SinkType>();
    if (!made->source && !made->sink) return Error{Code::kUnsupported, "this plugin has no " + std::string(view(kind))};
    made->adapter().set_host(made->host);
    *out = reinterpret_cast<tw_instance*>(made.release());
    return {};
  });
}

inline tw_status configure(tw_instance* self, tw_str json, tw_error* error) noexcept {
  return guarded(error, [&] { return instance(self).adapter().configure(view(json)); });
}
inline tw_status start(tw_instance* self, tw_error* error) noexcept {
  return guarded(error, [&] { return instance(self).adapter().start(); });
}
inline void stop(tw_instance* self, std::uint32_t grace_ms) noexcept {
  guarded_void(instance(self).host, [&] { instance(self).adapter().stop(std::chrono::milliseconds(grace_ms)); });
}
inline void destroy(tw_instance* self) noexcept { delete &instance(self); }

inline tw_status deliver(tw_instance* self, const tw_record* const* records, std::uint32_t count,
                         std::uint32_t deadline_ms, tw_answer* const* answers, tw_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    if (!instance(self).sink) return Error{Code::kUnsupported, "not a sink"};
    std::vector<RecordView> views;
    views.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) views.emplace_back(records[i]);
    Answers places(answers, count);
    return instance(self).sink->deliver(views, places, std::chrono::milliseconds(deadline_ms));
  });
}

inline tw_status poll(tw_instance* self, std::uint32_t budget_ms, std::uint32_t* next_ms, tw_error* error) noexcept {
  return guarded(error, [&]() -> Status {
    if (!instance(self).source) return Error{Code::kUnsupported, "not a source"};
    auto next = instance(self).source->poll(std::chrono::milliseconds(budget_ms));
    if (!next) return std::move(next).error();
    *next_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(next->count(), 0, INT32_MAX));
    return {};
  });
}

inline void settled(tw_instance* self, const tw_settled* const* settled, std::uint32_t count) noexcept {
  guarded_void(instance(self).host, [&] {
    std::vector<Settled> all;
    all.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const tw_settled& s = *settled[i];
      all.push_back({s.ticket, s.verdict, static_cast<Code>(s.code), view(s.reason),
                     s.verdict == TW_ACCEPTED ? uuid_text(s.id) : std::string{}});
    }
    if (instance(self).source) instance(self).source->settled(all);
  });
}
inline void room(tw_instance* self) noexcept {
  guarded_void(instance(self).host, [&] {
    if (instance(self).source) instance(self).source->room();
  });
}
inline void later(tw_instance* self, const tw_later* const* refusals, std::uint32_t count) noexcept {
  guarded_void(instance(self).host, [&] {
    std::vector<Refusal> all;
    all.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const tw_later& r = *refusals[i];
      all.push_back({static_cast<Code>(r.code), uuid_text(r.id), view(r.origin_key), view(r.reason)});
    }
    if (instance(self).source) instance(self).source->later(all);
  });
}

/// The table of a plugin; functions that the types do not override stay NULL, so that the host does not call them.
template <class SourceType, class SinkType>
tw_plugin make_plugin() {
  tw_plugin p{};
  p.abi_minor = TW_ABI_TARGET_MINOR;
  p.create = &create<SourceType, SinkType>;
  p.configure = &configure;
  p.start = &start;
  p.stop = &stop;
  p.destroy = &destroy;
  if constexpr (!std::is_same_v<SinkType, NoAdapter>) {
    p.deliver = &deliver;
    if constexpr (requires { SinkType::kExerciseAware; })
      if (SinkType::kExerciseAware) p.flags |= TW_PLUGIN_EXERCISE_AWARE;
  }
  if constexpr (!std::is_same_v<SourceType, NoAdapter>) {
    p.settled = &settled;
    if constexpr (!std::is_same_v<decltype(&SourceType::poll), decltype(&Source::poll)>) p.poll = &poll;
    if constexpr (!std::is_same_v<decltype(&SourceType::room), decltype(&Source::room)>) p.room = &room;
    if constexpr (!std::is_same_v<decltype(&SourceType::later), decltype(&Source::later)>) p.later = &later;
  }
  return p;
}

inline tw_status open(tw_plugin mine, std::uint32_t major, tw_plugin* plugin, tw_error* error) noexcept {
  if (major != TW_ABI_MAJOR) return fill(error, TW_E_ABI, "this plugin speaks ABI major 1");
  const std::uint32_t n = std::min<std::uint32_t>(plugin->struct_size, sizeof mine);
  mine.struct_size = n;
  std::memcpy(plugin, &mine, n);
  return TW_OK;
}

}  // namespace detail
}  // namespace thalweg

/// Makes `SourceType` and `SinkType` the kinds of this plugin. Once per library, outside any namespace.
#define THALWEG_SOURCE_AND_SINK(SourceType, SinkType)                                                                 \
  extern "C" TW_EXPORT tw_status thalweg_plugin_open(std::uint32_t abi_major, std::uint32_t, tw_plugin* plugin,       \
                                                     tw_error* error) {                                               \
    return ::thalweg::detail::open(::thalweg::detail::make_plugin<SourceType, SinkType>(), abi_major, plugin, error); \
  }
#define THALWEG_SOURCE(Type) THALWEG_SOURCE_AND_SINK(Type, ::thalweg::NoAdapter)
#define THALWEG_SINK(Type) THALWEG_SOURCE_AND_SINK(::thalweg::NoAdapter, Type)
