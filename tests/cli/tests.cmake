# SPDX-License-Identifier: Apache-2.0
add_cli(import)
add_cli(invariance)
add_cli(resume)
add_cli(keras)
add_cli(badinput)
add_cli(tidy)
add_cli(memory)
add_cli(profile)
