// desk_tools.h: small things that the answers of the people's desk are made of. Private to gate.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "link/local_socket.h"

namespace thalweg::gate {

/// {"ok":false,"code":..,"message":..}
nlohmann::json failure(Code code, std::string_view message);
/// The member when it is a text, else "".
std::string text_of(const nlohmann::json& request, const char* key);
/// The member is there, and is true.
bool is_true(const nlohmann::json& request, const char* key);
void send_reply(const link::LocalConnectionRef& connection, std::uint64_t id, const nlohmann::json& answer, bool last);

}  // namespace thalweg::gate
