// record_views.h: records as people see them: one line, a table, the ladder of who has got it.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/terminal.h"

namespace thalweg::app {

/// "2026-09-23 06:00:00" in Beijing of a time with any offset; a text that is no time comes back as it is, made clean.
std::string beijing(std::string_view rfc3339);

/// 突发环境事件通报 or "emergency notice"; a type that is not known is shown as it is.
std::string type_label(const Terminal& terminal, std::string_view type);
/// The whole name of a family for "observation", "notice", "report", "enforcement", "receipt", "event"; else as it is.
std::string whole_type(std::string_view text);

/// 【紧急】【演练】 in front of what must not be overlooked or mistaken; with a blank behind it where there is any.
std::string marks(const Terminal& terminal, std::string_view lane, std::string_view exercise);

/// What a record says, in a few words, from its `data`: "预警通报 濑溪河 …", "12 factors, class V".
std::string summary(const Terminal& terminal, std::string_view type, const nlohmann::json& data);

/// Names of the parties and sections of a region, to stand behind their codes.
class Names {
 public:
  Names() = default;
  /// Of the answer to `region`, of a hub or a gate; whatever it lacks has no name.
  Names(const Terminal& terminal, const nlohmann::json& region);
  /// "510521 泸县生态环境局"; the code alone where there is no name.
  std::string party(const std::string& code) const { return with(parties_, code); }
  /// Of a section or, in what the hub says of a party, that party; an incident has no other name.
  std::string subject(const std::string& text) const {
    return sections_.contains(text) ? with(sections_, text) : party(text);
  }

 private:
  using Map = std::map<std::string, std::string>;
  static std::string with(const Map& names, const std::string& code);
  Map parties_, sections_;
};

/// The answer of `records`, of a hub or a gate, as a table, newest first.
std::string record_table(const Terminal& terminal, const nlohmann::json& records, const Names& names = {});

/// One line (or two) for a record that `tail` tells of.
std::string tail_line(const Terminal& terminal, const nlohmann::json& event, const Names& names = {});

/// `show` at a gate: the record and, if it was sent from there, how far it got with each receiver. Nothing is called
/// delivered before a person has signed: who has not is named with the duty telephone.
std::string show_at_gate(const Terminal& terminal, const nlohmann::json& record);

/// `show` at the hub. `parties`: those of `status`, for names and telephones; may be null.
std::string show_at_hub(const Terminal& terminal, const nlohmann::json& record, const nlohmann::json& parties);

/// The agreements by which a record went, one line each.
std::string grant_lines(const Terminal& terminal, const nlohmann::json& grants);

/// Those of `ids` that begin or end with `part`, each once.
std::vector<std::string> matching_ids(const nlohmann::json& records, std::string_view part);

/// Reads of answers that may lack anything.
std::string text_in(const nlohmann::json& object, const char* key);
double number_in(const nlohmann::json& object, const char* key);
bool true_in(const nlohmann::json& object, const char* key);
const nlohmann::json& list_in(const nlohmann::json& object, const char* key);

}  // namespace thalweg::app
