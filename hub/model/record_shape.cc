// record_shape.cc: what the records of one source have in common, so that the next one is checked where it differs.
#include "model/record_shape.h"

#include <algorithm>
#include <cstring>

#include "model/record_attributes.h"
#include "model/record_rules.h"
#include "model/schema_scalars.h"
#include "model/token_stream.h"

namespace thalweg {
namespace {

constexpr std::string_view Envelope::*kViews[kAttributes] = {nullptr,
                                                             &Envelope::id,
                                                             &Envelope::source,
                                                             &Envelope::type,
                                                             &Envelope::subject,
                                                             &Envelope::time,
                                                             &Envelope::lane,
                                                             &Envelope::exercise,
                                                             &Envelope::correlationid,
                                                             &Envelope::submitter,
                                                             nullptr,
                                                             &Envelope::dataschema,
                                                             nullptr};

// These have one value only, or say by which schema all else is checked.
bool is_fixed(Attribute attribute) {
  return kViews[attribute] == nullptr || attribute == kType || attribute == kDataSchema;
}

// Masks for the first 0 to 16 bytes of two words.
constexpr auto kMasks = [] {
  std::array<std::array<std::uint64_t, 2>, 17> masks{};
  for (std::size_t size = 0; size <= 16; ++size) {
    for (std::size_t i = 0; i < size; ++i) masks[size][i / 8] |= std::uint64_t{0xff} << (i % 8 * 8);
  }
  return masks;
}();

// Two words at a time, the last ones masked: up to 15 bytes behind both must be readable. Faster than memcmp for the
// few bytes of a scalar and what follows it.
inline bool same(const char* a, const char* b, std::size_t size) {
  for (;;) {
    std::uint64_t x[2], y[2];
    std::memcpy(x, a, sizeof x);
    std::memcpy(y, b, sizeof y);
    const auto& mask = kMasks[std::min<std::size_t>(size, sizeof x)];
    if ((((x[0] ^ y[0]) & mask[0]) | ((x[1] ^ y[1]) & mask[1])) != 0) return false;
    if (size <= sizeof x) return true;
    a += sizeof x, b += sizeof x, size -= sizeof x;
  }
}

bool is_plain_string(std::string_view token) {
  return token.size() >= 2 && token.front() == '"' && token.back() == '"' &&
         !has_backslash(token.substr(1, token.size() - 2));
}
std::string_view without_quotes(std::string_view token) { return token.substr(1, token.size() - 2); }

bool fits(const SchemaNode& node, std::string_view token) {
  switch (token.front()) {
    case '"': {
      int place = NameTable::kAbsent;
      return (node.types & kStringType) != 0 && is_plain_string(token) &&
             string_fits(node, without_quotes(token), place);
    }
    case 't':
    case 'f':
    case 'n':
      return (node.types & literal_type(token)) != 0;
    default: {
      const NumberForm form = number_form(token);
      return form != NumberForm::kNone && number_type_fits(node, form) && number_in_range(node, token, form);
    }
  }
}

// An attribute that says what it said before.
void take(Attribute attribute, std::string_view token, Envelope& envelope) {
  if (const auto view = kViews[attribute]) envelope.*view = without_quotes(token);
  if (attribute == kSource) envelope.party = envelope.source.substr(record_rules::kSourcePrefix.size());
}

}  // namespace

RecordShape::RecordShape(const TokenStream& tokens, const std::vector<WalkedScalar>& scalars, std::uint32_t data_token)
    : text_(tokens.text()), data_first_(data_token) {
  data_last_ = *tokens.behind(data_token) - 1;
  for (const WalkedScalar& scalar : scalars) {
    scalars_.push_back({.token = scalar.token, .attribute = kAttributes, .fixed = scalar.decides, .node = scalar.node});
    if (scalar.is_subject) subject_token_ = scalar.token;
  }
  add_attributes(tokens, data_token);
  std::sort(scalars_.begin(), scalars_.end(), [](const Scalar& a, const Scalar& b) { return a.token < b.token; });
  for (Scalar& scalar : scalars_) {
    scalar.begin = tokens.offset(scalar.token);
    scalar.size = static_cast<std::uint32_t>(tokens.token(scalar.token).size());
  }
  scalars_.push_back({.token = tokens.size(), .begin = static_cast<std::uint32_t>(text_.size())});
  text_.append(kRecordPadding, ' ');
}

void RecordShape::add_attributes(const TokenStream& tokens, std::uint32_t data_token) {
  // The record is known to be good: tokens are a bracket, then name, colon, value and comma of each member.
  for (std::uint32_t name = 1; name + 2 < tokens.size();) {
    const std::uint32_t value = name + 2;
    if (value == data_token) {
      name = data_last_ + 2;
      continue;
    }
    const Attribute attribute = attribute_at(tokens.at(name) + 1, 0);
    const bool known = attribute != kAttributes;
    if (known) set_attribute(attribute, without_quotes(tokens.token(value)), envelope_);
    scalars_.push_back(
        {.token = value, .attribute = static_cast<std::uint8_t>(attribute), .fixed = !known || is_fixed(attribute)});
    name = value + 2;
  }
}

// By induction over the scalars: up to the end of each the record is the pattern's with other scalars in its place.
// What follows is the same bytes, so the same tokens; then begins the next scalar; and it is one token, whole.
bool RecordShape::fits(const TokenStream& tokens, Envelope& envelope) const {
  const char* const text = tokens.text().data();
  const char* const own = text_.data();
  std::uint32_t begin = tokens.offset(scalars_.front().token);
  if (begin != scalars_.front().begin || !same(text, own, begin)) return false;
  envelope = envelope_;
  for (const Scalar* scalar = scalars_.data(); scalar + 1 != scalars_.data() + scalars_.size(); ++scalar) {
    const std::uint32_t own_end = scalar->begin + scalar->size;
    const std::uint32_t between = scalar[1].begin - own_end;
    const std::uint32_t next = tokens.offset(scalar[1].token);
    if (next <= begin + between) return false;
    const std::uint32_t end = next - between;
    if (tokens.offset(scalar->token + 1) < end) return false;

    const std::string_view token(text + begin, end - begin);
    if (token.size() == scalar->size && same(token.data(), own + scalar->begin, scalar->size + between)) {
      if (scalar->attribute < kAttributes) take(static_cast<Attribute>(scalar->attribute), token, envelope);
    } else if (scalar->fixed || !same(text + end, own + own_end, between)) {
      return false;
    } else if (scalar->node != nullptr) {
      if (!thalweg::fits(*scalar->node, token)) return false;
    } else if (!is_plain_string(token) ||
               set_attribute(static_cast<Attribute>(scalar->attribute), without_quotes(token), envelope)) {
      return false;
    }
    begin = next;
  }
  const std::uint32_t data = tokens.offset(data_first_);
  envelope.data_raw = {text + data, tokens.offset(data_last_) + 1 - data};
  return !subject_token_ || without_quotes(tokens.token(*subject_token_)) == envelope.subject;
}

bool RecordShapes::fits(const TokenStream& tokens, Envelope& envelope) const {
  const Place& place = places_[tokens.size() % kShapes];
  return place.tokens == tokens.size() && place.shape && place.shape->fits(tokens, envelope);
}

bool RecordShapes::wants(const TokenStream& tokens) {
  return tokens.text().size() <= kMostBytes && ++places_[tokens.size() % kShapes].missed >= kPatience;
}

void RecordShapes::learn(const TokenStream& tokens, RecordShape shape) {
  places_[tokens.size() % kShapes] = {tokens.size(), 0, std::move(shape)};
}

}  // namespace thalweg
