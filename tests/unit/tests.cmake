# SPDX-License-Identifier: Apache-2.0
add_unit(h5io)
add_unit(tree)
add_unit(initializer)
add_unit(memory)
add_unit(rng)
add_unit(status)
add_unit(model)
