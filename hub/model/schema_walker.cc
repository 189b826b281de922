// schema_walker.cc: checks JSON against a compiled schema by one walk over simdjson, without a DOM.
#include "model/schema_walker.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/invariant.h"
#include "model/json_token.h"
#include "model/schema_faults.h"
#include "model/schema_nodes.h"

namespace thalweg {
namespace {

namespace ondemand = simdjson::ondemand;

// Where keys came last time: after the key at place i, the key at order[i + 1] is tried first. Records of one source
// bear their keys in one order, so that a key costs one comparison instead of a hash.
struct KeyOrder {
  std::shared_ptr<const SchemaNodes> nodes;  // held, so that the address means this schema and no later one
  std::vector<std::uint8_t> next;
};
constexpr std::size_t kMaxOrders = 32;

// The members at the top of the value that was checked last, as they stand there.
struct TopMembers {
  std::uint64_t seen = 0;  // which of `token` are of this value
  std::array<std::string_view, NameTable::kMaxNames> token;
};

constexpr std::string_view kIncomplete = "there is more or less than one whole object";

}  // namespace

struct SchemaWalker::Parts {
  ondemand::parser parser;
  std::vector<KeyOrder> orders;
  std::shared_ptr<const SchemaNodes> last;
  TopMembers top;

  std::uint8_t* order_of(const std::shared_ptr<const SchemaNodes>& nodes) {
    for (KeyOrder& order : orders) {
      if (order.nodes == nodes) return order.next.data();
    }
    if (orders.size() == kMaxOrders) orders.clear();
    orders.push_back({nodes, std::vector<std::uint8_t>(nodes->order_size, 0)});
    return orders.back().next.data();
  }
};

namespace {

class Walk {
 public:
  Walk(const WalkTask& task, std::vector<Fault>& faults, const SchemaNodes* nodes, std::uint8_t* order, TopMembers* top)
      : task_(task), faults_(faults), nodes_(nodes), order_(order), top_(top) {}

  void run(ondemand::parser& parser) {
    const auto text = as_text(task_.json);
    if (text.size() > kMaxRecordBytes) return report(too_large(path()));
    if (text.size() > parser.capacity() || parser.capacity() == 0) {
      // In steps of two, so that records that grow byte by byte do not cost an allocation each.
      constexpr std::size_t kSmallest = 16 << 10;
      THALWEG_INVARIANT(parser.allocate(std::max(kSmallest, std::bit_ceil(text.size()))) == simdjson::SUCCESS);
    }
    const auto started = parser.iterate(text.data(), text.size(), text.size() + kRecordPadding).get(document_);
    THALWEG_INVARIANT(started != simdjson::MEMALLOC);
    if (started != simdjson::SUCCESS) return broken(started, /*located=*/false);
    // A container that is cut off could send the parser beyond its tokens. When the last one closes a container, it
    // gets no further than the byte behind the text before it fails (or is not at the end below).
    const std::string_view whole = trimmed(text);
    ondemand::value root;
    if ((whole.back() != '}' && whole.back() != ']') || document_.get_value().get(root) != simdjson::SUCCESS) {
      return report(not_json(path(), kIncomplete));
    }
    const std::string_view token = token_of(root);
    if (token.empty()) return broken(simdjson::TAPE_ERROR);
    if (nodes_ != nullptr) {
      value(root, token, nodes_->nodes[0]);
    } else {
      any_value(root, token);
    }
    if (!halted_ && document_.current_location().error() != simdjson::OUT_OF_BOUNDS)
      report(not_json(path(), kIncomplete));
  }

 private:
  struct Step {
    const NameTable* names = nullptr;  // member `place` of these, or
    std::string_view key;              // this key, or (when null)
    std::uint32_t place = 0;           // this item
  };

  // --- faults -------------------------------------------------------------------------------------------------------
  std::string path() const {
    std::string text(task_.root_path);
    for (std::size_t i = 0; i < depth_; ++i) append(text, steps_[i]);
    return text;
  }
  std::string path_to(std::string_view member) const {
    std::string text = path();
    append(text, Step{nullptr, member, 0});
    return text;
  }
  static void append(std::string& text, const Step& step) {
    constexpr std::size_t kShown = 60;
    if (step.names == nullptr && step.key.data() == nullptr) {
      text += '[';
      text += std::to_string(step.place);
      text += ']';
      return;
    }
    std::string_view key = step.names != nullptr ? std::string_view((*step.names)[step.place]) : step.key;
    if (key.size() > kShown) {
      key = key.substr(0, kShown);
      while (!key.empty() && (static_cast<std::uint8_t>(key.back()) & 0xc0) == 0x80) key.remove_suffix(1);
      if (!key.empty() && (static_cast<std::uint8_t>(key.back()) & 0x80) != 0) key.remove_suffix(1);
    }
    if (!text.empty()) text += '.';
    for (char c : key) text += static_cast<std::uint8_t>(c) < 0x20 ? '?' : c;
  }

  void report(Fault fault) {
    if (faults_.size() < kMaxFaults) faults_.push_back(std::move(fault));
    if (faults_.size() >= kMaxFaults) halted_ = true;
  }
  void broken(simdjson::error_code error, bool located = true) {
    if (halted_) return;
    const char* at = nullptr;
    const auto text = as_text(task_.json);
    const bool known = located && document_.current_location().get(at) == simdjson::SUCCESS && at >= text.data() &&
                       at <= text.data() + text.size();
    const auto offset = known ? std::optional(static_cast<std::size_t>(at - text.data()) + task_.offset) : std::nullopt;
    report(not_json(path(), simdjson::error_message(error), offset));
    halted_ = true;
  }
  void broken_at(std::string_view token, std::string_view reason) {
    report(
        not_json(path(), reason, static_cast<std::size_t>(token.data() - as_text(task_.json).data()) + task_.offset));
    halted_ = true;
  }

  // --- the walk -----------------------------------------------------------------------------------------------------
  // Nothing is consumed of a value that is not descended into: the iteration around it steps over it.
  void value(ondemand::value& it, std::string_view token, const SchemaNode& node) {
    switch (token.front()) {
      case '"':
        if (node.types & kStringType) return string(it, token, node);
        return report(wrong_type(path(), node.types, kStringType));
      case '{':
        if (!(node.types & kObjectType)) return report(wrong_type(path(), node.types, kObjectType));
        if (node.free_object) return any_object(it, node.max_members);
        return object(it, node);
      case '[':
        if (!(node.types & kArrayType)) return report(wrong_type(path(), node.types, kArrayType));
        return array(it, node);
      case 't':
      case 'f':
      case 'n': {
        const std::uint8_t found = literal_type(token);
        if (found == 0) return broken_at(token, "a literal is true, false or null");
        if (!(node.types & found)) report(wrong_type(path(), node.types, found));
        return;
      }
      default:
        return number(token, node);
    }
  }

  // The bytes of a value that is no container, or the bracket of one; empty beyond the end of the text.
  std::string_view token_of(ondemand::value& it) const {
    const std::string_view token = it.raw_json_token();
    const auto* end = reinterpret_cast<const char*>(task_.json.data() + task_.json.size());
    if (token.data() >= end) return {};
    return trimmed(token);
  }

  static std::uint8_t literal_type(std::string_view token) {
    if (token == "null") return kNullType;
    return token == "true" || token == "false" ? std::uint8_t{kBooleanType} : std::uint8_t{0};
  }

  void number(std::string_view token, const SchemaNode& node) {
    const NumberForm form = number_form(token);
    if (form == NumberForm::kNone) return broken_at(token, "this is no value");
    if (!(node.types & (kNumberType | kIntegerType))) return report(wrong_type(path(), node.types, kNumberType));
    if (!(node.types & kNumberType) && form != NumberForm::kInteger)
      return report(wrong_type(path(), node.types, kNumberType));
    if (!node.has_bounds && is_surely_finite(token)) return;
    const double found = number_value(token);
    if (!(found >= node.minimum && found <= node.maximum) || found - found != 0)
      report(wrong_number(path(), node, token));
  }

  void string(ondemand::value& it, std::string_view token, const SchemaNode& node, std::uint8_t* place = nullptr) {
    if (token.size() < 2 || token.back() != '"') return broken_at(token, "a string is not closed");
    std::string_view text = token.substr(1, token.size() - 2);
    if (has_backslash(text)) [[unlikely]] {
      if (auto error = it.get_string().get(text)) return broken(error);
      if (text.find('\0') != text.npos) return report(null_character(path()));
    }
    if (node.values.size() > 0) {
      const int found = node.values.find(text);
      if (found == NameTable::kAbsent) return report(wrong_value(path(), node.values, text));
      if (place != nullptr) *place = static_cast<std::uint8_t>(found);
    }
    if (text.size() > node.max_length) [[unlikely]] {  // bytes; characters are counted only when it may matter
      if (const auto size = characters(text); size > node.max_length) {
        return report(wrong_length(path(), Bound::kMost, node.max_length, size));
      }
    }
    if (text.size() < std::size_t{node.min_length} * 4) {
      if (const auto size = characters(text); size < node.min_length) {
        return report(wrong_length(path(), Bound::kLeast, node.min_length, size));
      }
    }
    if (!has_format(node.format, text)) report(wrong_format(path(), node.format, text));
  }

  // False when the value is too deep to go into.
  bool enter() {
    if (task_.depth + depth_ > kMaxRecordDepth) {
      report(too_deep(path()));
      return false;
    }
    ++depth_;
    return true;
  }
  void leave() { --depth_; }
  Step& step() { return steps_[depth_ - 1]; }

  void object(ondemand::value& it, const SchemaNode& node) {
    if (!enter()) return;
    ondemand::object members;
    if (auto error = it.get_object().get(members)) return leave(), broken(error);
    const bool at_top = depth_ == 1;
    std::uint8_t* order = order_ + node.order_at;
    std::uint64_t seen = 0;
    std::array<std::uint8_t, SchemaNode::kMaxSlots> values_of{};  // enum places that conditions ask for
    std::uint32_t known = 0;                                      // which of them were found, as bits
    std::size_t last = 0;
    for (auto entry : members) {
      ondemand::field field;
      if (auto error = std::move(entry).get(field)) return leave(), broken(error);
      int place = order[last];
      if (!node.members.is_key(static_cast<std::size_t>(place), field.key().raw())) {
        place = find_member(field, node);
        if (halted_) return leave();
        if (place == NameTable::kAbsent) continue;
        order[last] = static_cast<std::uint8_t>(place);
      }
      const auto at = static_cast<std::size_t>(place);
      last = at + 1;
      step() = {&node.members, {}, static_cast<std::uint32_t>(at)};
      const std::uint64_t bit = std::uint64_t{1} << at;
      if (seen & bit) report(repeated_member(path()));
      seen |= bit;
      ondemand::value& member = field.value();
      const std::string_view token = token_of(member);
      if (token.empty()) return leave(), broken(simdjson::TAPE_ERROR);
      if (at_top) {
        top_->token[at] = token;
        top_->seen = seen;
      }
      const SchemaNode& expected = nodes_->nodes[node.member_nodes[at]];
      if (const std::uint8_t slot = node.member_slots[at]; slot != SchemaNode::kNoSlot && token.front() == '"') {
        constexpr std::uint8_t kUnknown = 0xff;
        std::uint8_t found = kUnknown;
        string(member, token, expected, &found);
        if (found != kUnknown) {
          values_of[slot] = found;
          known |= 1u << slot;
        }
      } else {
        value(member, token, expected);
      }
      if (halted_) return leave();
    }
    leave();
    if ((node.required & ~seen) == 0 && node.any_required.empty() && node.conditions.empty()) return;
    absent_members(node, seen, values_of, known);
  }

  // A key that did not come where it came last time.
  int find_member(ondemand::field& field, const SchemaNode& node) {
    std::string_view key = raw_key(field.key().raw());
    if (has_backslash(key)) {
      if (auto error = field.unescaped_key().get(key)) {
        broken(error);
        return NameTable::kAbsent;
      }
    }
    const int place = node.members.find(key);
    if (place == NameTable::kAbsent) {
      step() = {nullptr, key, 0};
      report(unknown_member(path(), key, node.members));
    }
    return place;
  }

  void absent_members(const SchemaNode& node, std::uint64_t seen,
                      const std::array<std::uint8_t, SchemaNode::kMaxSlots>& values_of, std::uint32_t known) {
    std::uint64_t absent = node.required & ~seen;
    for (std::uint64_t left = absent; left != 0 && !halted_; left &= left - 1) {
      report(missing_member(path_to(node.members[static_cast<std::size_t>(std::countr_zero(left))])));
    }
    for (const SchemaCondition& condition : node.conditions) {
      if (!(known >> condition.slot & 1) || !(condition.values >> values_of[condition.slot] & 1)) continue;
      const std::string& value = nodes_->nodes[node.member_nodes[condition.member]].values[values_of[condition.slot]];
      for (std::uint64_t left = condition.required & ~seen & ~absent; left != 0 && !halted_; left &= left - 1) {
        const auto at = static_cast<std::size_t>(std::countr_zero(left));
        absent |= std::uint64_t{1} << at;
        report(missing_because(path_to(node.members[at]), node.members[condition.member], value));
      }
    }
    if (node.any_required.empty() || halted_) return;
    for (std::uint64_t choice : node.any_required) {
      if ((choice & ~seen) == 0) return;
    }
    report(missing_one_of(path(), node));
  }

  void array(ondemand::value& it, const SchemaNode& node) {
    if (!enter()) return;
    ondemand::array items;
    if (auto error = it.get_array().get(items)) return leave(), broken(error);
    const SchemaNode& expected = nodes_->nodes[node.items];
    std::uint32_t count = 0;
    for (auto entry : items) {
      ondemand::value item;
      if (auto error = std::move(entry).get(item)) return leave(), broken(error);
      step() = {nullptr, {}, count};
      if (++count > node.max_items) break;  // one fault for all that is too much; the rest is stepped over
      const std::string_view token = token_of(item);
      if (token.empty()) return leave(), broken(simdjson::TAPE_ERROR);
      value(item, token, expected);
      if (halted_) return leave();
    }
    leave();
    if (count > node.max_items) report(wrong_count(path(), Bound::kMost, node.max_items, CountOf::kItems));
    if (count < node.min_items) report(wrong_count(path(), Bound::kLeast, node.min_items, CountOf::kItems));
  }

  // --- values that no schema describes: JSON all the same -----------------------------------------------------------
  void any_value(ondemand::value& it, std::string_view token) {
    switch (token.front()) {
      case '"': {
        static const SchemaNode kAnyString = [] {
          SchemaNode node;
          node.types = kStringType;
          return node;
        }();
        return string(it, token, kAnyString);
      }
      case '{':
        return any_object(it, SchemaNode::kUnbounded);
      case '[':
        return any_array(it);
      case 't':
      case 'f':
      case 'n':
        if (literal_type(token) == 0) broken_at(token, "a literal is true, false or null");
        return;
      default:
        static const SchemaNode kAnyNumber = [] {
          SchemaNode node;
          node.types = kNumberType | kIntegerType;
          return node;
        }();
        return number(token, kAnyNumber);
    }
  }

  void any_object(ondemand::value& it, std::uint32_t max_members) {
    if (!enter()) return;
    ondemand::object members;
    if (auto error = it.get_object().get(members)) return leave(), broken(error);
    std::uint32_t count = 0;
    for (auto entry : members) {
      ondemand::field field;
      if (auto error = std::move(entry).get(field)) return leave(), broken(error);
      std::string_view key = raw_key(field.key().raw());
      step() = {nullptr, key, 0};
      if (has_backslash(key)) {
        if (auto error = field.unescaped_key().get(key)) return leave(), broken(error);
      }
      ++count;
      const std::string_view token = token_of(field.value());
      if (token.empty()) return leave(), broken(simdjson::TAPE_ERROR);
      any_value(field.value(), token);
      if (halted_) return leave();
    }
    leave();
    if (count > max_members) report(wrong_count(path(), Bound::kMost, max_members, CountOf::kMembers));
  }

  void any_array(ondemand::value& it) {
    if (!enter()) return;
    ondemand::array items;
    if (auto error = it.get_array().get(items)) return leave(), broken(error);
    std::uint32_t count = 0;
    for (auto entry : items) {
      ondemand::value item;
      if (auto error = std::move(entry).get(item)) return leave(), broken(error);
      step() = {nullptr, {}, count++};
      const std::string_view token = token_of(item);
      if (token.empty()) return leave(), broken(simdjson::TAPE_ERROR);
      any_value(item, token);
      if (halted_) return leave();
    }
    leave();
  }

  const WalkTask& task_;
  std::vector<Fault>& faults_;
  const SchemaNodes* nodes_;
  std::uint8_t* order_;
  TopMembers* top_;
  ondemand::document document_;
  std::array<Step, kMaxRecordDepth + 1> steps_{};
  std::size_t depth_ = 0;  // containers that were entered
  bool halted_ = false;    // nothing more can be said: broken JSON, or enough faults
};

}  // namespace

SchemaWalker::SchemaWalker() : parts_(std::make_unique<Parts>()) {}
SchemaWalker::~SchemaWalker() = default;
SchemaWalker::SchemaWalker(SchemaWalker&&) noexcept = default;
SchemaWalker& SchemaWalker::operator=(SchemaWalker&&) noexcept = default;

bool SchemaWalker::check(const Schema& schema, const WalkTask& task, std::vector<Fault>& faults) {
  const auto& nodes = schema.nodes();
  const std::size_t before = faults.size();
  if (before >= kMaxFaults) return false;
  if (parts_->last != nodes) parts_->last = nodes;
  parts_->top.seen = 0;
  Walk(task, faults, nodes.get(), parts_->order_of(nodes), &parts_->top).run(parts_->parser);
  if (task.subject && nodes->subject_place != NameTable::kAbsent) {
    const auto at = static_cast<std::size_t>(nodes->subject_place);
    const std::string_view token = parts_->top.seen >> at & 1 ? parts_->top.token[at] : std::string_view();
    if (token.size() >= 2 && token.front() == '"' && token.substr(1, token.size() - 2) != *task.subject) {
      const std::string& member = nodes->nodes[0].members[at];
      const auto found = text_of(member);
      if (found && *found != *task.subject && faults.size() < kMaxFaults) {
        faults.push_back(wrong_subject(std::string(task.root_path) + "." + member, *task.subject, *found));
      }
    }
  }
  return faults.size() == before;
}

bool SchemaWalker::check_json(const WalkTask& task, std::vector<Fault>& faults) {
  const std::size_t before = faults.size();
  if (before >= kMaxFaults) return false;
  Walk(task, faults, nullptr, nullptr, nullptr).run(parts_->parser);
  return faults.size() == before;
}

std::optional<std::string> SchemaWalker::text_of(std::string_view member) const {
  if (parts_->last == nullptr) return std::nullopt;
  const int place = parts_->last->nodes[0].members.find(member);
  if (place == NameTable::kAbsent) return std::nullopt;
  if (!(parts_->top.seen >> place & 1)) return std::nullopt;
  const std::string_view token = parts_->top.token[static_cast<std::size_t>(place)];
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  return unescaped(token);
}

}  // namespace thalweg
