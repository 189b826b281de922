#include "bench/payloads.h"

#include <random>
#include <stdexcept>
#include <string_view>

#include "bench/load.h"
#include "link/local_message.h"
#include "model/ids.h"
#include "model/record_builder.h"
#include "model/time.h"

namespace thalweg::bench {
namespace {

constexpr std::string_view kTurbidity = R"("code":"w01003","text":")";
constexpr std::string_view kValue = R"("value":)";

/// The last digits of `value`, ending before `end`; '.' and ':' keep their places.
void put_digits(std::string& text, std::size_t end, std::size_t digits, std::uint64_t value) {
  for (; digits > 0; --end) {
    char& one = text[end - 1];
    if (one == '.' || one == ':') continue;
    one = static_cast<char>('0' + value % 10);
    value /= 10;
    --digits;
  }
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

/// One record of each reading, built as a gate builds it; later ones differ from it in id, time and turbidity.
Payloads::Payloads(Kind kind) : kind_(kind), state_(std::random_device{}()) {
  Load load(1);
  const Bytes frame = load.routine(8);
  link::LocalSubmit submit;
  const auto body = ByteView(frame).subspan(5);  // u32 size, u8 type
  if (!link::LocalSubmit::decode(body, submit)) throw std::runtime_error("the load's frame is not a SUBMIT");
  for (const link::LocalDraft& one : submit.drafts) {
    Draft draft;
    draft.id = record_id_for(must(parse_rfc3339(one.time)) / 1'000'000, "500153", "bench", one.origin_key);
    draft.party = "500153";
    draft.type = one.type;
    draft.subject = one.subject;
    draft.time = one.time;
    draft.data_json = one.data;
    Bytes bytes;
    if (const Status built = build_record(draft, bytes); !built) throw std::runtime_error(built.error().message);
    Pattern pattern;
    pattern.record.assign(bytes.begin(), bytes.end());
    pattern.id_at = pattern.record.find(draft.id.text());
    pattern.time_at = pattern.record.find(one.time);
    pattern.observed_at = pattern.record.find(one.time, pattern.time_at + 1);
    pattern.turbidity_text_at = pattern.record.find(kTurbidity) + kTurbidity.size();
    pattern.turbidity_value_at = pattern.record.find(kValue, pattern.turbidity_text_at) + kValue.size();
    patterns_.push_back(std::move(pattern));
  }
}

void Payloads::readings(std::string& out) {
  const std::uint64_t n = next_++;
  const Pattern& pattern = patterns_[n % patterns_.size()];
  out = pattern.record;
  put_digits(out, pattern.id_at + 13, 4, n);  // the last of its 48 bits of time; behind them what no two share
  for (std::size_t i = 20; i < 36; ++i)
    if (i != 23) out[pattern.id_at + i] = "0123456789abcdef"[next_random(state_) >> 60];
  const std::uint64_t minute = n / 60'000 % 60, millisecond = n % 60'000;
  for (const std::size_t at : {pattern.time_at, pattern.observed_at})
    put_digits(out, at + 23, 7, minute * 100'000 + millisecond);
  for (const std::size_t at : {pattern.turbidity_text_at, pattern.turbidity_value_at}) put_digits(out, at + 5, 3, n);
}

void Payloads::random(std::string& out) {
  out.resize(patterns_.front().record.size());
  put_random(out, state_);
}

std::span<const std::string> Payloads::batch(std::size_t count) {
  if (batch_.size() < count) batch_.resize(count);
  for (std::size_t i = 0; i < count; ++i) kind_ == Kind::kReadings ? readings(batch_[i]) : random(batch_[i]);
  return {batch_.data(), count};
}

const std::string& Payloads::marked(std::size_t number) {
  std::string& one = const_cast<std::string&>(batch(1)[0]);
  for (std::size_t i = 12; i-- > 0; number /= 10) one[i] = static_cast<char>('0' + number % 10);
  return one;
}

std::size_t Payloads::number_of(std::string_view record) {
  std::size_t number = 0;
  for (const char digit : record.substr(0, 12)) number = number * 10 + static_cast<std::size_t>(digit - '0');
  return number;
}

}  // namespace thalweg::bench
