# Sanitizers.cmake: THALWEG_SANITIZE="address;undefined" or "thread" for everything that is built.
if(THALWEG_SANITIZE)
  string(REPLACE ";" "," sanitizers "${THALWEG_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
  if("thread" IN_LIST THALWEG_SANITIZE)
    # ThreadSanitizer does not know fences (and g++ warns of them); Asio's queues are guarded by a mutex as well.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
