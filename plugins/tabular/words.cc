// words.cc: headers and words of the default columns, in both languages.
#include <array>

#include "sink_config.h"

namespace thalweg::tabular {
namespace {

struct Name {
  std::string_view from, zh, en;
  CellKind kind = CellKind::kText;
};

constexpr Name kNames[] = {
    {"@exercise", "演练", "exercise", CellKind::kCode},
    {"@time", "时间", "time", CellKind::kNumber},
    {"@type", "记录类型", "type"},
    {"@subject", "断面/事件/案件编号", "subject", CellKind::kCode},
    {"@subject_name", "名称", "name"},
    {"@party", "来源主体", "from party", CellKind::kCode},
    {"@party_name", "来源名称", "from"},
    {"@submitter", "提交者", "submitted by"},
    {"@correlation", "关联编号", "correlation", CellKind::kCode},
    {"@lane", "通道", "lane"},
    {"@record_id", "记录编号", "record id"},
    {"@mark", "提示", "note"},
    {"@flags", "数据标记", "flags"},
    {"@other", "其他因子", "other factors"},
    {"@data", "数据", "data"},
    {"/station", "站点编号MN", "station MN", CellKind::kCode},
    {"/published_class", "公布类别", "published class"},
    {"/time", "监测时间", "time", CellKind::kNumber},
    {"/mode", "监测方式", "mode"},
    {"/review", "审核状态", "review"},
    {"/period", "统计时段", "period"},
    {"/incident", "事件编号", "incident", CellKind::kCode},
    {"/case", "案件编号", "case", CellKind::kCode},
    {"/kind", "类别", "kind"},
    {"/step", "环节", "step"},
    {"/stage", "阶段", "stage"},
    {"/level", "级别", "level"},
    {"/river", "河流", "river"},
    {"/section", "断面", "section", CellKind::kCode},
    {"/place", "地点", "place"},
    {"/occurred_at", "发生时间", "occurred at", CellKind::kNumber},
    {"/learned_at", "获知时间", "learned at", CellKind::kNumber},
    {"/description", "基本情况", "description"},
    {"/pollutants", "主要污染物", "pollutants"},
    {"/contact", "联系人", "contact"},
    {"/telephone", "联系电话", "telephone", CellKind::kCode},
    {"/approval", "签发状态", "approval"},
    {"/approved_by", "签发人", "approved by"},
    {"/unverified", "待核实", "unverified"},
    {"/wanted", "协查内容", "wanted"},
    {"/answer_by", "答复时限", "answer by", CellKind::kNumber},
    {"/measures_taken", "处置情况", "measures taken"},
    {"/document_number", "文号", "document number", CellKind::kCode},
    {"/reporting_unit", "报告单位", "reporting unit"},
    {"/at", "时间", "at", CellKind::kNumber},
    {"/title", "标题", "title"},
    {"/parties", "参与主体", "parties"},
    {"/subjects", "当事人", "subjects"},
    {"/owner", "责任方", "owner"},
    {"/deadline", "时限", "deadline", CellKind::kNumber},
    {"/result", "结果", "result"},
    {"/reason", "理由", "reason"},
    {"/evidence", "证据", "evidence"},
    {"/sealed", "密封", "sealed"},
    {"/record", "所回执的记录", "receipted record"},
    {"/party", "签收主体", "signing party", CellKind::kCode},
    {"/officer", "签收人", "officer"},
    {"/by", "方式", "by"},
    {"/measures", "措施", "measures"},
    {"/remark", "备注", "remark"},
};

struct Word {
  std::string_view member, word, zh;
};

constexpr Word kWords[] = {
    {"/kind", "warning", "预警通报"},
    {"/kind", "information", "情况通报"},
    {"/kind", "search", "溯源协查"},
    {"/kind", "end", "解除"},
    {"/kind", "first", "初报"},
    {"/kind", "follow_up", "续报"},
    {"/kind", "final", "处理结果报告"},
    {"/kind", "joint_patrol", "联合巡查"},
    {"/kind", "joint_inspection", "联合执法"},
    {"/kind", "cross_inspection", "交叉执法"},
    {"/kind", "mutual_inspection", "互查"},
    {"/kind", "finding", "问题"},
    {"/kind", "lead_transfer", "线索移送"},
    {"/kind", "assistance_request", "案件协查"},
    {"/kind", "case_briefing", "案情通报"},
    {"/kind", "case_transfer", "案件移送"},
    {"/kind", "litigation_lead", "公益诉讼线索"},
    {"/step", "found", "发现"},
    {"/step", "assigned", "交办"},
    {"/step", "rectified", "整改"},
    {"/step", "rechecked", "复核"},
    {"/step", "written_off", "销号"},
    {"/step", "looked_back", "回头看"},
    {"/step", "sent_back", "退回"},
    {"/step", "reopened", "重启"},
    {"/step", "opened", "立案"},
    {"/step", "requested", "请求"},
    {"/step", "answered", "答复"},
    {"/step", "transferred", "移送"},
    {"/step", "accepted", "接收"},
    {"/step", "declined", "不予接收"},
    {"/step", "briefed", "通报"},
    {"/stage", "shown", "已显示"},
    {"/stage", "signed", "已签收"},
    {"/stage", "measures", "已报告措施"},
    {"/level", "unknown", "未定"},
    {"/approval", "approved", "已签发"},
    {"/approval", "pending", "待签发"},
    {"/mode", "automatic", "自动"},
    {"/mode", "manual", "手工"},
    {"/mode", "laboratory", "实验室"},
    {"/review", "raw", "原始"},
    {"/review", "reviewed", "已审核"},
    {"/review", "final", "终审"},
    {"@lane", "urgent", "紧急"},
    {"@lane", "routine", "常规"},
    {"/by", "phone", "电话"},
    {"/by", "console", "页面"},
    {"/by", "cli", "命令行"},
    {"/sealed", "true", "是"},
    {"/sealed", "false", "否"},
};

std::string both(std::string_view zh, std::string_view en, Language language) {
  if (language == Language::kZh) return std::string(zh);
  if (language == Language::kEn) return std::string(en);
  return std::string(zh) + " " + std::string(en);
}

}  // namespace

Result<Column> make_column(const std::string& from, const std::string& header, Language language,
                           const FactorTable& factors) {
  Column column{from, header, CellKind::kText};
  if (const FactorTable::Row* factor = factors.find(from); factor != nullptr) {
    column.kind = CellKind::kNumber;
    const std::string unit = factor->unit == "1" ? "" : "(" + std::string(factor->unit) + ")";
    if (header.empty()) column.header = both(factor->name_zh, factor->name_en, language) + unit;
    return column;
  }
  for (const Name& name : kNames) {
    if (name.from != from) continue;
    column.kind = name.kind;
    if (header.empty()) column.header = both(name.zh, name.en, language);
    return column;
  }
  if (from.empty() || from[0] != '/')
    return Error{Code::kConfig, "no such column: \"" + from + "\"; it must be @name, /member or a factor code"};
  if (header.empty()) column.header = from.substr(1);
  return column;
}

std::string word_for(std::string_view family, std::string_view member, std::string_view word, Language language) {
  if (language == Language::kEn || (family == "other" && member[0] == '/')) return std::string(word);
  for (const Word& known : kWords)
    if (known.member == member && known.word == word) return both(known.zh, word, language);
  return std::string(word);
}

std::string_view family_of(std::string_view type) {
  struct Family {
    std::string_view type, family;
  };
  for (const Family& known : {Family{"thalweg.section.observation.", "observation"},
                              {"thalweg.emergency.notice.", "notice"},
                              {"thalweg.emergency.report.", "report"},
                              {"thalweg.enforcement.record.", "enforcement"},
                              {"thalweg.receipt.", "receipt"}})
    if (type.substr(0, known.type.size()) == known.type) return known.family;
  return "other";
}

std::vector<std::string> default_columns(std::string_view family) {
  if (family == "observation")
    return {"@time",  "@subject", "@subject_name", "/station", "@party", "@mark",  "/published_class",
            "w01010", "w01001",   "w01009",        "w01014",   "w01003", "w01019", "w21003",
            "w21011", "w21001",   "w01016",        "w19011",   "@flags", "@other"};
  if (family == "notice")
    return {"@time",        "/kind",       "/incident", "/level",     "/river",      "/section",     "/place",
            "/description", "/pollutants", "/contact",  "/telephone", "/learned_at", "/occurred_at", "/approval",
            "/approved_by", "/unverified", "/wanted",   "/answer_by", "@party",      "@party_name"};
  if (family == "report")
    return {"@time",      "/kind",       "/incident",       "/level",           "/reporting_unit",
            "/river",     "/place",      "/description",    "/pollutants",      "/contact",
            "/telephone", "/learned_at", "/measures_taken", "/document_number", "@party"};
  if (family == "enforcement")
    return {"/at",       "/case",     "/kind",   "/step",        "/title",
            "/parties",  "/river",    "/place",  "/description", "/subjects",
            "/owner",    "/deadline", "/result", "/reason",      "/document_number",
            "/evidence", "/sealed",   "@party",  "@party_name"};
  if (family == "receipt")
    return {"/at", "/record", "/stage", "/party", "/officer", "/telephone", "/by", "/incident", "/measures", "/remark"};
  return {"@time", "@type", "@subject", "@party", "@data"};
}

}  // namespace thalweg::tabular
