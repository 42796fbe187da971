# SPDX-License-Identifier: Apache-2.0
add_test(NAME browser/report COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/report.sh)
cnn_register(browser/report browser)
set_tests_properties(browser/report PROPERTIES ENVIRONMENT "${MPI_ENVIRONMENT}" TIMEOUT 600)
