// schema_walker.cc: checks JSON against a compiled schema by one walk over simdjson, without a DOM.
#include "model/schema_walker.h"

#include <algorithm>
#include <array>
#include <bit>

#include "model/json_token.h"
#include "model/schema_faults.h"
#include "model/schema_nodes.h"
#include "model/schema_scalars.h"
#include "model/token_stream.h"

namespace thalweg {
namespace {

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

const SchemaNode& any_scalar() {
  static const SchemaNode node = [] {
    SchemaNode any;
    any.types = kStringType | kNumberType | kIntegerType;
    return any;
  }();
  return node;
}

}  // namespace

struct SchemaWalker::Parts {
  TokenStream tokens;
  std::vector<KeyOrder> orders;
  std::shared_ptr<const SchemaNodes> last;
  TopMembers top;
  std::uint32_t end_token = 0;

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
  Walk(const WalkTask& task, std::vector<Fault>& faults, TokenStream& tokens, const SchemaNodes* nodes,
       std::uint8_t* order, TopMembers* top)
      : task_(task), faults_(faults), tokens_(tokens), nodes_(nodes), order_(order), top_(top) {}

  void run() {
    const bool alone = task_.tokens == nullptr;
    if (alone) {
      if (task_.json.size() > kMaxRecordBytes) return report(too_large(path()));
      if (const auto fault = tokens_.open(task_.json)) return report(not_json(path(), words(*fault).english));
    }
    next_ = alone ? 0 : task_.first;
    if (nodes_ != nullptr) {
      value(nodes_->nodes[0]);
    } else {
      any_value();
    }
    if (alone && !halted_ && next_ < tokens_.size()) broken("something stands behind the value");
  }
  std::uint32_t end() const { return halted_ ? 0 : next_; }

 private:
  // A step of the path to where the walk is: none yet, member `place` of `names`, the key that is token `place`, or
  // item `place`.
  enum class StepKind : std::uint32_t { kNone, kMember, kKey, kItem };
  struct Step {
    const NameTable* names = nullptr;
    std::uint32_t place = 0;
    StepKind kind = StepKind::kNone;
  };

  // --- faults -------------------------------------------------------------------------------------------------------
  std::string path() const {
    std::string text(task_.root_path);
    for (std::size_t i = 0; i < depth_; ++i) {
      const Step& at = steps_[i];
      if (at.kind == StepKind::kItem) {
        text.append("[").append(std::to_string(at.place)).append("]");
      } else if (at.kind != StepKind::kNone) {
        append_key(text, at.kind == StepKind::kMember ? std::string_view((*at.names)[at.place])
                                                      : raw_key(tokens_.at(at.place) + 1));
      }
    }
    return text;
  }
  std::string path_to(std::string_view member) const {
    std::string text = path();
    append_key(text, member);
    return text;
  }
  static void append_key(std::string& text, std::string_view key) {
    constexpr std::size_t kShown = 60;
    if (key.size() > kShown) {
      std::size_t size = kShown;
      while (size > 0 && (static_cast<std::uint8_t>(key[size]) & 0xc0) == 0x80) --size;
      key = key.substr(0, size);
    }
    if (!text.empty()) text += '.';
    for (char c : key) text += static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f ? '?' : c;
  }

  void report(Fault fault) {
    if (faults_.size() < kMaxFaults) faults_.push_back(std::move(fault));
    if (faults_.size() >= kMaxFaults) halted_ = true;
  }
  // What stands at the next token, or is missing there, is not JSON: nothing more can be said.
  void broken(std::string_view reason) { broken_at(next_, reason); }
  void broken_at(std::uint32_t token, std::string_view reason) {
    if (halted_) return;
    report(not_json(path(), reason, tokens_.offset(std::min(token, tokens_.size()))));
    halted_ = true;
  }

  // --- the walk: `next_` is the first token that was not read
  // ---------------------------------------------------------
  void value(const SchemaNode& node) {
    switch (tokens_.first(next_)) {
      case '"':
        if (!(node.types & kStringType)) return mismatch(node, kStringType);
        string(node);
        return;
      case '{':
        if (!(node.types & kObjectType)) return mismatch(node, kObjectType);
        if (node.free_object) return any_object(node.max_members);
        return object(node);
      case '[':
        if (!(node.types & kArrayType)) return mismatch(node, kArrayType);
        return array(node);
      case 't':
      case 'f':
      case 'n':
        return literal(node);
      default:
        return number(node);
    }
  }

  void mismatch(const SchemaNode& node, std::uint8_t found) {
    report(wrong_type(path(), node.types, found));
    skip();
  }

  // Steps over a value that is at fault anyway, whatever its depth.
  void skip() {
    if (tokens_.first(next_) == ',' || tokens_.first(next_) == ':') return broken("a value is missing");
    std::size_t open = 0;
    do {
      const char c = tokens_.first(next_);
      if (c == '\0') return broken("the text ends too early");
      if (c == '{' || c == '[') ++open;
      if ((c == '}' || c == ']') && open-- == 0) return broken("a bracket too many");
      ++next_;
    } while (open > 0);
  }

  void literal(const SchemaNode& node) {
    const std::string_view token = tokens_.token(next_);
    const std::uint8_t found = literal_type(token);
    if (found == 0) return broken("a literal is true, false or null");
    if (!(node.types & found)) report(wrong_type(path(), node.types, found));
    passed_scalar(node);
  }

  void number(const SchemaNode& node) {
    if (next_ >= tokens_.size()) return broken("the text ends too early");
    const std::string_view token = tokens_.token(next_);
    const NumberForm form = number_form(token);
    if (form == NumberForm::kNone) return broken("this is no value");
    passed_scalar(node);
    if (!number_type_fits(node, form)) return report(wrong_type(path(), node.types, kNumberType));
    if (!number_in_range(node, token, form)) report(wrong_number(path(), node, token));
  }

  // The place of the value in the schema's list, or kAbsent.
  int string(const SchemaNode& node) {
    int place = NameTable::kAbsent;
    const std::string_view token = tokens_.token(next_);
    if (token.size() < 2 || token.back() != '"') [[unlikely]]
      return broken("a string is not closed"), place;
    std::string_view text = token.substr(1, token.size() - 2);
    if (has_backslash(text)) [[unlikely]] {
      const auto plain = tokens_.unescaped(token);
      if (!plain) return broken("an escape is wrong"), place;
      text = *plain;
      if (text.find('\0') != text.npos) {
        ++next_;
        return report(null_character(path())), place;
      }
    }
    passed_scalar(node);
    if (!string_fits(node, text, place)) [[unlikely]]
      report(wrong_string(path(), node, text));
    return place;
  }

  void passed_scalar(const SchemaNode& node) {
    if (task_.scalars != nullptr) [[unlikely]]
      task_.scalars->push_back({next_, &node});
    ++next_;
  }
  // `member` of `node` was read, from token `value` on.
  void tell_of(const SchemaNode& node, std::uint32_t member, std::uint32_t value, bool at_top) {
    if (task_.scalars->empty() || task_.scalars->back().token != value) return;
    task_.scalars->back().decides = node.member_slots[member] != SchemaNode::kNoSlot;
    task_.scalars->back().is_subject = at_top && static_cast<int>(member) == nodes_->subject_place;
  }

  // Goes into the bracket at the next token; false when that is too deep (the value was stepped over).
  bool enter() {
    if (task_.depth + depth_ > kMaxRecordDepth) {
      report(too_deep(path()));
      skip();
      return false;
    }
    ++depth_;
    ++next_;
    step() = {};
    return true;
  }
  Step& step() { return steps_[depth_ - 1]; }

  // Behind a member or item: true when another one follows.
  bool another(char close) {
    const char c = tokens_.first(next_);
    if (c != ',' && c != close) return broken("a comma or the closing bracket is missing"), false;
    ++next_;
    return c == ',';
  }
  // Reads a key and its colon; false when they are not there.
  bool key() {
    if (tokens_.first(next_) != '"') return broken("a key is missing"), false;
    if (tokens_.first(next_ + 1) != ':') return broken_at(next_ + 1, "a colon is missing"), false;
    next_ += 2;
    return true;
  }

  void object(const SchemaNode& node) {
    if (!enter()) return;
    const bool at_top = depth_ == 1;
    std::uint8_t* order = order_ + node.order_at;
    std::uint64_t seen = 0;
    std::array<std::int8_t, SchemaNode::kMaxSlots> values_of;  // enum places that conditions ask for
    values_of.fill(NameTable::kAbsent);
    std::size_t last = 0;
    bool more = tokens_.first(next_) != '}';
    if (!more) ++next_;
    while (more) {
      const std::uint32_t key_token = next_;
      if (!key()) break;
      int place = order[last];
      if (!node.members.is_key(static_cast<std::size_t>(place), tokens_.at(key_token) + 1)) [[unlikely]] {
        place = find_member(key_token, node);
        if (halted_) break;
        if (place == NameTable::kAbsent) {
          skip();
          if (halted_) break;
          more = another('}');
          continue;
        }
        order[last] = static_cast<std::uint8_t>(place);
      }
      const auto at = static_cast<std::uint32_t>(place);
      last = at + 1;
      step() = {&node.members, at, StepKind::kMember};
      const std::uint64_t bit = std::uint64_t{1} << at;
      if (seen & bit) [[unlikely]]
        report(repeated_member(path()));
      seen |= bit;
      const std::uint32_t value_token = next_;
      const SchemaNode& expected = nodes_->nodes[node.member_nodes[at]];
      if (const std::uint8_t slot = node.member_slots[at]; slot != SchemaNode::kNoSlot && tokens_.first(next_) == '"') {
        values_of[slot] = static_cast<std::int8_t>(string(expected));
      } else {
        value(expected);
      }
      if (halted_) break;
      if (task_.scalars != nullptr) [[unlikely]]
        tell_of(node, at, value_token, at_top);
      if (at_top) {
        top_->token[at] = tokens_.token(value_token);
        top_->seen = seen;
      }
      more = another('}');
    }
    --depth_;
    if (halted_) return;
    if ((node.required & ~seen) == 0 && node.any_required.empty() && node.conditions.empty()) return;
    absent_members(node, seen, values_of);
  }

  // A key that did not come where it came last time.
  int find_member(std::uint32_t key_token, const SchemaNode& node) {
    std::string_view name = raw_key(tokens_.at(key_token) + 1);
    step() = {nullptr, key_token, StepKind::kKey};
    if (has_backslash(name)) {
      const auto plain = tokens_.unescaped(tokens_.token(key_token));
      if (!plain) return broken_at(key_token, "an escape is wrong"), NameTable::kAbsent;
      name = *plain;
    }
    const int place = node.members.find(name);
    if (place == NameTable::kAbsent) report(unknown_member(path(), name, node.members));
    return place;
  }

  void absent_members(const SchemaNode& node, std::uint64_t seen,
                      const std::array<std::int8_t, SchemaNode::kMaxSlots>& values_of) {
    std::uint64_t absent = node.required & ~seen;
    for (std::uint64_t left = absent; left != 0 && !halted_; left &= left - 1) {
      report(missing_member(path_to(node.members[static_cast<std::size_t>(std::countr_zero(left))])));
    }
    for (const SchemaCondition& condition : node.conditions) {
      const int found = values_of[condition.slot];
      if (found == NameTable::kAbsent || !(condition.values >> found & 1)) continue;
      const std::string& value_text =
          nodes_->nodes[node.member_nodes[condition.member]].values[static_cast<std::size_t>(found)];
      for (std::uint64_t left = condition.required & ~seen & ~absent; left != 0 && !halted_; left &= left - 1) {
        const auto at = static_cast<std::size_t>(std::countr_zero(left));
        absent |= std::uint64_t{1} << at;
        report(missing_because(path_to(node.members[at]), node.members[condition.member], value_text));
      }
    }
    if (node.any_required.empty() || halted_) return;
    for (std::uint64_t choice : node.any_required) {
      if ((choice & ~seen) == 0) return;
    }
    report(missing_one_of(path(), node));
  }

  void array(const SchemaNode& node) {
    if (!enter()) return;
    const SchemaNode& expected = nodes_->nodes[node.items];
    std::uint32_t count = 0;
    bool more = tokens_.first(next_) != ']';
    if (!more) ++next_;
    while (more) {
      step() = {nullptr, count, StepKind::kItem};
      if (++count > node.max_items) {
        skip();  // one fault for all that is too much
      } else {
        value(expected);
      }
      if (halted_) break;
      more = another(']');
    }
    --depth_;
    if (halted_) return;
    if (count > node.max_items) report(wrong_count(path(), Bound::kMost, node.max_items, CountOf::kItems));
    if (count < node.min_items) report(wrong_count(path(), Bound::kLeast, node.min_items, CountOf::kItems));
  }

  // --- values that no schema describes: JSON all the same -----------------------------------------------------------
  void any_value() {
    switch (tokens_.first(next_)) {
      case '{':
        return any_object(SchemaNode::kUnbounded);
      case '[':
        return any_array();
      case 't':
      case 'f':
      case 'n': {
        static const SchemaNode any_literal = [] {
          SchemaNode node;
          node.types = kNullType | kBooleanType;
          return node;
        }();
        return literal(any_literal);
      }
      default:
        return value(any_scalar());
    }
  }

  void any_object(std::uint32_t max_members) {
    if (!enter()) return;
    std::uint32_t count = 0;
    bool more = tokens_.first(next_) != '}';
    if (!more) ++next_;
    while (more && !halted_) {
      const std::uint32_t key_token = next_;
      if (!key()) break;
      step() = {nullptr, key_token, StepKind::kKey};
      const std::string_view name = tokens_.token(key_token);
      if (has_backslash(name) && !tokens_.unescaped(name)) broken_at(key_token, "an escape is wrong");
      if (halted_) break;
      ++count;
      any_value();
      if (!halted_) more = another('}');
    }
    --depth_;
    if (!halted_ && count > max_members) report(wrong_count(path(), Bound::kMost, max_members, CountOf::kMembers));
  }

  void any_array() {
    if (!enter()) return;
    std::uint32_t count = 0;
    bool more = tokens_.first(next_) != ']';
    if (!more) ++next_;
    while (more && !halted_) {
      step() = {nullptr, count++, StepKind::kItem};
      any_value();
      if (!halted_) more = another(']');
    }
    --depth_;
  }

  const WalkTask& task_;
  std::vector<Fault>& faults_;
  TokenStream& tokens_;
  const SchemaNodes* nodes_;
  std::uint8_t* order_;
  TopMembers* top_;
  std::uint32_t next_ = 0;
  std::size_t depth_ = 0;  // containers that were entered
  bool halted_ = false;    // nothing more can be said: broken JSON, or enough faults
  std::array<Step, kMaxRecordDepth + 1> steps_;
};

}  // namespace

SchemaWalker::SchemaWalker() : parts_(std::make_unique<Parts>()) {}
SchemaWalker::~SchemaWalker() = default;
SchemaWalker::SchemaWalker(SchemaWalker&&) noexcept = default;
SchemaWalker& SchemaWalker::operator=(SchemaWalker&&) noexcept = default;

bool SchemaWalker::check(const Schema& schema, const WalkTask& task, std::vector<Fault>& faults) {
  const auto& nodes = schema.nodes();
  const std::size_t before = faults.size();
  parts_->end_token = 0;
  if (before >= kMaxFaults) return false;
  if (parts_->last != nodes) parts_->last = nodes;
  parts_->top.seen = 0;
  Walk walk(task, faults, task.tokens != nullptr ? *task.tokens : parts_->tokens, nodes.get(), parts_->order_of(nodes),
            &parts_->top);
  walk.run();
  parts_->end_token = walk.end();
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

std::uint32_t SchemaWalker::end_token() const { return parts_->end_token; }

bool SchemaWalker::check_json(const WalkTask& task, std::vector<Fault>& faults) {
  const std::size_t before = faults.size();
  parts_->end_token = 0;
  if (before >= kMaxFaults) return false;
  Walk walk(task, faults, task.tokens != nullptr ? *task.tokens : parts_->tokens, nullptr, nullptr, nullptr);
  walk.run();
  parts_->end_token = walk.end();
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
