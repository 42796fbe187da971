# SPDX-License-Identifier: Apache-2.0
# Run by hand; built with everything else so that they keep compiling.
foreach(bench kernels passes)
  add_executable(bench_${bench} bench/${bench}.c ops/op_run.c)
  target_link_libraries(bench_${bench} PRIVATE cnn_core)
  target_include_directories(bench_${bench} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_options(bench_${bench} PRIVATE -Wno-missing-field-initializers -Wno-override-init)
endforeach()

add_executable(bench_step bench/step.c)
target_link_libraries(bench_step PRIVATE cnn_core)
target_include_directories(bench_step PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
add_executable(bench_exchange bench/exchange.c)
target_link_libraries(bench_exchange PRIVATE cnn_core)
add_executable(bench_augment bench/augment.c)
target_link_libraries(bench_augment PRIVATE cnn_core)
