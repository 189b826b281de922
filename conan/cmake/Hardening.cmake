# Hardening.cmake: what an attacker of a long-running program should meet. Off under sanitizers, which bring their own.
if(NOT THALWEG_SANITIZE)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_definitions(_FORTIFY_SOURCE=2)
  endif()
  add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
