# SPDX-License-Identifier: Apache-2.0
# One program, forked for each fault; AddressSanitizer has an allocator of its own.
if(NOT CNN_SANITIZE)
  cnn_test_program(test_faults faults/test_faults.c "")
  target_sources(test_faults PRIVATE faults/attempt.c faults/inject.c faults/one_rank.c)
  target_link_libraries(test_faults PRIVATE ${CMAKE_DL_LIBS})
  set_source_files_properties(faults/inject.c PROPERTIES COMPILE_OPTIONS -fno-builtin)

  function(add_faults name label)
    add_test(NAME faults/${name} COMMAND test_faults ${ARGN})
    cnn_register(faults/${name} ${label})
    set_tests_properties(faults/${name} PROPERTIES TIMEOUT 1800)
  endfunction()
  add_faults(calls faults calls 12)
  add_faults(memory faults memory 300)
  add_faults(all_calls slow calls 1)
  add_faults(all_memory slow memory 1)
  set_tests_properties(faults/all_calls faults/all_memory PROPERTIES TIMEOUT 14400)
endif()
