# SPDX-License-Identifier: Apache-2.0
# `cmake --install` gives the programs and a package that an outside project finds with find_package(grove): the client
# library and what it stands on, as CMake targets grove::client, grove::proto, grove::wire and grove::base.
include(CMakePackageConfigHelpers)

set(grove_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/grove")
install(
  TARGETS grove_flags grove_asio grove_base grove_wire grove_proto grove_client
  EXPORT groveTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT groveTargets NAMESPACE grove:: DESTINATION ${grove_package_dir} COMPONENT development)
install(
  DIRECTORY "${PROJECT_BINARY_DIR}/generated/grove/"
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/grove/grove
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.pb.h"
  PATTERN "*.client.h")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/proto/grove"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/grove/proto
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.proto")

install(FILES "${PROJECT_SOURCE_DIR}/tools/grove-gdb.py" DESTINATION ${CMAKE_INSTALL_DATADIR}/grove COMPONENT development)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/groveConfig.cmake.in" "${PROJECT_BINARY_DIR}/groveConfig.cmake"
                              INSTALL_DESTINATION ${grove_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/groveConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/groveConfig.cmake" "${PROJECT_BINARY_DIR}/groveConfigVersion.cmake"
  DESTINATION ${grove_package_dir}
  COMPONENT development)
