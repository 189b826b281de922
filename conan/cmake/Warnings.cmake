# Warnings.cmake: warning flags as an interface target; errors only when this is the top-level project.
add_library(thalweg_warnings INTERFACE)
target_compile_options(thalweg_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Wcast-align
  -Wunused $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual> -Wimplicit-fallthrough -Wunused-result)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(thalweg_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Werror>)
endif()
