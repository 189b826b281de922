// vocabulary.cc: the words that region files may use for each enumeration, and what people call them.
#include "region/vocabulary.h"

namespace thalweg::region {
namespace {

constexpr Term<PartyKind> kPartyKinds[] = {
    {"environment", PartyKind::kEnvironment, "生态环境部门", "environment bureau"},
    {"functional_zone", PartyKind::kFunctionalZone, "功能区管委会", "functional zone"},
    {"township", PartyKind::kTownship, "乡镇街道", "township office"},
    {"water", PartyKind::kWater, "水利部门", "water bureau"},
    {"agriculture", PartyKind::kAgriculture, "农业农村部门", "agriculture bureau"},
    {"police", PartyKind::kPolice, "公安机关", "police"},
    {"procuratorate", PartyKind::kProcuratorate, "检察机关", "procuratorate"},
    {"court", PartyKind::kCourt, "人民法院", "court"},
    {"river_chief", PartyKind::kRiverChief, "河长办", "river-chief office"},
    {"government", PartyKind::kGovernment, "人民政府", "government"},
    {"other", PartyKind::kOther, "其他单位", "other"},
};
constexpr Term<PartyLevel> kPartyLevels[] = {
    {"nation", PartyLevel::kNation, "国家级", "nation"},
    {"province", PartyLevel::kProvince, "省级", "province"},
    {"city", PartyLevel::kCity, "地市级", "city"},
    {"county", PartyLevel::kCounty, "区县级", "county"},
    {"township", PartyLevel::kTownship, "乡镇级", "township"},
    {"other", PartyLevel::kOther, "其他", "other"},
};
constexpr Term<DamKind> kDamKinds[] = {
    {"dam", DamKind::kDam, "坝", "dam"},
    {"gate", DamKind::kGate, "水闸", "sluice gate"},
    {"hydropower", DamKind::kHydropower, "水电站", "hydropower"},
};
constexpr Term<SectionRank> kSectionRanks[] = {
    {"none", SectionRank::kNotSet, "无", "none"},
    {"national", SectionRank::kNational, "国家", "national"},
    {"municipal", SectionRank::kMunicipal, "市级", "municipal"},
    {"district", SectionRank::kDistrict, "区县", "district"},
};
constexpr Term<SectionKind> kSectionKinds[] = {
    {"river", SectionKind::kRiver, "河流", "river"},
    {"lake", SectionKind::kLake, "湖库", "lake or reservoir"},
};
constexpr Term<AgreementKind> kAgreementKinds[] = {
    {"statutory", AgreementKind::kStatutory, "法定", "statutory"},
    {"bilateral", AgreementKind::kBilateral, "双边", "bilateral"},
    {"multilateral", AgreementKind::kMultilateral, "多边", "multilateral"},
    {"internal", AgreementKind::kInternal, "内部", "internal"},
};
constexpr Term<AgreementStatus> kAgreementStatuses[] = {
    {"proposed", AgreementStatus::kProposed, "拟议", "proposed"},
    {"signed", AgreementStatus::kSigned, "已签署", "signed"},
    {"in_force", AgreementStatus::kInForce, "生效", "in force"},
    {"suspended", AgreementStatus::kSuspended, "中止", "suspended"},
    {"ended", AgreementStatus::kEnded, "终止", "ended"},
};
constexpr Term<Direction> kDirections[] = {
    {"mutual", Direction::kMutual, "双向", "mutual"},
    {"one_way", Direction::kOneWay, "单向", "one way"},
};
constexpr Term<Lane> kLanes[] = {
    {"routine", Lane::kRoutine, "常规", "routine"},
    {"urgent", Lane::kUrgent, "紧急", "urgent"},
};
constexpr Term<Family> kFamilies[] = {
    {"section_data", Family::kSectionData, "断面数据", "section data"},
    {"emergency_notice", Family::kEmergencyNotice, "突发事件通报", "emergency notices"},
    {"emergency_report", Family::kEmergencyReport, "信息报告", "emergency reports"},
    {"enforcement", Family::kEnforcement, "联合执法", "joint enforcement"},
    {"resources", Family::kResources, "应急资源", "emergency resources"},
    {"compensation", Family::kCompensation, "生态补偿", "compensation"},
    {"", Family::kReceipt, "回执", "receipts"},
    {"", Family::kOther, "其他", "other records"},
};

}  // namespace

template <>
std::span<const Term<PartyKind>> terms() {
  return kPartyKinds;
}
template <>
std::span<const Term<PartyLevel>> terms() {
  return kPartyLevels;
}
template <>
std::span<const Term<DamKind>> terms() {
  return kDamKinds;
}
template <>
std::span<const Term<SectionRank>> terms() {
  return kSectionRanks;
}
template <>
std::span<const Term<SectionKind>> terms() {
  return kSectionKinds;
}
template <>
std::span<const Term<AgreementKind>> terms() {
  return kAgreementKinds;
}
template <>
std::span<const Term<AgreementStatus>> terms() {
  return kAgreementStatuses;
}
template <>
std::span<const Term<Direction>> terms() {
  return kDirections;
}
template <>
std::span<const Term<Lane>> terms() {
  return kLanes;
}
template <>
std::span<const Term<Family>> terms() {
  return kFamilies;
}

}  // namespace thalweg::region
