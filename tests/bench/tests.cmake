# SPDX-License-Identifier: Apache-2.0
# Run by hand; built with everything else so that they keep compiling.
add_executable(bench_kernels bench/kernels.c ops/op_run.c)
target_link_libraries(bench_kernels PRIVATE cnn_core)
target_include_directories(bench_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_options(bench_kernels PRIVATE -Wno-missing-field-initializers -Wno-override-init)
