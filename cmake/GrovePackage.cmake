# SPDX-License-Identifier: Apache-2.0
# Debian packages by CPack: `grove` (the components runtime and configuration) and `grove-dev` (development).
# `./dev package` makes them; docs/decisions.md says why the package makes no user.
set(grove_deploy "${PROJECT_SOURCE_DIR}/deploy")
install(FILES "${PROJECT_SOURCE_DIR}/deploy/systemd/grove.service" DESTINATION lib/systemd/system COMPONENT runtime)
# Outside of the prefix, where a plain `cmake --install --prefix DIR` must not reach.
install(FILES "${PROJECT_SOURCE_DIR}/deploy/systemd/grove.toml" DESTINATION /etc/grove COMPONENT configuration
        EXCLUDE_FROM_ALL)
install(FILES "${PROJECT_SOURCE_DIR}/deploy/debian/copyright" DESTINATION share/doc/grove COMPONENT runtime)
install(FILES "${PROJECT_SOURCE_DIR}/deploy/debian/copyright" DESTINATION share/doc/grove-dev COMPONENT development)

# Written by the CLI that is installed.
foreach(script IN ITEMS "bash bash-completion/completions/grove" "zsh zsh/vendor-completions/_grove"
                        "fish fish/vendor_completions.d/grove.fish")
  string(REPLACE " " ";" script "${script}")
  list(POP_FRONT script shell)
  install(
    CODE "
    set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/${script}\")
    message(STATUS \"Installing: \${file}\")
    execute_process(COMMAND \"$<TARGET_FILE:grove_cli_main_program>\" completion ${shell} OUTPUT_VARIABLE text
                    COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE \"\${file}\" \"\${text}\")"
    COMPONENT runtime)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME grove)
set(CPACK_PACKAGE_CONTACT "The authors of Grove <grove@localhost>")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
# Each package has a line of its own, the first one of its description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# What has an absolute place, in /etc, is put below the package's root as well.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENTS_ALL runtime configuration development)
set(CPACK_COMPONENT_RUNTIME_GROUP server)
set(CPACK_COMPONENT_CONFIGURATION_GROUP server)
set(CPACK_COMPONENT_DEVELOPMENT_GROUP dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME grove)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SERVER_DESCRIPTION
    "actor server, its workers and its command line tool
grove-server keeps stateful actors in worker processes, one for each core, and
replaces a worker that dies. grove calls actors, watches them and shows what
the server does.")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
    "${grove_deploy}/debian/conffiles;${grove_deploy}/debian/postinst;${grove_deploy}/debian/prerm;${grove_deploy}/debian/postrm")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME grove-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "development files of the Grove actor server
Headers and static libraries of the client, protobuf definitions, the generator
of actor code and a CMake package: find_package(grove).")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "libasio-dev, libboost1.81-dev, libfmt-dev, libprotobuf-dev, libspdlog-dev, libxxhash-dev, pkgconf, protobuf-compiler")
include(CPack)
