// draft_files.h: records as people write them into files, before the gate makes records of them.
//
// One JSON object, a list of objects, or one object on each line:
//   {"type":…, "subject":…, "time":…, "lane":…, "exercise":…, "correlation":…, "origin_key":…, "data":{…}}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/lane.h"
#include "region/words.h"
#include "thalweg/cpp/result.h"

namespace thalweg::app {

struct FileDraft {
  std::string place;  ///< "notice.json" or "notices.jsonl:3", for messages
  std::string type, subject, time, exercise, correlation, origin_key;
  std::string data;  ///< JSON as it stands in the file, to the letter: 0.050 stays 0.050
  Lane lane = Lane::kRoutine;
  std::vector<region::Words> faults;  ///< what is wrong with its form, each with its path; then it is not sent
};

/// Reads a file's text. A draft with a wrong form comes back with its faults, so that all of them are named at once;
/// the others stay good. Without a lane, emergency notices and reports are urgent, all else routine. `exercise`, if
/// given, marks every draft; one that names another exercise is faulty.
/// `name` is that of the file. Errors: kData: no JSON at all, or nothing in it.
Result<std::vector<FileDraft>> read_drafts(std::string_view name, std::string_view text, std::string_view exercise);

/// The place of `text` in a list of JSON values' raw texts: the members of the array or object that `text` holds, in
/// order, as they stand there. `text` has been parsed before. Of an object: "key" and value by turns.
std::vector<std::string_view> raw_members(std::string_view text);

}  // namespace thalweg::app
