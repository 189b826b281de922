# ThalwegPlugin.cmake: thalweg_add_plugin() makes one folder one adapter plugin, ready to be put beside a gate.
#
#   thalweg_add_plugin(my_sink SOURCES my_sink.cc LIBS nlohmann_json::nlohmann_json)
#
# Builds <id>.so with only thalweg_plugin_open exported and every symbol resolved, checks plugin.json beside the
# CMakeLists.txt, and lays both in ${CMAKE_BINARY_DIR}/plugins/<id>/, the layout a gate's `plugins` folder has.
# Also makes <id>_objects, the same code for unit tests with testkit/fake_host.h.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/PluginManifest.cmake")

function(thalweg_add_plugin id)
  cmake_parse_arguments(arg "" "MANIFEST" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_MANIFEST)
    set(arg_MANIFEST "${CMAKE_CURRENT_SOURCE_DIR}/plugin.json")
  endif()
  thalweg_check_manifest("${id}" "${arg_MANIFEST}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${arg_MANIFEST}")

  add_library(${id}_objects OBJECT ${arg_SOURCES})
  target_include_directories(${id}_objects PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${id}_objects PUBLIC thalweg_sdk ${arg_LIBS})
  target_compile_features(${id}_objects PUBLIC cxx_std_20)
  set_target_properties(${id}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(TARGET thalweg_warnings)
    target_link_libraries(${id}_objects PRIVATE thalweg_warnings)
  endif()

  add_library(${id} MODULE $<TARGET_OBJECTS:${id}_objects>)
  target_link_libraries(${id} PRIVATE ${arg_LIBS})
  set_target_properties(${id} PROPERTIES PREFIX "" OUTPUT_NAME "${id}" LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins/${id}")
  target_link_options(${id} PRIVATE "-Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map")
  set_target_properties(${id} PROPERTIES LINK_DEPENDS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map")
  if(NOT THALWEG_SANITIZE)
    target_link_options(${id} PRIVATE -Wl,-z,defs)
  endif()
  configure_file("${arg_MANIFEST}" "${CMAKE_BINARY_DIR}/plugins/${id}/plugin.json" COPYONLY)
  # A runner takes no plugin that others may change, and a umask of 002 lets the group change what is made here.
  add_custom_command(TARGET ${id} POST_BUILD COMMAND chmod go-w "$<TARGET_FILE:${id}>" "$<TARGET_FILE_DIR:${id}>" VERBATIM)
endfunction()

# thalweg_embed_factors(TARGET): makes "thalweg_factors_tsv.h" with the factor dictionary for TARGET (cpp/factors.h reads it).
function(thalweg_embed_factors target)
  set(tsv "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../data/factors.tsv")
  set(out "${CMAKE_CURRENT_BINARY_DIR}/thalweg_factors/thalweg_factors_tsv.h")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${tsv}")
  file(READ "${tsv}" text)
  file(CONFIGURE OUTPUT "${out}" @ONLY CONTENT
"// Made from sdk/data/factors.tsv. Do not edit.
#pragma once
#include <string_view>
namespace thalweg {
inline constexpr std::string_view kFactorsTsv = R\"thalweg(@text@)thalweg\";
}  // namespace thalweg
")
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/thalweg_factors")
endfunction()
