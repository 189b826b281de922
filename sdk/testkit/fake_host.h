// fake_host.h: a host in memory, for an adapter's unit tests. It is strict: it notes every breach of thalweg_plugin.h.
//
//   FakeHost host(&thalweg_plugin_open, {.kind = "sink"});
//   REQUIRE(host.configure(R"({"folder": "/tmp/x"})"));
//   REQUIRE(host.start());
//   auto answers = host.deliver({record});
//   host.stop();
//   CHECK(host.breaches().empty());
//
// In-process on purpose: a debugger and the sanitizers see both sides. Tests only.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/cpp/record.h"
#include "thalweg/cpp/result.h"
#include "thalweg/thalweg_plugin.h"

namespace thalweg::testkit {

/// A record as the test gives it to a sink.
struct Given {
  std::string type = "thalweg.section.observation.v1";
  std::string subject;
  std::string time = "2026-08-26T13:00:00+08:00";
  std::int64_t time_unix_ns = 1787720400000000000;
  std::string data = "{}";
  std::string source = "/party/500153";
  std::string exercise;
  std::string correlation;
  std::string submitter = "test";
  std::string raw = "{}";
  std::array<std::uint8_t, 16> id{};
  std::uint32_t attempt = 1;
  std::uint32_t flags = 0;
};

/// A sink's answer, copied.
struct Got {
  tw_verdict verdict = TW_RETRY;
  Code code = Code::kOk;
  std::string reason;
};

struct LogLine {
  std::int32_t level = 0;
  std::string text;
};

/// Threads: the functions that call the plugin from one thread (the test's); what the plugin calls, from any.
class FakeHost {
 public:
  struct Options {
    std::string kind = "sink";
    std::int32_t lane = TW_LANE_ROUTINE;
    std::string instance = "test";
    std::string party = "500153";
    std::size_t room = 4096;                         ///< submitted records that may wait for their settlement
    std::uint32_t plugin_bytes = sizeof(tw_plugin);  ///< smaller: an older host
  };

  FakeHost(tw_plugin_open_fn open, Options options) : options_(std::move(options)) {
    std::memset(&host_, 0, sizeof host_);
    host_.struct_size = sizeof host_;
    host_.abi_minor = TW_ABI_MINOR;
    host_.ctx = reinterpret_cast<tw_host_ctx*>(this);
    host_.lane = options_.lane;
    host_.instance = to_tw(options_.instance);
    host_.party = to_tw(options_.party);
    host_.log = &FakeHost::on_log;
    host_.submit = &FakeHost::on_submit;
    host_.should_stop = &FakeHost::on_should_stop;
    host_.extension = [](tw_host_ctx*, tw_str) -> const void* { return nullptr; };

    tw_error error = fresh_error();
    std::memset(&plugin_, 0, sizeof plugin_);
    plugin_.struct_size = options_.plugin_bytes;
    if (open(TW_ABI_MAJOR + 1, 0, &plugin_, &error) != TW_E_ABI) breach("an unknown ABI major was not refused");
    std::memset(&plugin_, 0, sizeof plugin_);
    plugin_.struct_size = options_.plugin_bytes;
    if (open(TW_ABI_MAJOR, TW_ABI_MINOR, &plugin_, &error) != TW_OK) {
      breach("open failed: " + text(error));
      return;
    }
    require(plugin_.create != nullptr, "create");
    require(plugin_.configure != nullptr, "configure");
    require(plugin_.start != nullptr, "start");
    require(plugin_.stop != nullptr, "stop");
    require(plugin_.destroy != nullptr, "destroy");
    require(options_.kind != "sink" || plugin_.deliver != nullptr, "deliver");
    require(options_.kind != "source" || plugin_.settled != nullptr, "settled");
    if (!breaches().empty()) return;
    if (plugin_.create(&host_, to_tw(options_.kind), &self_, &error) != TW_OK) breach("create failed: " + text(error));
    state_ = State::kCreated;
  }
  ~FakeHost() {
    if (state_ == State::kStarted) stop();
    if (self_ != nullptr) plugin_.destroy(self_);
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const tw_plugin& plugin() const { return plugin_; }

  Status configure(std::string_view json) {
    tw_error error = fresh_error();
    const Status done = outcome("configure", plugin_.configure(self_, to_tw(json), &error), error);
    if (done) state_ = State::kConfigured;
    return done;
  }

  Status start() {
    tw_error error = fresh_error();
    const State before = state_.exchange(State::kStarted);
    stopping_ = false;
    const Status done = outcome("start", plugin_.start(self_, &error), error);
    if (!done) state_ = before;
    return done;
  }

  /// What was submitted and not answered is forgotten, as after a crash.
  void stop(std::uint32_t grace_ms = 2000) {
    stopping_ = true;
    plugin_.stop(self_, grace_ms);
    state_ = State::kStopped;
    std::lock_guard lock(mutex_);
    waiting_.clear();
  }

  /// Delivers a batch; `whole`, if given, gets the status of the call. Answers behind the first retry are as the sink
  /// gave them; a real host ignores those.
  std::vector<Got> deliver(const std::vector<Given>& given, Status* whole = nullptr,
                           std::uint32_t deadline_ms = 10000) {
    std::vector<tw_record> records;
    std::vector<const tw_record*> record_pointers;
    std::vector<tw_answer> answers(given.size());
    std::vector<tw_answer*> answer_pointers;
    records.reserve(given.size());
    for (const Given& g : given) record_pointers.push_back(&records.emplace_back(record(g)));
    for (tw_answer& a : answers) {
      std::memset(&a, 0, sizeof a);
      a.struct_size = sizeof a;
      answer_pointers.push_back(&a);
    }
    tw_error error = fresh_error();
    const tw_status status = plugin_.deliver(self_, record_pointers.data(), static_cast<std::uint32_t>(records.size()),
                                             deadline_ms, answer_pointers.data(), &error);
    const Status done = outcome("deliver", status, error);
    std::vector<Got> got;
    for (const tw_answer& a : answers) {
      if (a.struct_size != sizeof a) breach("an answer's struct_size was changed");
      if (a.verdict < TW_RETRY || a.verdict > TW_REJECTED) breach("an unknown verdict");
      if (std::memchr(a.reason, '\0', sizeof a.reason) == nullptr) breach("a reason does not end in NUL");
      Got g{a.verdict, static_cast<Code>(a.code), a.reason};
      if (!done && g.verdict == TW_RETRY) g = {TW_RETRY, done.error().code, done.error().message};
      got.push_back(std::move(g));
    }
    if (whole != nullptr) *whole = done;
    return got;
  }

  /// Calls poll() once; gives the time after which the source wants it again.
  Result<std::uint32_t> poll(std::uint32_t budget_ms = 100) {
    if (plugin_.poll == nullptr) return Error{Code::kUnsupported, "no poll"};
    tw_error error = fresh_error();
    std::uint32_t next_ms = 1000;
    TW_TRY(outcome("poll", plugin_.poll(self_, budget_ms, &next_ms, &error), error));
    return next_ms;
  }

  /// Waits until `count` records wait for settlement (from the source's threads). False after 20 s.
  bool wait_submitted(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_.size() >= count; });
  }
  /// The records that wait for settlement, in order.
  std::vector<Submission> submitted() const {
    std::lock_guard lock(mutex_);
    return waiting_;
  }
  /// Origin keys accepted so far: the gate's memory. The same key twice is one record.
  std::set<std::string> accepted_keys() const {
    std::lock_guard lock(mutex_);
    return keys_;
  }

  /// Answers the first `count` of those waiting, and tells of new room where submit() said busy.
  void settle(std::size_t count, tw_verdict verdict = TW_ACCEPTED, Code code = Code::kOk,
              std::string_view reason = {}) {
    std::vector<Submission> now;
    {
      std::lock_guard lock(mutex_);
      count = std::min(count, waiting_.size());
      now.assign(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    std::vector<tw_settled> settled(now.size());
    std::vector<const tw_settled*> pointers;
    for (std::size_t i = 0; i < now.size(); ++i) {
      tw_settled& s = settled[i];
      std::memset(&s, 0, sizeof s);
      s.struct_size = sizeof s;
      s.ticket = now[i].ticket;
      s.verdict = verdict;
      s.code = static_cast<tw_status>(code);
      s.reason = to_tw(reason);
      if (verdict == TW_ACCEPTED) {
        std::lock_guard lock(mutex_);
        if (!keys_.insert(now[i].origin_key).second) s.code = static_cast<tw_status>(Code::kRecordDuplicate);
        s.id[15] = static_cast<std::uint8_t>(keys_.size());
        accepted_.push_back(now[i]);
      }
      pointers.push_back(&s);
    }
    if (!pointers.empty()) plugin_.settled(self_, pointers.data(), static_cast<std::uint32_t>(pointers.size()));
    if (was_busy_.exchange(false) && plugin_.room != nullptr) plugin_.room(self_);
  }
  void settle_all() { settle(static_cast<std::size_t>(-1)); }
  /// Every record accepted so far, repeats included.
  std::vector<Submission> accepted() const {
    std::lock_guard lock(mutex_);
    return accepted_;
  }

  std::vector<std::string> breaches() const {
    std::lock_guard lock(mutex_);
    return breaches_;
  }
  std::vector<LogLine> log_lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  /// Waits for a log line that holds `part`. False after 20 s.
  bool wait_log(std::string_view part) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const LogLine& line : lines_)
        if (line.text.find(part) != std::string::npos) return true;
      return false;
    });
  }

 private:
  enum class State { kNone, kCreated, kConfigured, kStarted, kStopped };

  static tw_error fresh_error() {
    tw_error error;
    std::memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    return error;
  }
  static std::string text(const tw_error& error) { return std::string(error.message); }

  tw_record record(const Given& g) const {
    tw_record r;
    std::memset(&r, 0, sizeof r);
    r.struct_size = sizeof r;
    r.lane = options_.lane;
    std::memcpy(r.id, g.id.data(), sizeof r.id);
    r.time_unix_ns = g.time_unix_ns;
    r.source = to_tw(g.source);
    r.type = to_tw(g.type);
    r.subject = to_tw(g.subject);
    r.time = to_tw(g.time);
    r.exercise = to_tw(g.exercise);
    r.correlation = to_tw(g.correlation);
    r.submitter = to_tw(g.submitter);
    r.data = to_tw_bytes(g.data);
    r.raw = to_tw_bytes(g.raw);
    r.attempt = g.attempt;
    r.flags = g.flags;
    return r;
  }

  Status outcome(const char* call, tw_status status, const tw_error& error) {
    if (error.struct_size != sizeof error) breach(std::string(call) + " changed tw_error.struct_size");
    if (status == TW_OK) return {};
    if (error.code != status) breach(std::string(call) + ": the code returned is not the one in tw_error");
    if (error.message[0] == '\0') breach(std::string(call) + " failed without a message");
    return Error{static_cast<Code>(status), error.message};
  }
  void require(bool there, const char* name) {
    if (!there) breach(std::string("required function is missing: ") + name);
  }
  void breach(std::string what) {
    std::lock_guard lock(mutex_);
    breaches_.push_back(std::move(what));
  }

  static FakeHost& of(tw_host_ctx* ctx) { return *reinterpret_cast<FakeHost*>(ctx); }

  static void on_log(tw_host_ctx* ctx, std::int32_t level, tw_str message) {
    FakeHost& me = of(ctx);
    {
      std::lock_guard lock(me.mutex_);
      me.lines_.push_back({level, std::string(view(message))});
    }
    me.changed_.notify_all();
    if (level < TW_LOG_DEBUG || level > TW_LOG_ERROR) me.breach("unknown log level");
  }

  static std::int32_t on_should_stop(tw_host_ctx* ctx) { return of(ctx).stopping_ ? 1 : 0; }

  static tw_status on_submit(tw_host_ctx* ctx, const tw_record* const* records, std::uint32_t count,
                             std::uint32_t* taken, tw_error* error) {
    FakeHost& me = of(ctx);
    *taken = 0;
    if (me.options_.kind != "source") return me.refuse(error, TW_E_INVALID, "submit() by a sink");
    if (me.state_ != State::kStarted) return me.refuse(error, TW_E_STATE, "submit() while not started");
    if (count == 0 || count > 4096) return me.refuse(error, TW_E_INVALID, "submit() with 0 or over 4,096 records");
    for (std::uint32_t i = 0; i < count; ++i) {
      const tw_record& r = *records[i];
      if (r.struct_size < sizeof(tw_record)) return me.refuse(error, TW_E_INVALID, "a record without struct_size");
      if (r.type.size == 0) return me.refuse(error, TW_E_INVALID, "a record without type");
      if (r.time.size == 0) return me.refuse(error, TW_E_INVALID, "a record without time");
      if (r.data.size == 0 || r.data.size > (1U << 20)) return me.refuse(error, TW_E_INVALID, "a record's data: size");
      if (r.origin_key.size == 0 || r.origin_key.size > 256)
        return me.refuse(error, TW_E_INVALID, "a record's origin_key: size");
      std::lock_guard lock(me.mutex_);
      if (me.waiting_.size() >= me.options_.room) {
        me.was_busy_ = true;
        return TW_E_BUSY;
      }
      me.waiting_.push_back({r.ticket, std::string(view(r.type)), std::string(view(r.time)),
                             std::string(view(r.origin_key)), std::string(view(r.data)), std::string(view(r.subject)),
                             std::string(view(r.exercise)), std::string(view(r.correlation))});
      ++*taken;
      me.changed_.notify_all();
    }
    return TW_OK;
  }
  tw_status refuse(tw_error* error, tw_status code, const char* what) {
    breach(what);
    if (error != nullptr) {
      error->code = code;
      std::strncpy(error->message, what, sizeof error->message - 1);
    }
    return code;
  }

  // Constant after construction.
  Options options_;
  tw_host host_;
  tw_plugin plugin_;
  tw_instance* self_ = nullptr;

  std::atomic<State> state_{State::kNone};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> was_busy_{false};

  mutable std::mutex mutex_;  // all below
  std::condition_variable changed_;
  std::vector<Submission> waiting_;
  std::vector<Submission> accepted_;
  std::set<std::string> keys_;
  std::vector<std::string> breaches_;
  std::vector<LogLine> lines_;
};

}  // namespace thalweg::testkit
