# Install.cmake: cmake --install build/release [--prefix /usr/local]. The SDK installs by its own rules (component sdk).
#   bin/ programs   lib/thalweg/plugins/<name>/ adapters   share/thalweg/ schemas, example regions   units, users, documents
include(GNUInstallDirs)
set(THALWEG_PLUGINS_DIR "lib/thalweg/plugins")

foreach(program thalwegd thalweg-gate thalweg-runner thalweg thalweg-station)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT programs)
  endif()
endforeach()

foreach(plugin hj212 tabular)
  if(TARGET ${plugin})
    install(TARGETS ${plugin} LIBRARY DESTINATION "${THALWEG_PLUGINS_DIR}/${plugin}" COMPONENT plugins)
    install(FILES "${CMAKE_SOURCE_DIR}/plugins/${plugin}/plugin.json" "${CMAKE_SOURCE_DIR}/plugins/${plugin}/README.md"
      DESTINATION "${THALWEG_PLUGINS_DIR}/${plugin}" COMPONENT plugins)
    install(DIRECTORY "${CMAKE_SOURCE_DIR}/plugins/${plugin}/" DESTINATION "${THALWEG_PLUGINS_DIR}/${plugin}" COMPONENT plugins
      FILES_MATCHING PATTERN "sample*.json" PATTERN "tests" EXCLUDE PATTERN "testdata" EXCLUDE)
  endif()
endforeach()

install(DIRECTORY "${CMAKE_SOURCE_DIR}/examples/regions" "${CMAKE_SOURCE_DIR}/examples/stations"
  DESTINATION share/thalweg/examples COMPONENT programs)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT documents)

set(units "${CMAKE_SOURCE_DIR}/hub/app/systemd")
foreach(unit thalwegd thalweg-gate)
  configure_file("${units}/${unit}.service.in" "${CMAKE_BINARY_DIR}/systemd/${unit}.service" @ONLY)
  install(FILES "${CMAKE_BINARY_DIR}/systemd/${unit}.service" DESTINATION lib/systemd/system COMPONENT programs)
endforeach()
install(FILES "${units}/sysusers.conf" DESTINATION lib/sysusers.d RENAME thalweg.conf COMPONENT programs)
