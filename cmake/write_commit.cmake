# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, the source that names the git commit of SOURCE_DIR; only when that has changed, so that nothing is built
# anew for it otherwise. COMMIT, where it is given, is taken instead: sources in an image or a tarball have no history.
if(NOT COMMIT)
  find_program(GIT git)
  # A folder that merely lies inside of another repository is not that repository.
  if(GIT AND EXISTS "${SOURCE_DIR}/.git")
    execute_process(COMMAND "${GIT}" -C "${SOURCE_DIR}" describe --always --exclude=* --abbrev=12 --dirty
                    OUTPUT_VARIABLE COMMIT ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endif()
if(NOT COMMIT MATCHES "^[0-9a-f]+(-dirty)?$")
  set(COMMIT "")
endif()
string(REGEX REPLACE "^([0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f])[0-9a-f]*"
                     "\\1" COMMIT "${COMMIT}")
set(text "#include \"base/build_commit.h\"\n\nnamespace grove {\n\nconst std::string_view build_commit = \"${COMMIT}\";\n\n}  // namespace grove\n")
set(written "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" written)
endif()
if(NOT text STREQUAL written)
  file(WRITE "${OUTPUT}" "${text}")
endif()
