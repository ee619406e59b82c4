# SPDX-License-Identifier: Apache-2.0
# What a preset may switch, and the flags that every component is compiled with.
option(GROVE_TESTS "Build the tests" ON)
option(GROVE_BENCH "Build the microbenchmarks in bench/" OFF)
option(GROVE_FUZZ "Build the libFuzzer targets (needs Clang)" OFF)
option(GROVE_PRECOMPILE "Precompile the headers that most files include" OFF)
option(GROVE_WERROR "Treat warnings as errors" OFF)
set(GROVE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined | thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(GROVE_CCACHE ccache)
if(GROVE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${GROVE_CCACHE}")
endif()

find_program(GROVE_MOLD mold)
if(GROVE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Names are bound when a program starts and not at their first use, which may be where a greenlet has little stack left;
# and nothing can be written to the tables of them afterwards.
add_link_options(-Wl,-z,relro,-z,now)

add_library(grove_flags INTERFACE)
# For our own files only: whoever uses the installed package has warnings of their own.
target_compile_options(
  grove_flags
  INTERFACE
    $<BUILD_INTERFACE:-Wall>
    $<BUILD_INTERFACE:-Wextra>
    $<BUILD_INTERFACE:-Wpedantic>
    $<BUILD_INTERFACE:-Wconversion>
    $<BUILD_INTERFACE:-Wshadow>
    $<BUILD_INTERFACE:-Wnon-virtual-dtor>
    # Members that are left out of a designated initialiser have their defaults here.
    $<BUILD_INTERFACE:-Wno-missing-field-initializers>
    $<BUILD_INTERFACE:$<$<BOOL:${GROVE_WERROR}>:-Werror>>
    # A report from a crashed worker needs frames; a large frame must not jump a guard page.
    $<BUILD_INTERFACE:-fno-omit-frame-pointer>
    $<BUILD_INTERFACE:-fstack-clash-protection>
    # Libraries are position independent. Without this GCC inlines none of their functions into another one of the same
    # file, because a program might put one of its own in its place; nobody does. (Clang assumes so.)
    $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>>)
target_include_directories(
  grove_flags INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
                        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/grove>)

if(GROVE_SANITIZE)
  add_compile_options(-fsanitize=${GROVE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GROVE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's own manual: sanitizers make this warning see what is not there, in std::regex and std::function for example.
    add_compile_options(-Wno-maybe-uninitialized)
    # Asio's handlers contain a fence; with the thread sanitizer GCC warns of every one.
    if(GROVE_SANITIZE MATCHES "thread")
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()
