# find_package(thalweg_sdk): the targets of the SDK, under the names that thalweg_add_plugin() uses.
include("${CMAKE_CURRENT_LIST_DIR}/thalweg_sdk_targets.cmake")
if(NOT TARGET thalweg_sdk)
  add_library(thalweg_sdk ALIAS thalweg::sdk)
  add_library(thalweg_testkit ALIAS thalweg::testkit)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/ThalwegPlugin.cmake")
