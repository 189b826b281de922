// toml_reader.h: reads tables of a TOML file (of a region; hub.toml) key by key and notes every mistake with its line.
#pragma once

#include <toml++/toml.h>

#include <optional>

#include "region/load.h"
#include "region/vocabulary.h"

namespace thalweg::region {

/// Collects mistakes; beyond 1,000 they are only counted, so that a wrong file cannot fill the memory.
class MistakeList {
 public:
  explicit MistakeList(std::vector<Mistake>& out) : out_(out) {}
  void add(const std::string& file, std::uint32_t line, std::string key, Code code, Words message);
  bool full() const { return out_.size() > kMost; }

 private:
  static constexpr std::size_t kMost = 1000;
  std::vector<Mistake>& out_;
};

/// A value with the place where it stands, for messages that come later.
struct Text {
  std::string value;
  const std::string* file = nullptr;
  std::uint32_t line = 0;
  std::string key;
  bool given() const { return !value.empty(); }
};

enum class Need { kOptional, kRequired };

/// One table of a file. Every key that is asked for counts as known; finish() reports the others.
/// Missing and wrong values are noted as mistakes and read as empty, so that reading goes on.
class TableReader {
 public:
  TableReader(const toml::table& table, const std::string& file, std::string path, MistakeList& mistakes)
      : table_(&table), file_(&file), path_(std::move(path)), mistakes_(&mistakes) {}

  Text text(std::string_view key, Need need);
  /// A text that is a code: 1 to 64 of 0-9 A-Z a-z . _ -
  Text code(std::string_view key, Need need);
  std::vector<Text> texts(std::string_view key, Need need);
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high, Need need,
                       std::int64_t otherwise = 0);
  double number(std::string_view key, double low, double high, Need need, double otherwise = 0);
  /// A date (in Beijing time; the end of that day for `Edge::kEnd`) or a time with its offset, as Unix nanoseconds.
  enum class Edge { kStart, kEnd };
  std::optional<std::int64_t> moment(std::string_view key, Edge edge, Need need);
  template <class E>
  E word(std::string_view key, Need need, E otherwise);
  template <class E>
  std::optional<E> word_of(const Text& text);
  std::optional<TableReader> table(std::string_view key, Need need);
  std::vector<TableReader> tables(std::string_view key, Need need);
  bool has(std::string_view key) const { return table_->contains(key); }
  /// The node type of a key that may be a text or a table.
  bool is_table(std::string_view key) const { return table_->get(key) && table_->get(key)->is_table(); }

  /// Reports keys that nobody asked for, with the nearest known ones.
  void finish();

  /// Where `key` stands (or the table, when it is absent).
  Text site(std::string_view key) const;
  void mistake(std::string_view key, Code code, Words message) const;

 private:
  const toml::node* get(std::string_view key, Need need);
  std::string path_of(std::string_view key) const;
  std::optional<std::string> checked(const toml::node& node, const std::string& path, std::uint32_t line);
  void wrong_word(const Text& text, std::span<const std::string> known);

  const toml::table* table_;
  const std::string* file_;
  std::string path_;
  MistakeList* mistakes_;
  std::vector<std::string> asked_;
};

template <class E>
std::optional<E> TableReader::word_of(const Text& text) {
  std::vector<std::string> known;
  for (const Term<E>& t : terms<E>()) {
    if (t.word.empty()) continue;
    if (t.word == text.value) return t.value;
    known.emplace_back(t.word);
  }
  wrong_word(text, known);
  return std::nullopt;
}

template <class E>
E TableReader::word(std::string_view key, Need need, E otherwise) {
  const Text found = text(key, need);
  return found.given() ? word_of<E>(found).value_or(otherwise) : otherwise;
}

/// "'x' or 'y'" / "“x”或“y”" of the nearest names, with ": " in front; empty when none is near.
Words nearest_words(std::string_view wanted, std::span<const std::string> known);

}  // namespace thalweg::region
