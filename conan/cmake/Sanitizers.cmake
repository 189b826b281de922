# Sanitizers.cmake: THALWEG_SANITIZE="address;undefined" or "thread" for everything that is built.
if(THALWEG_SANITIZE)
  string(REPLACE ";" "," sanitizers "${THALWEG_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
endif()
