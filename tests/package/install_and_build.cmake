# SPDX-License-Identifier: Apache-2.0
# cmake -DGROVE_BUILD=... -DSOURCE=... -DWORK=... -DSANITIZE=... -P install_and_build.cmake
file(REMOVE_RECURSE "${WORK}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${result}:\n${printed}")
  endif()
endfunction()

if(SANITIZE)
  set(sanitize -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZE})
endif()
run(${CMAKE_COMMAND} --install ${GROVE_BUILD} --prefix ${WORK}/installed)
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/installed ${sanitize})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/outside)
