// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace grove {

/// Thrown into a greenlet to make it finish: by the drop of its last handle, by `throw_in()` without an argument and
/// by a kill. It stands outside std::exception so that ordinary handlers let it pass; a `catch (...)` that is entered
/// with it must throw it on. A greenlet that ends with it, or with what is derived from it, ends normally: the parent gets
/// the object as a value.
class greenlet_exit {};

/// Misuse of a greenlet: use from another thread, a cyclic parent chain, a wait in the hub's own context.
class greenlet_error : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Misuse of a continulet: one that has finished, is another thread's or in use by another greenlet; a first value; a
/// second init().
class continulet_error : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Less than `stack_low_mark` is left of the running greenlet's stack (see check_stack()).
class stack_low : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The thread's stack pool has handed out all the stacks that it may.
class stacks_exhausted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace grove
