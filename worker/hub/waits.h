// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "worker/hub/ready.h"

namespace grove {

/// Suspends the calling greenlet, with everything as hub::current() has it.
/// Cancel: throws what has been delivered to the greenlet; nothing else has happened.
void sleep_for(time_span delay);
void sleep_until(steady_time when);
/// Lets everything that is ready now, and is of this priority or a higher one, run first.
void yield(hub_priority priority = hub_priority::normal);
/// Waits for a pass of the loop that runs nothing of priority `quiet` or a higher one; timers, I/O and components count
/// as normal. With `low`, the default: until there is nothing to do. gevent's idle().
void idle(hub_priority quiet = hub_priority::low);

}  // namespace grove
