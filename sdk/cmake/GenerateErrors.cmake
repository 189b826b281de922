# GenerateErrors.cmake: makes the files that hold error codes from sdk/errors.json, their one source: errors.inc (numbers),
# docs/errors.md (a page), and the texts of the command line.
#   cmake -P sdk/cmake/GenerateErrors.cmake            writes them
#   cmake -DCHECK=ON -P sdk/cmake/GenerateErrors.cmake fails when one of them is not current
cmake_minimum_required(VERSION 3.25)
get_filename_component(sdk "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
get_filename_component(root "${sdk}/.." ABSOLUTE)

file(READ "${sdk}/errors.json" json)
string(JSON count LENGTH "${json}" errors)
math(EXPR last "${count} - 1")

set(inc "// Generated from sdk/errors.json by sdk/cmake/GenerateErrors.cmake. Do not edit.\n")
set(texts "${inc}")
set(page "# Error codes 错误代码\n\nGenerated from `sdk/errors.json`. Programs act on numbers; texts may change.\n\n")
string(APPEND page "| number | name | class | meaning | 含义 | what to do | 处理办法 |\n|---|---|---|---|---|---|---|\n")
foreach(i RANGE ${last})
  string(JSON entry GET "${json}" errors ${i})
  foreach(key number name class)
    string(JSON ${key} GET "${entry}" ${key})
  endforeach()
  foreach(lang en zh)
    string(JSON meaning_${lang} GET "${entry}" meaning ${lang})
    string(JSON remedy_${lang} GET "${entry}" remedy ${lang})
  endforeach()
  string(APPEND inc "TW_ERROR(${name}, ${number}, \"${class}\")\n")
  string(APPEND texts "TW_ERROR_TEXT(\"${name}\", ${number}, \"${meaning_zh}\", \"${meaning_en}\", \"${remedy_zh}\", \"${remedy_en}\")\n")
  string(APPEND page "| ${number} | ${name} | ${class} | ${meaning_en} | ${meaning_zh} | ${remedy_en} | ${remedy_zh} |\n")
endforeach()

foreach(pair "${sdk}/include/thalweg/errors.inc=inc" "${root}/docs/errors.md=page"
    "${root}/hub/app/cli/error_texts.inc=texts")
  string(REGEX REPLACE "=.*" "" path "${pair}")
  string(REGEX REPLACE ".*=" "" text "${pair}")
  if(CHECK)
    file(READ "${path}" present)
    if(NOT present STREQUAL "${${text}}")
      message(FATAL_ERROR "${path} is not current: run cmake -P sdk/cmake/GenerateErrors.cmake")
    endif()
  else()
    file(WRITE "${path}" "${${text}}")
  endif()
endforeach()
