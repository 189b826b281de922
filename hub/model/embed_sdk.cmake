# embed_sdk.cmake: compiles the schemas and the factor dictionary of the SDK into the library, so that a program needs no files.
#   include()d by CMakeLists.txt: sets builtin_texts_source to the file that will be made
#   cmake -DOUT=x.cc -DFACTORS=f.tsv -DSCHEMAS=a.json,b.json -P embed_sdk.cmake: makes it
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(sdk_folder "${CMAKE_SOURCE_DIR}/sdk")
  set(schema_files "")
  foreach(type section.observation.v1 emergency.notice.v1 emergency.report.v1 enforcement.record.v1 receipt.v1 hub.event.v1)
    list(APPEND schema_files "${sdk_folder}/schemas/thalweg.${type}.json")
  endforeach()
  set(builtin_texts_source "${CMAKE_CURRENT_BINARY_DIR}/builtin_texts.cc")
  list(JOIN schema_files "," schema_argument)
  add_custom_command(OUTPUT "${builtin_texts_source}"
    COMMAND "${CMAKE_COMMAND}" "-DOUT=${builtin_texts_source}" "-DFACTORS=${sdk_folder}/data/factors.tsv" "-DSCHEMAS=${schema_argument}"
            -P "${CMAKE_CURRENT_LIST_DIR}/embed_sdk.cmake"
    DEPENDS ${schema_files} "${sdk_folder}/data/factors.tsv" "${CMAKE_CURRENT_LIST_DIR}/embed_sdk.cmake"
    COMMENT "Embedding the schemas of the SDK" VERBATIM)
  return()
endif()

# A raw string literal takes any text that does not hold its closing mark.
set(text "// Made from sdk/schemas and sdk/data by hub/model/embed_sdk.cmake. Do not edit.\n#include \"model/builtin_texts.h\"\n\nnamespace thalweg {\nnamespace {\n")
string(REPLACE "," ";" schemas "${SCHEMAS}")
string(APPEND text "constexpr std::string_view kSchemas[] = {\n")
foreach(file ${schemas})
  file(READ "${file}" content)
  string(APPEND text "R\"thalweg(${content})thalweg\",\n")
endforeach()
file(READ "${FACTORS}" content)
string(APPEND text "};\nconstexpr std::string_view kFactors = R\"thalweg(${content})thalweg\";\n")
string(APPEND text "}  // namespace\nstd::span<const std::string_view> builtin_schemas() { return kSchemas; }\nstd::string_view builtin_factors() { return kFactors; }\n}  // namespace thalweg\n")
file(WRITE "${OUT}" "${text}")
