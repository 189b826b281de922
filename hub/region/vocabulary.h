// vocabulary.h: the words that region files may use for each enumeration, and what people call them.
#pragma once

#include <span>

#include "region/agreement.h"
#include "region/section.h"

namespace thalweg::region {

/// One word of a region file. The words are a public contract: never change one, only add.
template <class E>
struct Term {
  std::string_view word;
  E value;
  std::string_view zh;
  std::string_view en;
};

/// All words for `E`, in the order of docs/region.md.
template <class E>
std::span<const Term<E>> terms();

template <>
std::span<const Term<PartyKind>> terms();
template <>
std::span<const Term<PartyLevel>> terms();
template <>
std::span<const Term<DamKind>> terms();
template <>
std::span<const Term<SectionRank>> terms();
template <>
std::span<const Term<SectionKind>> terms();
template <>
std::span<const Term<AgreementKind>> terms();
template <>
std::span<const Term<AgreementStatus>> terms();
template <>
std::span<const Term<Direction>> terms();
template <>
std::span<const Term<Lane>> terms();
template <>
std::span<const Term<Family>> terms();

template <class E>
const Term<E>& term(E value) {
  for (const Term<E>& t : terms<E>())
    if (t.value == value) return t;
  return terms<E>().back();
}

template <class E>
Words words_of(E value) {
  const Term<E>& t = term(value);
  return {std::string(t.zh), std::string(t.en)};
}

}  // namespace thalweg::region
