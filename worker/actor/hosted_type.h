// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "worker/actor/actor_type.h"
#include "worker/actor/message_scratch.h"

namespace grove {

class runtime;

/// An actor type in one runtime: what its actors there have in common, so that none of them has to keep it.
struct hosted_type {
  hosted_type(runtime& in, const actor_type& of) : owner{in}, type{of} { requests.resize(of.methods().size()); }
  hosted_type(const hosted_type&) = delete;
  hosted_type& operator=(const hosted_type&) = delete;

  runtime& owner;
  const actor_type& type;
  std::vector<message_objects> requests;  ///< To be parsed into or handed over, by method.
  message_objects states;                 ///< To be changed by turns.
};

}  // namespace grove
