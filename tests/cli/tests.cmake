# SPDX-License-Identifier: Apache-2.0
add_cli(import)
