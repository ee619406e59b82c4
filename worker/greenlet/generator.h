// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function that passes values to whoever iterates it, one at a time, from anywhere in its calls: a continulet as a
// C++ input range. The behaviour is that of PyPy's _continuation.generator.
//
// - It runs in the greenlet that asks for the next value, and may switch and wait there.
// - It may be handed to another greenlet between two values.
// - Its drop unwinds the function. If a greenlet is inside, that happens when it comes out, with continulet_error in place
//   of a value. Iterators and references end with the generator, as those of a container do.
// - A value stays where the function has it; the range's elements refer to it until the next one is asked for.

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/check.h"
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

namespace greenlets::detail {

/// A generator's handle of its continulet. What was handed over lies in the continulet, where the one who iterates looks
/// when he comes back: so the handle waits for him if it goes meanwhile.
class generator_body {
 public:
  explicit generator_body(continulet_ptr body) noexcept : body_(std::move(body)) {}
  generator_body(generator_body&& other) noexcept = default;
  generator_body& operator=(generator_body&& other) noexcept {
    if (this != &other) {
      leave();
      body_ = std::move(other.body_);
    }
    return *this;
  }
  ~generator_body() { leave(); }

  [[nodiscard]] continulet& operator*() const noexcept { return *body_; }

  /// Asks for the next value.
  static void advance(continulet& of) {
    if (of.in_use()) throw continulet_error("the generator is being iterated");
    of.carried_ = nullptr;
    continulet_ptr left;
    {
      struct taking {
        continulet& from;
        continulet_ptr& to;
        ~taking() {
          if (from.left_) [[unlikely]]
            to = std::move(from.left_);
        }
      };
      const taking what_is_left{of, left};
      of.resume();
    }
    if (!left) [[likely]]
      return;
    left.reset();
    throw continulet_error("the generator was dropped while it was iterated");
  }

 private:
  void leave() noexcept {
    // Another thread cannot know whether it is in use.
    if (!body_ || body_->owner_ != this_thread || !body_->in_use()) return;
    continulet_ptr& kept = body_->left_;
    kept = std::move(body_);
  }

  continulet_ptr body_;
};

}  // namespace greenlets::detail

/// An input range. The function is called as function(genlet<T>&, arguments...) and returns nothing: its end is the end
/// of the range. Its exceptions come out of begin() and ++, which is the end as well.
/// Affinity: one thread; on another one it may be dropped while nobody asks for a value.
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
    [[nodiscard]] reference operator*() const noexcept { return *operator->(); }
    [[nodiscard]] T* operator->() const noexcept {
      GROVE_DEBUG_CHECK(of_ != nullptr && of_->carried_ != nullptr, "there is no value behind the end of a generator");
      return static_cast<T*>(of_->carried_);
    }
    /// Switches: into the function.
    /// Errors: what the function throws; continulet_error if it has finished, is being iterated, or was
    /// dropped meanwhile.
    iterator& operator++() {
      held::advance(*of_);
      return *this;
    }
    void operator++(int) { held::advance(*of_); }
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
      held::advance(*body_);
    }
    return iterator(*body_);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  using held = greenlets::detail::generator_body;
  held body_;
  bool begun_ = false;
};

}  // namespace grove
