#include "app/cli/record_views.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "model/time.h"

namespace thalweg::app {
namespace {

using nlohmann::json;

struct Family {
  std::string_view type, nickname, zh, en;
};
constexpr std::array kFamilies = {
    Family{"thalweg.section.observation.v1", "observation", "断面监测数据", "section observation"},
    Family{"thalweg.emergency.notice.v1", "notice", "突发环境事件通报", "emergency notice"},
    Family{"thalweg.emergency.report.v1", "report", "突发环境事件信息报告", "emergency report"},
    Family{"thalweg.enforcement.record.v1", "enforcement", "联合执法记录", "enforcement record"},
    Family{"thalweg.receipt.v1", "receipt", "签收回执", "receipt"},
    Family{"thalweg.hub.event.v1", "event", "交换中枢事件", "hub event"},
};

struct Word {
  std::string_view key, zh, en;
};
constexpr std::array kWords = {
    Word{"warning", "预警通报", "warning"},
    Word{"information", "情况通报", "information"},
    Word{"search", "溯源协查", "search"},
    Word{"end", "解除", "end of alert"},
    Word{"first", "初报", "first report"},
    Word{"follow_up", "续报", "follow-up report"},
    Word{"final", "处理结果报告", "final report"},
    Word{"shown", "已显示", "shown to"},
    Word{"signed", "已签收", "signed for by"},
    Word{"measures", "已报告措施", "measures reported by"},
    Word{"phone", "电话", "by telephone"},
    Word{"cli", "命令行", "command line"},
    Word{"console", "页面", "console"},
    Word{"joint_patrol", "联合巡查", "joint patrol"},
    Word{"joint_inspection", "联合执法", "joint inspection"},
    Word{"cross_inspection", "交叉执法", "cross inspection"},
    Word{"mutual_inspection", "互查", "mutual inspection"},
    Word{"finding", "问题", "finding"},
    Word{"lead_transfer", "线索移送", "lead transfer"},
    Word{"assistance_request", "案件协查", "request for assistance"},
    Word{"case_briefing", "案情通报", "case briefing"},
    Word{"case_transfer", "案件移送", "case transfer"},
    Word{"litigation_lead", "公益诉讼线索", "litigation lead"},
    Word{"found", "发现", "found"},
    Word{"assigned", "交办", "assigned"},
    Word{"rectified", "整改", "rectified"},
    Word{"rechecked", "复核", "rechecked"},
    Word{"written_off", "销号", "written off"},
    Word{"looked_back", "回头看", "looked back"},
    Word{"sent_back", "退回", "sent back"},
    Word{"reopened", "重启", "reopened"},
    Word{"opened", "立案", "case opened"},
    Word{"requested", "请求", "requested"},
    Word{"answered", "答复", "answered"},
    Word{"transferred", "移送", "transferred"},
    Word{"accepted", "接收", "accepted"},
    Word{"declined", "不予接收", "declined"},
    Word{"briefed", "通报", "briefed"},
};

std::string word(const Terminal& t, std::string_view key) {
  for (const Word& one : kWords)
    if (one.key == key) return std::string(t.say(one.zh, one.en));
  return clean(key);
}

std::string clean_in(const json& object, const char* key) { return clean(text_in(object, key)); }

/// A gate names a record's members otherwise than the hub.
std::string either(const json& object, const char* one, const char* other) {
  const std::string text = clean_in(object, one);
  return text.empty() ? clean_in(object, other) : text;
}

/// Code and name, of a party or a section.
std::string code_and_name(const Terminal& t, const json& party, const std::string& code) {
  const std::string zh = clean_in(party, "name_zh"), en = clean_in(party, "name_en");
  const std::string& name = t.chinese() || en.empty() ? zh : en;
  return name.empty() ? code : code + " " + name;
}

/// Is a signature owed? Readings and receipts need none: red everywhere would teach people to overlook red.
bool needs_signature(std::string_view type) {
  return !type.starts_with("thalweg.section.observation.") && !type.starts_with("thalweg.receipt.") &&
         !type.starts_with("thalweg.hub.event.");
}

std::string state_text(const Terminal& t, const json& record) {
  const std::string state = text_in(record, "state");
  const int code = static_cast<int>(number_in(record, "code"));
  const std::string number = code == 0 ? "" : " " + std::to_string(code);
  if (state == "stored") return t.paint(Colour::kYellow, t.say("待发送", "waiting"));
  if (state == "accepted") return std::string(t.say("中枢已接收", "accepted")) + number;
  if (state == "refused") return t.paint(Colour::kRed, t.say("中枢拒收", "refused")) + number;
  if (state == "received") return std::string(t.say("已收到", "received"));
  if (state == "doubtful") return t.paint(Colour::kRed, t.say("存疑", "doubtful")) + number;
  if (state.empty() && code == 0) return std::string(t.say("已接收", "accepted"));
  const CodeText& text = text_of(static_cast<Code>(code));
  return number.empty() ? clean(state)
                        : std::to_string(code) + " " + std::string(t.say(text.meaning_zh, text.meaning_en));
}

std::string reason_line(const Terminal& t, const json& record) {
  const int code = static_cast<int>(number_in(record, "code"));
  if (code == 0) return {};
  const CodeText& text = text_of(static_cast<Code>(code));
  std::string line = "  " + std::to_string(code) + " " + std::string(t.say(text.meaning_zh, text.meaning_en));
  const std::string why = either(record, "text", "reason");
  if (!why.empty()) line += std::string(t.say("：", ": ")) + why;
  if (const std::string remedy = t.say(text.remedy_zh, text.remedy_en); !remedy.empty())
    line += std::string(t.say("；", "; ")) + std::string(remedy);
  return line + "\n";
}

std::string yes_no(const Terminal& t, const json& step, const char* key) {
  const auto at = step.find(key);
  if (at == step.end() || !at->is_boolean()) return std::string(t.say("不详", "unknown"));
  return *at == true ? t.paint(Colour::kGreen, t.say("是", "yes")) : std::string(t.say("尚未", "not yet"));
}

std::string receipt_text(const Terminal& t, const json& receipt) {
  std::string line = word(t, text_in(receipt, "stage")) + (t.chinese() ? "：" : " ") + clean_in(receipt, "officer") +
                     " " + beijing(text_in(receipt, "at"));
  if (const std::string by = text_in(receipt, "by"); !by.empty())
    line += t.chinese() ? "（" + word(t, by) + "）" : " (" + word(t, by) + ")";
  if (const std::string measures = clean_in(receipt, "measures"); !measures.empty())
    line += std::string(t.say("：", ": ")) + measures;
  return line;
}

std::string unsigned_text(const Terminal& t, const json& step, bool owed) {
  const std::string phone = clean_in(step, "duty_phone"), zh = clean_in(step, "name_zh"),
                    en = clean_in(step, "name_en");
  std::string text(t.say("未签收", "NOT SIGNED FOR"));
  const std::string name = t.chinese() || en.empty() ? zh : en;
  if (!name.empty()) text += "  " + name;
  text += std::string(t.say("  值班电话 ", "  duty telephone ")) +
          (phone.empty() ? std::string(t.say("未登记", "not on file")) : phone);
  return owed ? t.paint(Colour::kRed, text) : text;
}

/// The steps behind acceptance, for each receiver.
std::string receiver_table(const Terminal& t, const json& steps, bool owed) {
  Table table({std::string(t.say("接收方", "receiver")), std::string(t.say("已入对方收件箱", "in inbox")),
               std::string(t.say("已由适配器取走", "taken by adapter")), std::string(t.say("签收", "signed for"))});
  std::string more;
  for (const json& step : steps) {
    if (!step.is_object()) continue;
    const std::string code = either(step, "party", "receiver");
    std::string sign = unsigned_text(t, step, owed);
    if (const auto at = step.find("signed"); at != step.end() && at->is_object())
      sign = t.paint(Colour::kGreen, receipt_text(t, *at));
    table.row({code_and_name(t, step, code), yes_no(t, step, "in_inbox"), yes_no(t, step, "taken"), std::move(sign)});
    for (const json& receipt : list_in(step, "receipts"))
      if (text_in(receipt, "stage") != "signed") more += "  " + code + "  " + receipt_text(t, receipt) + "\n";
  }
  return table.text(t) + more;
}

std::string head_lines(const Terminal& t, const json& record) {
  const std::string type = text_in(record, "type");
  std::string out = marks(t, text_in(record, "lane"), text_in(record, "exercise")) +
                    t.paint(Colour::kBold, type_label(t, type)) + "  " + clean_in(record, "subject") + "\n";
  const auto line = [&](std::string_view zh, std::string_view en, const std::string& value) {
    if (value.empty()) return;
    const std::string label(t.say(zh, en));
    out += "  " + label + std::string(14 - std::min<std::size_t>(display_width(label), 13), ' ') + value + "\n";
  };
  line("记录", "record", either(record, "id", "record"));
  line("发送方", "from", either(record, "from", "party"));
  line("提交者", "submitted by", clean_in(record, "submitter"));
  line("时间", "time", beijing(text_in(record, "time")));
  line("演练编号", "exercise", clean_in(record, "exercise"));
  line("关联", "correlation", clean_in(record, "correlation"));
  return out;
}

/// `raw` is the whole record; its members stay in their order.
std::string content_lines(const Terminal& t, const std::string& raw) {
  const auto record = nlohmann::ordered_json::parse(raw, nullptr, false);
  if (!record.is_object() || !record.contains("data")) return {};
  const auto& data = record["data"];
  return "\n" + std::string(t.say("内容", "content")) + "\n" +
         clean(data.dump(2, ' ', false, json::error_handler_t::replace), Lines::kKept) + "\n";
}

}  // namespace

std::string text_in(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

double number_in(const json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? at->get<double>() : 0;
}

bool true_in(const json& object, const char* key) {
  if (!object.is_object()) return false;
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() && at->get<bool>();
}

const json& list_in(const json& object, const char* key) {
  static const json none = json::array();
  if (!object.is_object()) return none;
  const auto at = object.find(key);
  return at != object.end() && at->is_array() ? *at : none;
}

std::string beijing(std::string_view rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time) return clean(rfc3339);
  std::string text = format_rfc3339(*time, kBeijingOffset_minutes).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string type_label(const Terminal& t, std::string_view type) {
  for (const Family& family : kFamilies)
    if (family.type == type) return std::string(t.say(family.zh, family.en));
  return clean(type);
}

std::string whole_type(std::string_view text) {
  for (const Family& family : kFamilies)
    if (family.nickname == text || family.zh == text) return std::string(family.type);
  return std::string(text);
}

std::string marks(const Terminal& t, std::string_view lane, std::string_view exercise) {
  std::string out;
  if (lane == "urgent") out += t.paint(Colour::kRed, t.say("【紧急】", "[URGENT] "));
  if (!exercise.empty()) out += t.paint(Colour::kYellow, t.say("【演练】", "[EXERCISE] "));
  return out;
}

std::string summary(const Terminal& t, std::string_view type, const json& data) {
  std::vector<std::string> parts;
  const auto add = [&](std::string text) {
    if (!text.empty()) parts.push_back(std::move(text));
  };
  if (type == kFamilies[0].type) {
    add(std::to_string(list_in(data, "factors").size()) + std::string(t.say(" 项因子", " factors")));
    if (const std::string grade = clean_in(data, "published_class"); !grade.empty())
      add(std::string(t.say("水质 ", "class ")) + grade);
  } else if (type == kFamilies[1].type || type == kFamilies[2].type) {
    add(word(t, text_in(data, "kind")));
    add(clean_in(data, "river"));
    add(clean_in(data, "section"));
    add(clean_in(data, "place"));
    add(clean_in(data, "contact") + " " + clean_in(data, "telephone"));
  } else if (type == kFamilies[3].type) {
    add(word(t, text_in(data, "kind")) + std::string(t.say("·", ", ")) + word(t, text_in(data, "step")));
    add(clean_in(data, "title"));
  } else if (type == kFamilies[4].type) {
    add(clean_in(data, "party"));
    add(receipt_text(t, data));
    add(std::string(t.say("关于 ", "about ")) + clean_in(data, "record"));
  }
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : t.chinese() ? "，" : ", ") + part;
  return out;
}

Names::Names(const Terminal& t, const json& region) {
  for (const auto& [list, into] : {std::pair{"parties", &parties_}, {"sections", &sections_}})
    for (const json& one : list_in(region, list))
      if (const std::string code = clean_in(one, "code"); !code.empty()) (*into)[code] = code_and_name(t, one, code);
}

std::string Names::with(const Map& names, const std::string& code) {
  const auto at = names.find(code);
  return at == names.end() ? code : at->second;
}

std::string record_table(const Terminal& t, const json& records, const Names& names) {
  Table table({std::string(t.say("时间", "time")), std::string(t.say("发送方", "from")),
               std::string(t.say("类型", "type")), std::string(t.say("主题", "subject")),
               std::string(t.say("状态", "state")), std::string(t.say("接收方", "to")),
               std::string(t.say("记录", "record"))});
  for (const json& one : records) {
    if (!one.is_object()) continue;
    std::set<std::string> receivers;
    for (const json& grant : list_in(one, "grants"))
      for (const json& receiver : list_in(grant, "receivers"))
        if (receiver.is_string()) receivers.insert(clean(receiver.get<std::string>()));
    std::string to;
    for (const std::string& receiver : receivers)
      to += (to.empty() ? "" : t.chinese() ? "，" : ", ") + names.party(receiver);
    table.row({beijing(text_in(one, "time")), names.party(either(one, "from", "party")),
               marks(t, text_in(one, "lane"), text_in(one, "exercise")) + type_label(t, text_in(one, "type")),
               names.subject(clean_in(one, "subject")), state_text(t, one), to, either(one, "id", "record")});
  }
  return table.empty() ? std::string(t.say("没有记录\n", "no records\n")) : table.text(t);
}

std::string grant_lines(const Terminal& t, const json& grants) {
  std::string out;
  for (const json& grant : grants) {
    std::string to;
    for (const json& receiver : list_in(grant, "receivers"))
      if (receiver.is_string()) to += (to.empty() ? "" : " ") + clean(receiver.get<std::string>());
    const std::string agreement = clean_in(grant, "agreement");
    const std::string version = std::to_string(static_cast<long>(number_in(grant, "version")));
    if (true_in(grant, "fallback")) {
      out += t.say("没有适用的协议，按法定通报义务发往相邻各方", "no agreement fits: by the duty to tell neighbours");
    } else if (agreement.empty()) {
      out += t.say("答复原记录来源", "answer to the origin");
    } else {
      out += t.chinese() ? "按协议 " + agreement + "（第 " + version + " 版）"
                         : "by agreement " + agreement + ", version " + version;
    }
    // A receiver is not told who else receives.
    if (!to.empty()) out += std::string(t.say("，送：", ", to ")) + to;
    out += "\n";
  }
  return out;
}

std::string tail_line(const Terminal& t, const json& event, const Names& names) {
  const json record = json::parse(text_in(event, "raw"), nullptr, false);
  const std::string type = text_in(record, "type");
  std::string out = marks(t, text_in(event, "lane"), text_in(record, "exercise")) + beijing(text_in(record, "time")) +
                    "  " + names.party(clean_in(event, "from")) + "  " + type_label(t, type) + "  " +
                    names.subject(clean_in(record, "subject"));
  if (text_in(event, "state") == "doubtful") out += "  " + t.paint(Colour::kRed, t.say("存疑", "doubtful"));
  if (record.is_object() && record.contains("data"))
    if (const std::string says = summary(t, type, record["data"]); !says.empty()) out += "  " + says;
  return out + "  " + t.paint(Colour::kDim, clean_in(event, "id")) + "\n";
}

std::string show_at_gate(const Terminal& t, const json& record) {
  const std::string type = text_in(record, "type");
  std::string out = head_lines(t, record);
  if (text_in(record, "box") == "inbox") {
    out += "\n" + state_text(t, record) + "  " + beijing(text_in(record, "received_at")) +
           std::string(t.say("，中枢接收于 ", ", accepted by the hub at ")) + beijing(text_in(record, "accepted_at")) +
           "\n";
    out += reason_line(t, record);
    out += grant_lines(t, list_in(record, "grants"));
    for (const json& receipt : list_in(record, "receipts"))
      out += "  " + clean_in(receipt, "party") + "  " + receipt_text(t, receipt) + "\n";
  } else {
    const std::string state = text_in(record, "state");
    const std::string block = std::to_string(static_cast<long>(number_in(record, "block")));
    out += "\n";
    if (state == "stored") {
      out += t.paint(Colour::kYellow, t.say("尚未到达中枢：在本端发件箱中等待发送",
                                            "not at the hub yet: it waits in this gate's outbox")) +
             "  " + beijing(text_in(record, "stored_at")) + "\n";
    } else if (state == "refused") {
      out += t.paint(Colour::kRed, t.say("中枢拒收", "refused by the hub")) + "  " +
             beijing(text_in(record, "accepted_at")) + "\n";
    } else {
      out += t.paint(Colour::kGreen, t.say("中枢已接收", "accepted by the hub")) + "  " +
             beijing(text_in(record, "accepted_at")) + std::string(t.say("，区块 ", ", block ")) + block + "\n";
    }
    out += reason_line(t, record);
    out += grant_lines(t, list_in(record, "grants"));
    if (const json& steps = list_in(record, "progress"); !steps.empty()) {
      out += "\n" + receiver_table(t, steps, needs_signature(type));
    } else if (state == "accepted") {
      out += t.paint(Colour::kYellow, t.say("没有接收方", "nobody receives it")) + "\n";
    }
  }
  return out + content_lines(t, text_in(record, "raw"));
}

std::string show_at_hub(const Terminal& t, const json& record, const json& parties) {
  std::string out = head_lines(t, record);
  out += "\n" + std::string(t.say("前置端 ", "gate ")) + clean_in(record, "gate") +
         std::string(t.say("，数据包 ", ", parcel ")) + std::to_string(static_cast<long>(number_in(record, "parcel"))) +
         std::string(t.say("，区块 ", ", block ")) + std::to_string(static_cast<long>(number_in(record, "block"))) +
         std::string(t.say("，接收于 ", ", accepted at ")) + beijing(text_in(record, "accepted")) + "\n";
  out += reason_line(t, record);
  out += grant_lines(t, list_in(record, "grants"));
  const json& receivers = list_in(record, "receivers");
  if (!receivers.empty()) {
    Table table({std::string(t.say("接收方", "receiver")), std::string(t.say("已入对方收件箱", "in inbox")),
                 std::string(t.say("已由适配器取走", "taken by adapter")),
                 std::string(t.say("值班电话", "duty telephone"))});
    for (const json& step : receivers) {
      const std::string code = clean_in(step, "receiver");
      json party;
      if (parties.is_array())
        for (const json& one : parties)
          if (text_in(one, "party") == code) party = one;
      table.row({code_and_name(t, party, code), yes_no(t, step, "in_inbox"), yes_no(t, step, "taken"),
                 clean_in(party, "duty_phone")});
    }
    out += "\n" + table.text(t);
    out += std::string(
        t.say("谁已签收，请在发送方的前置端用 show 查看\n", "who has signed for it: `show` at the sender's gate\n"));
  }
  const auto content = record.find("content");
  return content == record.end()
             ? out
             : out + content_lines(t, content->dump(-1, ' ', false, json::error_handler_t::replace));
}

std::vector<std::string> matching_ids(const json& records, std::string_view part) {
  std::set<std::string> found;
  for (const json& one : records) {
    const std::string id = either(one, "id", "record");
    if (id.starts_with(part) || id.ends_with(part)) found.insert(id);
  }
  return {found.begin(), found.end()};
}

}  // namespace thalweg::app
