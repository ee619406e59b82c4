// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace grove {

/// From now on a program that ends by std::terminate() says why on stderr before it aborts: the type and the text of
/// what was thrown and could not be caught, because it would have left a destructor or another function that is noexcept,
/// or because there was no handler.
void install_uncaught_report() noexcept;

}  // namespace grove
