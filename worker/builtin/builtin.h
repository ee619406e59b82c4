// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worker/actor/actor_type.h"

namespace grove {

/// Registers the actor types that every server has: grove.Counter, grove.Map, grove.Topic, grove.Echo.
void add_builtin_types(actor_types& types);

}  // namespace grove
