# SPDX-License-Identifier: Apache-2.0
# `cmake --install` gives the programs and a package that an outside project finds with find_package(grove).
