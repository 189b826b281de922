# Module.cmake: thalweg_module() makes one folder of hub/ one library; thalweg_test() makes one test program.

# Against hanging, not against being slow: sanitizers take several times as long.
set(THALWEG_TEST_TIMEOUT_S 300)
if(THALWEG_SANITIZE)
  set(THALWEG_TEST_TIMEOUT_S 1500)
endif()

# thalweg_module(ledger SOURCES a.cc b.cc USES model base LIBS PkgConfig::lz4 TESTS a_test.cc)
# The library is thalweg_<name>; tests become the program test_<name> and are found by ctest.
function(thalweg_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBS;TESTS" ${ARGN})
  set(target thalweg_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/hub")
  list(TRANSFORM arg_USES PREPEND thalweg_)
  target_link_libraries(${target} PUBLIC thalweg_sdk ${arg_USES} ${arg_LIBS} PRIVATE thalweg_warnings)
  if(THALWEG_BUILD_TESTS AND arg_TESTS)
    thalweg_test(test_${name} SOURCES ${arg_TESTS} LIBS ${target})
  endif()
endfunction()

# thalweg_test(test_x SOURCES x_test.cc LIBS thalweg_x [LABELS slow])
function(thalweg_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE THALWEG_SOURCE_DIR="${CMAKE_SOURCE_DIR}" THALWEG_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} thalweg_test_main thalweg_warnings)
  catch_discover_tests(${name} TEST_PREFIX "${name}: " PROPERTIES TIMEOUT ${THALWEG_TEST_TIMEOUT_S} LABELS "${arg_LABELS}")
endfunction()
