# SPDX-License-Identifier: Apache-2.0
add_style(includes)
add_style(forbidden)
add_style(format)
add_style(options)
add_style(links)
