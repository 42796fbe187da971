# SPDX-License-Identifier: Apache-2.0
# Run by tests/keras/run; built with everything else so that it keeps compiling.
add_executable(keras_forward keras/forward.c)
target_link_libraries(keras_forward PRIVATE cnn_core)
add_executable(keras_forward_double keras/forward.c)
target_link_libraries(keras_forward_double PRIVATE cnn_core_double)
