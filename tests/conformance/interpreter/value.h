// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a scenario computes with, and the exceptions that it throws by name.

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "worker/greenlet/greenlet.h"

namespace grove::conformance {

/// The scenario or its interpreter is wrong. No scenario can catch it.
class scenario_fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The exceptions of the language itself: error_a, error_b, misfit.
class scenario_error : public std::runtime_error {
 public:
  scenario_error(std::string kind, const std::string& text) : std::runtime_error(text), kind_(std::move(kind)) {}
  [[nodiscard]] const std::string& kind() const noexcept { return kind_; }

 private:
  std::string kind_;
};

/// What the verbs of a system keep in a variable: a task, an event, a queue.
class object {
 public:
  explicit object(std::string label) : label_(std::move(label)) {}
  object(const object&) = delete;
  object& operator=(const object&) = delete;
  virtual ~object() = default;
  [[nodiscard]] const std::string& label() const noexcept { return label_; }

 private:
  std::string label_;
};

/// An exception as a value: its class as the language names it, and its text.
struct thrown {
  std::string kind;
  std::string text;
  std::exception_ptr pointer;
};

struct value;
using tuple = std::shared_ptr<const std::vector<value>>;
using named_values = std::vector<std::pair<std::string, value>>;
using dict = std::shared_ptr<const named_values>;

struct value {
  std::variant<std::monostate, bool, long, std::string, tuple, dict, thrown, greenlet_ptr, std::shared_ptr<object>>
      held;

  template <typename T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&held);
  }
  [[nodiscard]] bool nothing() const noexcept { return held.index() == 0; }
  [[nodiscard]] bool truth() const;
};

/// What one switch passes: values by place and by name.
struct packed {
  std::vector<value> places;
  named_values names;
};

/// As Python packs them: nothing, the value itself, a tuple, a dict, or a pair of both.
[[nodiscard]] value as_one_value(packed&& values);

/// How a transcript shows it.
[[nodiscard]] std::string text_of(const value& shown);

/// The exceptions that the language knows by name.
class exception_names {
 public:
  using maker = std::function<std::exception_ptr(const std::string& text)>;
  /// Names what it was given, or returns an empty name.
  using namer = std::function<thrown(const std::exception_ptr&)>;

  exception_names();
  void add(const std::string& kind, maker make) { makers_[kind] = std::move(make); }
  void add(namer name) { namers_.push_back(std::move(name)); }

  [[nodiscard]] bool knows(const std::string& kind) const { return makers_.count(kind) != 0; }
  [[nodiscard]] std::exception_ptr make(const std::string& kind, const std::string& text) const;
  [[nodiscard]] thrown name(const std::exception_ptr& pointer) const;

 private:
  std::map<std::string, maker> makers_;
  std::vector<namer> namers_;
};

/// Whether `catch CLAUSE` takes it: its own class, `error` (what derives from std::exception) or `any`.
[[nodiscard]] bool catches(std::string_view clause, const thrown& what);

}  // namespace grove::conformance
