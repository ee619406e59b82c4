// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "base/fd.h"
#include "server/host_port.h"

namespace grove::server {

/// An address could not be listened on; the text says why and what to do.
class listen_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct listener {
  unique_fd fd;       ///< Not blocking, close-on-exec.
  host_port address;  ///< As the kernel has it: numeric, with the port that it chose if it was asked to.
};

/// Binds and listens. A name is resolved; of its addresses IPv4 comes first and the first that is ours is taken.
/// `option` is the setting that errors tell the person to change, "--listen". While the address is in use, `try_again` is
/// asked, which waits and says whether there is to be another attempt: the workers of a server that was killed have it
/// for a moment longer.
/// Errors: listen_error.
[[nodiscard]] listener listen_on(const host_port& where, const std::string& option,
                                 const std::function<bool()>& try_again = {});

}  // namespace grove::server
