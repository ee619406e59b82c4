// SPDX-License-Identifier: Apache-2.0
#include "worker/builtin/builtin.h"

#include "worker/builtin/counter.h"
#include "worker/builtin/echo.h"
#include "worker/builtin/map.h"
#include "worker/builtin/topic.h"

namespace grove {

void add_builtin_types(actor_types& types) {
  types.add<builtin::CounterActor>();
  types.add<builtin::EchoActor>();
  types.add<builtin::MapActor>();
  types.add<builtin::TopicActor>();
}

}  // namespace grove
