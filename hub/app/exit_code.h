// exit_code.h: exit codes of all programs; documented in docs/operate.md and stable.
#pragma once

#include "thalweg/cpp/result.h"

namespace thalweg::app {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,        ///< it was tried and did not work; the message says why
  kExitUsage = 64,        ///< the command line is wrong
  kExitData = 65,         ///< the input is wrong: a file, a record, a damaged ledger
  kExitNotFound = 66,     ///< what was named is not there
  kExitUnavailable = 69,  ///< the program to ask does not run, or the far side is not there
  kExitSoftware = 70,     ///< an error of the program itself
  kExitIo = 74,
  kExitDenied = 77,
  kExitConfig = 78,  ///< configuration or region files are wrong; nothing was started
};

inline ExitCode exit_code_of(Code code) {
  const int number = static_cast<int>(code);
  switch (code) {
    case Code::kOk:
      return kExitOk;
    case Code::kConfig:
      return kExitConfig;
    case Code::kNotFound:
      return kExitNotFound;
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kBusy:
    case Code::kLedgerLocked:
      return kExitUnavailable;
    case Code::kDenied:
    case Code::kKeyPermissions:
    case Code::kKeyUnreadable:
    case Code::kAdapterNotAllowed:
      return kExitDenied;
    case Code::kIo:
    case Code::kDiskFull:
    case Code::kSyncFailed:
      return kExitIo;
    case Code::kInternal:
    case Code::kState:
      return kExitSoftware;
    default:
      break;
  }
  if (number >= 500 && number < 600) return kExitConfig;  // region files
  if ((number >= 100 && number < 300) || code == Code::kDamaged || code == Code::kData || code == Code::kInvalid)
    return kExitData;
  return kExitFailed;
}

}  // namespace thalweg::app
