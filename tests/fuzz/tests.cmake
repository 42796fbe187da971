# SPDX-License-Identifier: Apache-2.0
# A program per fuzz_<target>.c.  With CNN_FUZZING (clang; tests/fuzz/run) a fuzzer, else a test that replays corpus/.
option(CNN_FUZZING "Build the fuzzers (clang)" OFF)
foreach(target model_json keras_file keras_variable keras_zip checkpoint dataset idx config image npy table wav cifar)
  string(REPLACE keras_variable keras_file source ${target}) # the same, from other seeds
  add_executable(fuzz_${target} fuzz/fuzz_${source}.c fuzz/fuzz.c)
  target_include_directories(fuzz_${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_${target} PRIVATE cnn_core_double)
  if(CNN_FUZZING)
    target_compile_definitions(fuzz_${target} PRIVATE CNN_FUZZING)
    target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${target} PRIVATE fuzz/replay.c)
    add_test(NAME fuzz/${target} COMMAND fuzz_${target}
             ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${target} ${CMAKE_CURRENT_SOURCE_DIR}/golden/keras)
    cnn_register(fuzz/${target} fuzz)
  endif()
endforeach()
