#include "model/verdict.h"

#include <algorithm>

#include "base/invariant.h"
#include "model/parcel.h"

namespace thalweg {
namespace {

std::string_view class_of(Code code) {
  switch (code) {
#define TW_ERROR(name, number, class_) \
  case Code::k##name:                  \
    return class_;
#include "thalweg/errors.inc"
#undef TW_ERROR
  }
  return "";  // a number of a newer version
}

/// The longest beginning of `text` within `limit` bytes that does not cut a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace

bool is_mark(Code code) { return class_of(code) == "mark"; }

bool is_refusal(Code code) { return code != Code::kOk && !is_mark(code); }

void ParcelVerdicts::encode(Bytes& out) const {
  THALWEG_INVARIANT(exceptions.size() <= kMaxParcelRecords);
  ByteWriter writer(out);
  writer.u16(static_cast<std::uint16_t>(exceptions.size()));
  for (std::size_t i = 0; i < exceptions.size(); ++i) {
    const RecordVerdict& verdict = exceptions[i];
    THALWEG_INVARIANT(verdict.index < kMaxParcelRecords && (i == 0 || verdict.index > exceptions[i - 1].index));
    writer.u16(static_cast<std::uint16_t>(verdict.index));
    writer.i32(static_cast<std::int32_t>(verdict.code));
    writer.short_text(cut(verdict.text, kMaxVerdictTextBytes));
  }
}

Result<ParcelVerdicts> ParcelVerdicts::decode(ByteReader& in) {
  ParcelVerdicts verdicts;
  const std::size_t count = in.u16();
  if (count > kMaxParcelRecords) in.fail();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    RecordVerdict verdict;
    verdict.index = in.u16();
    verdict.code = static_cast<Code>(in.i32());
    const std::string_view text = in.short_text();
    if (text.size() > kMaxVerdictTextBytes || verdict.index >= kMaxParcelRecords || verdict.code == Code::kOk)
      in.fail();
    if (i > 0 && verdict.index <= verdicts.exceptions.back().index) in.fail();
    verdict.text = text;
    verdicts.exceptions.push_back(std::move(verdict));
  }
  if (!in.ok()) return Error{Code::kParcelFormat, "the verdicts of a parcel are cut short or out of bounds"};
  return verdicts;
}

Result<ParcelVerdicts> ParcelVerdicts::decode(ByteView bytes) {
  ByteReader in(bytes);
  TW_ASSIGN(ParcelVerdicts verdicts, decode(in));
  if (!in.done()) return Error{Code::kParcelFormat, "something stands behind the verdicts of a parcel"};
  return verdicts;
}

const RecordVerdict* ParcelVerdicts::find(std::uint32_t index) const {
  const auto at = std::lower_bound(exceptions.begin(), exceptions.end(), index,
                                   [](const RecordVerdict& v, std::uint32_t wanted) { return v.index < wanted; });
  return at != exceptions.end() && at->index == index ? &*at : nullptr;
}

}  // namespace thalweg
