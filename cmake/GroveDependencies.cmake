# SPDX-License-Identifier: Apache-2.0
# Every outside part, found among Debian's packages; docs/dependencies.md says what each is for.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS context)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_path(GROVE_TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
find_path(GROVE_ASIO_INCLUDE asio.hpp REQUIRED)

add_library(tomlplusplus_headers INTERFACE)
target_include_directories(tomlplusplus_headers SYSTEM INTERFACE ${GROVE_TOMLPLUSPLUS_INCLUDE})
if(NOT TARGET tomlplusplus::tomlplusplus)
  add_library(tomlplusplus::tomlplusplus ALIAS tomlplusplus_headers)
endif()

# Asio is compiled once, here, and not in every file that includes it.
file(WRITE "${PROJECT_BINARY_DIR}/asio/asio.cc" "#include <asio/impl/src.hpp>\n")
add_library(grove_asio STATIC "${PROJECT_BINARY_DIR}/asio/asio.cc")
# Whether Asio 1.22 finds std::aligned_alloc depends on what was included before it; without a fixed answer, memory is
# taken in one file and given back in another by functions that do not match.
target_compile_definitions(grove_asio PUBLIC ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED
                                             ASIO_HAS_STD_ALIGNED_ALLOC=1)
target_link_libraries(grove_asio PUBLIC Threads::Threads)
add_library(grove::asio ALIAS grove_asio)
add_library(grove::boost_context ALIAS Boost::context)
add_library(grove::xxhash ALIAS PkgConfig::xxhash)
