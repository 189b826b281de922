// fault.h: one thing that is wrong with a record.
#pragma once

#include <string>

#include "thalweg/cpp/result.h"

namespace thalweg {

struct Fault {
  Code code = Code::kInternal;
  std::string path;     ///< JSON pointer from the record's root, e.g. "/lane", "/data/values/3/unit"; "" is the record
  std::string message;  ///< for people
};

}  // namespace thalweg
