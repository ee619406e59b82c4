// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function that passes values to whoever iterates it, one at a time, from anywhere in its calls: a continulet as a
// C++ input range. The behaviour is that of PyPy's _continuation.generator.
//
// - It runs in the greenlet that asks for the next value, and may switch and wait there.
// - It may be handed to another greenlet between two values.
// - A value stays where the function has it; the range's elements refer to it until the next one is asked for.

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "worker/greenlet/continulet.h"

namespace grove {

/// What the function of a generator passes its values to.
template <typename T>
class genlet {
 public:
  explicit genlet(continulet& of) noexcept : of_(of) {}
  genlet(const genlet&) = delete;
  genlet& operator=(const genlet&) = delete;

  /// Suspends the function until the next value is asked for. Whoever iterates gets a reference to `object` and may
  /// change it or move from it; generator<const T> does not let them.
  /// Switches: back into the greenlet's code that iterates.
  /// Cancel: throws greenlet_exit when the generator is dropped.
  void yield(T& object) {
    of_.carried_ = const_cast<std::remove_const_t<T>*>(std::addressof(object));
    of_.resume();
  }
  void yield(T&& object) { yield(object); }  // NOLINT(bugprone-move-forwarding-reference)
  /// Passes a copy.
  void yield(const T& object) requires(!std::is_const_v<T>) {
    T copy(object);
    yield(copy);
  }

 private:
  continulet& of_;
};

/// An input range. The function is called as function(genlet<T>&, arguments...) and returns nothing: its end is the end
/// of the range. Its exceptions come out of begin() and ++, which is the end as well.
template <typename T>
class generator {
 public:
  template <typename F, typename... Arguments>
  requires(!std::same_as<std::decay_t<F>, generator>) explicit generator(F&& function, Arguments&&... arguments)
      : body_(continulet::make(
            [function = std::decay_t<F>(std::forward<F>(function))](continulet& self,
                                                                    std::decay_t<Arguments>&&... bound) mutable {
              using result = std::invoke_result_t<std::decay_t<F>&, genlet<T>&, std::decay_t<Arguments>...>;
              static_assert(std::is_void_v<result>, "the function of a generator returns nothing");
              genlet<T> values(self);
              std::invoke(function, values, std::move(bound)...);
            },
            std::forward<Arguments>(arguments)...)) {}

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = std::remove_cv_t<T>;
    using reference = T&;

    iterator() noexcept = default;
    [[nodiscard]] reference operator*() const noexcept { return *static_cast<T*>(of_->carried_); }
    [[nodiscard]] T* operator->() const noexcept { return static_cast<T*>(of_->carried_); }
    /// Switches: into the function.
    /// Errors: what the function throws; continulet_error if it has finished, or is being iterated.
    iterator& operator++() {
      advance(*of_);
      return *this;
    }
    void operator++(int) { advance(*of_); }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return of_->carried_ == nullptr; }

   private:
    friend class generator;
    explicit iterator(continulet& of) noexcept : of_(&of) {}
    continulet* of_ = nullptr;
  };

  /// The first value; the one that it is at if it has been begun before.
  /// Switches: into the function, the first time.
  /// Errors: as ++.
  [[nodiscard]] iterator begin() {
    if (!begun_) {
      begun_ = true;
      advance(*body_);
    }
    return iterator(*body_);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  static void advance(continulet& of) {
    if (of.in_use()) throw continulet_error("the generator is being iterated");
    of.carried_ = nullptr;
    of.resume();
  }

  continulet_ptr body_;
  bool begun_ = false;
};

}  // namespace grove
