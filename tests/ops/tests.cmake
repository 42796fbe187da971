# SPDX-License-Identifier: Apache-2.0
# Every test here also gets the table of cases and its checks.
file(GLOB OP_CASES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/ops/op_*.c ${CMAKE_CURRENT_SOURCE_DIR}/ops/cases_*.c)
function(add_op_test name)
  add_ops(${name} ${ARGN})
  target_sources(test_${name} PRIVATE ${OP_CASES})
  target_compile_options(test_${name} PRIVATE -Wno-missing-field-initializers
                         -Wno-override-init) # tables name what differs from 0, or from a macro
endfunction()
add_op_test(gradient DOUBLE)
add_op_test(backends)
add_op_test(shapes)
add_op_test(forward)
add_op_test(golden)
add_op_test(values)
add_op_test(winograd)
