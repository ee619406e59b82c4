// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"

namespace grove::hubs::detail {

/// `self`, which is about to wait, is in the initialiser of a static variable: reports it to the hub, with its stack.
/// Errors: greenlet_error where such waits are refused (set_initialiser_waits()).
void waits_in_initialiser(hub& on, const greenlet& self);

/// What every wait asks first.
inline void check_initialisers(hub& on, greenlet& self) {
  if (self.slots().initialisers != 0) [[unlikely]]
    waits_in_initialiser(on, self);
}

}  // namespace grove::hubs::detail
