# SPDX-License-Identifier: Apache-2.0
add_unit(h5io)
add_unit(tree)
