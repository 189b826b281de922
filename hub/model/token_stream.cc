// token_stream.cc: where the tokens of a JSON text begin, by simdjson's first stage; the only user of that stage.
#include "model/token_stream.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>

#include "base/invariant.h"

namespace thalweg {

TokenFaultWords words(TokenFault fault) {
  switch (fault) {
    case TokenFault::kEmpty:
      return {"there is nothing", "内容为空"};
    case TokenFault::kNotUtf8:
      return {"the text is not UTF-8", "文本不是 UTF-8 编码"};
    case TokenFault::kOpenString:
      return {"a string is not closed", "字符串未闭合"};
    case TokenFault::kControlCharacter:
      return {"a string holds a control character that is not escaped", "字符串含有未转义的控制字符"};
    case TokenFault::kOther:
      break;
  }
  return {"the text is broken", "文本已损坏"};
}

struct TokenStream::Impl {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::size_t capacity = 0;
  simdjson::ondemand::parser strings;
  Bytes plain;  // the last unescaped string
};

TokenStream::TokenStream() : impl_(std::make_unique<Impl>()) {
  THALWEG_INVARIANT(impl_->strings.allocate(simdjson::SIMDJSON_PADDING) == simdjson::SUCCESS);
}
TokenStream::~TokenStream() = default;
TokenStream::TokenStream(TokenStream&&) noexcept = default;
TokenStream& TokenStream::operator=(TokenStream&&) noexcept = default;

std::optional<TokenFault> TokenStream::open(ByteView json) {
  count_ = 0;
  if (json.size() > impl_->capacity) {
    // In steps of two, so that records that grow byte by byte do not cost an allocation each.
    constexpr std::size_t kSmallest = 16 << 10;
    constexpr std::size_t kUnusedDepth = 1;  // for the second stage, which is not run
    impl_->capacity = std::max(kSmallest, std::bit_ceil(json.size()));
    const auto made = simdjson::get_active_implementation()->create_dom_parser_implementation(
        impl_->capacity, kUnusedDepth, impl_->stage);
    THALWEG_INVARIANT(made == simdjson::SUCCESS);
  }
  if (json.empty()) return TokenFault::kEmpty;
  const auto error = impl_->stage->stage1(json.data(), json.size(), simdjson::stage1_mode::regular);
  switch (error) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return TokenFault::kEmpty;
    case simdjson::UTF8_ERROR:
      return TokenFault::kNotUtf8;
    case simdjson::UNCLOSED_STRING:
      return TokenFault::kOpenString;
    case simdjson::UNESCAPED_CHARS:
      return TokenFault::kControlCharacter;
    default:
      return TokenFault::kOther;
  }
  text_ = as_text(json).data();
  places_ = impl_->stage->structural_indexes.get();
  count_ = impl_->stage->n_structural_indexes;
  // The stage ends its list with the length, on which token() relies.
  THALWEG_INVARIANT(places_[count_] == json.size());
  return std::nullopt;
}

std::optional<std::uint32_t> TokenStream::behind(std::uint32_t open) const {
  std::uint32_t depth = 0;
  for (std::uint32_t i = open; i < count_; ++i) {
    // '{' and '[', '}' and ']' differ in one bit, which no other beginning of a token shares with them.
    const int c = text_[places_[i]] | 0x20;
    if (c == '{') {
      ++depth;
    } else if (c == '}') {
      if (--depth == 0) return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> TokenStream::unescaped(std::string_view token) {
  impl_->plain.resize(token.size() + simdjson::SIMDJSON_PADDING);
  std::uint8_t* out = impl_->plain.data();
  const simdjson::ondemand::raw_json_string raw(reinterpret_cast<const std::uint8_t*>(token.data()) + 1);
  std::string_view plain;
  if (impl_->strings.unescape(raw, out).get(plain) != simdjson::SUCCESS) return std::nullopt;
  return plain;
}

}  // namespace thalweg
