# SPDX-License-Identifier: Apache-2.0
include(GoogleTest OPTIONAL)

# Lets the files of a library use the precompiled headers, which are good only for the definitions that they were made
# with. (Programs are compiled for another kind of position independence.)
function(grove_precompile target)
  if(TARGET grove_precompiled)
    target_precompile_headers(${target} REUSE_FROM grove_precompiled)
    target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:grove_precompiled,COMPILE_DEFINITIONS>)
  endif()
endfunction()

# The headers that each test includes, parsed once for a program, if it has enough files for that to pay: programs differ
# in their definitions, so each has headers of its own. In every preset, but under Clang, which only builds fuzzers.
function(grove_precompile_for_tests target)
  list(LENGTH ARGN files)
  if(files GREATER 3 AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_precompile_headers(${target} PRIVATE <chrono> <functional> <memory> <optional> <string> <vector>
                              <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endfunction()

# A folder of the project: a static library `grove_NAME` (alias `grove::NAME`), or with EXECUTABLE the program.
# AS_ONE: where GROVE_PRECOMPILE is on its sources are compiled as one file. The headers that they share are most of the time
# that each takes; and in optimised builds the small steps of a hot path are inlined into each other wherever they stand.
# PLAIN: it is compiled without the precompiled headers, because it does not link Asio, which is in them and has objects
# that every file which includes it refers to.
#   grove_add_component(NAME [EXECUTABLE program [FOR_BUILDING]] SOURCES file... [DEPENDS target...] [INSTALL_HEADERS]
#                       [PLAIN] [AS_ONE])
function(grove_add_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALL_HEADERS;FOR_BUILDING;PLAIN;AS_ONE" "EXECUTABLE" "SOURCES;DEPENDS")
  if(arg_EXECUTABLE)
    set(target grove_${name}_program)
    add_executable(${target} ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_EXECUTABLE} RUNTIME_OUTPUT_DIRECTORY
                                                                            "${PROJECT_BINARY_DIR}/bin")
    target_link_libraries(${target} PRIVATE grove_flags ${arg_DEPENDS})
    set(install_component runtime)
    if(arg_FOR_BUILDING)
      set(install_component development)
    endif()
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${install_component})
    return()
  endif()
  set(target grove_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(grove::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(${target} PUBLIC grove_flags ${arg_DEPENDS})
  if(NOT arg_PLAIN)
    grove_precompile(${target})
  endif()
  if(arg_AS_ONE AND GROVE_PRECOMPILE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  endif()
  if(arg_INSTALL_HEADERS)
    set_property(GLOBAL APPEND PROPERTY GROVE_INSTALLED_TARGETS ${target})
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    install(
      DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/"
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/grove/${folder}
      COMPONENT development
      FILES_MATCHING
      PATTERN "*.h"
      PATTERN "internal" EXCLUDE
      PATTERN "cli" EXCLUDE
      PATTERN "load" EXCLUDE
      PATTERN "build_commit.h" EXCLUDE)
  endif()
endfunction()

# A GoogleTest program `test_NAME`, each of its tests a test of ctest.
#   grove_add_test(NAME SOURCES file... [DEPENDS target...] [LABELS label...] [TIMEOUT seconds] [NO_MAIN])
function(grove_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_MAIN" "TIMEOUT" "SOURCES;DEPENDS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240) # It ends a hang, and must be longer than what the tests themselves wait for.
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE grove_flags ${arg_DEPENDS} GTest::gmock
                                             $<$<NOT:$<BOOL:${arg_NO_MAIN}>>:GTest::gmock_main>)
  grove_precompile_for_tests(test_${name} ${arg_SOURCES})
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  # For cmake/dev/test_targets.py, which says what has to be built for the tests that a person asks for.
  list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]" OUTPUT_VARIABLE sources)
  list(JOIN sources "," sources)
  list(JOIN arg_LABELS "," labels)
  set_property(GLOBAL APPEND_STRING PROPERTY GROVE_TEST_PROGRAMS "${name}|${labels}|${sources}\n")
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# The C++ code of protobuf files below `proto/` (or ROOT): a static library `grove_NAME`.
#   grove_add_protos(NAME [ROOT folder] FILES path.proto... [DEPENDS target...])
function(grove_add_protos name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "FILES;DEPENDS")
  grove_protoc(sources ROOT "${arg_ROOT}" FILES ${arg_FILES} OPTIONS "--cpp_out=${CMAKE_BINARY_DIR}/generated"
               ENDINGS .pb.cc .pb.h)
  add_library(grove_${name} STATIC ${sources})
  add_library(grove::${name} ALIAS grove_${name})
  # Generated code is not held to our warnings.
  target_compile_options(grove_${name} PRIVATE -w)
  target_include_directories(grove_${name} SYSTEM PUBLIC $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>)
  target_link_libraries(grove_${name} PUBLIC protobuf::libprotobuf ${arg_DEPENDS})
endfunction()

# What protoc-gen-grove makes of the services in protobuf files whose messages are in the library PROTOS:
# `grove_NAME_actors` (bases and references, for workers) and `grove_NAME_clients` (typed clients).
#   grove_add_actor_code(NAME PROTOS target [ROOT folder] FILES path.proto...)
function(grove_add_actor_code name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT;PROTOS" "FILES")
  grove_protoc(sources ROOT "${arg_ROOT}" FILES ${arg_FILES}
               OPTIONS "--plugin=protoc-gen-grove=$<TARGET_FILE:grove_plugin_program>"
                       "--grove_out=${CMAKE_BINARY_DIR}/generated" ENDINGS .actor.cc .actor.h .client.h
               DEPENDS grove_plugin_program)
  add_library(grove_${name}_actors STATIC ${sources})
  add_library(grove::${name}_actors ALIAS grove_${name}_actors)
  target_compile_options(grove_${name}_actors PRIVATE -w)
  target_link_libraries(grove_${name}_actors PUBLIC ${arg_PROTOS} grove_actor)
  grove_precompile(grove_${name}_actors)
  add_library(grove_${name}_clients INTERFACE)
  add_library(grove::${name}_clients ALIAS grove_${name}_clients)
  add_dependencies(grove_${name}_clients grove_${name}_actors)
  target_link_libraries(grove_${name}_clients INTERFACE ${arg_PROTOS} grove_client)
endfunction()

# Runs protoc over each file; OUT gets the names of the sources that it makes.
function(grove_protoc out)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "FILES;OPTIONS;ENDINGS;DEPENDS")
  if(NOT arg_ROOT)
    set(arg_ROOT "${PROJECT_SOURCE_DIR}/proto")
  endif()
  set(all)
  foreach(file IN LISTS arg_FILES)
    string(REGEX REPLACE "\\.proto$" "" stem "${file}")
    set(generated "${CMAKE_BINARY_DIR}/generated/${stem}")
    get_filename_component(folder "${generated}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    set(made)
    foreach(ending IN LISTS arg_ENDINGS)
      list(APPEND made "${generated}${ending}")
    endforeach()
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc --proto_path=${arg_ROOT} --proto_path=${PROJECT_SOURCE_DIR}/proto ${arg_OPTIONS} ${file}
      DEPENDS "${arg_ROOT}/${file}" ${arg_DEPENDS}
      VERBATIM)
    list(APPEND all ${made})
  endforeach()
  set(${out} "${all}" PARENT_SCOPE)
endfunction()
