// setup_files.h: what `thalweg init` puts into a new folder.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "region/words.h"
#include "trust/certificate.h"

namespace thalweg::app {

struct NewHub {
  Path folder;
  Path region;  ///< folder of region files to start from; copied
  std::string public_host = "127.0.0.1";
  std::string listen = "0.0.0.0";
  std::uint16_t routine_port = 7710;
  std::uint16_t urgent_port = 7711;
  std::uint16_t http_port = 0;
  region::Language language = region::Language::kEnglish;  ///< of `mistakes`
};
/// Keys, hub.toml, a copy of the region, both chains of a new ledger, and hub.card for the gates. Gives the card.
/// Errors: kExists (the folder has a hub.toml), those of keys, files and ledgers. `mistakes` of the region as text.
Result<trust::HubCard> create_hub(const Clock& clock, const NewHub& wanted, std::string& mistakes);

struct NewGate {
  Path folder;
  std::string party;
  std::string gate = "gate-1";
  std::optional<Path> identity;  ///< the party's identity key; absent: a new one is made in the folder
  std::string hub;               ///< HOST:PORT of the routine lane (urgent is the next port); may be empty with a card
  std::optional<Path> card;      ///< the hub's card; absent: comes later with `thalweg gate trust`
  Path plugins = "plugins";      ///< folder of the installed adapters; relative: to the gate's folder
  int valid_days = 730;
  bool receives = true;
};
struct CreatedGate {
  trust::GateCertificate certificate;
  Path enrolment;  ///< the small public file for the hub's operator
  bool new_identity = false;
};
/// Keys, certificate, gate.toml and the enrolment file. Errors: kExists, those of keys and files.
Result<CreatedGate> create_gate(const Clock& clock, const NewGate& wanted);

}  // namespace thalweg::app
