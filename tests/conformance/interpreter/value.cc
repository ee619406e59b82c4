// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/interpreter/value.h"

namespace grove::conformance {

namespace {

std::string joined(const std::vector<value>& values) {
  std::string text;
  for (const value& each : values)
    text += (text.empty() ? "" : ", ") + text_of(each);
  return text;
}

struct shower {
  std::string operator()(std::monostate) const { return "()"; }
  std::string operator()(bool held) const { return held ? "true" : "false"; }
  std::string operator()(long held) const { return std::to_string(held); }
  std::string operator()(const std::string& held) const { return held; }
  std::string operator()(const tuple& held) const { return "(" + joined(*held) + ")"; }
  std::string operator()(const dict& held) const {
    std::string text;
    for (const auto& [name, each] : *held)
      text += (text.empty() ? "" : ", ") + name + ": " + text_of(each);
    return "{" + text + "}";
  }
  std::string operator()(const thrown& held) const {
    return held.text.empty() ? held.kind : held.kind + "('" + held.text + "')";
  }
  std::string operator()(const greenlet_ptr& held) const { return std::string(held->name()); }
  std::string operator()(const std::shared_ptr<object>& held) const { return held->label(); }
};

}  // namespace

bool value::truth() const {
  if (const bool* flag = get_if<bool>()) return *flag;
  if (const long* number = get_if<long>()) return *number != 0;
  return !nothing();
}

value as_one_value(packed&& values) {
  if (values.names.empty()) {
    if (values.places.empty()) return {};
    if (values.places.size() == 1) return std::move(values.places.front());
    return {std::make_shared<const std::vector<value>>(std::move(values.places))};
  }
  value names{std::make_shared<const named_values>(std::move(values.names))};
  if (values.places.empty()) return names;
  value places{std::make_shared<const std::vector<value>>(std::move(values.places))};
  return {std::make_shared<const std::vector<value>>(std::vector<value>{std::move(places), std::move(names)})};
}

std::string text_of(const value& shown) {
  return std::visit(shower{}, shown.held);
}

exception_names::exception_names() {
  for (const char* kind : {"error_a", "error_b", "misfit"})
    add(kind, [kind](const std::string& text) { return std::make_exception_ptr(scenario_error(kind, text)); });
  add("greenlet_exit", [](const std::string&) { return std::make_exception_ptr(greenlet_exit()); });
  add("greenlet_error", [](const std::string& text) { return std::make_exception_ptr(greenlet_error(text)); });
}

std::exception_ptr exception_names::make(const std::string& kind, const std::string& text) const {
  return makers_.at(kind)(text);
}

thrown exception_names::name(const std::exception_ptr& pointer) const {
  for (const namer& each : namers_) {
    if (thrown named = each(pointer); !named.kind.empty()) return named;
  }
  try {
    std::rethrow_exception(pointer);
  } catch (const scenario_fault&) {
    throw;
  } catch (const scenario_error& error) {
    return {error.kind(), error.what(), pointer};
  } catch (const greenlet_exit&) {
    return {"greenlet_exit", "", pointer};
  } catch (const greenlet_error&) {
    return {"greenlet_error", "", pointer};
  } catch (const std::exception& error) {
    throw scenario_fault(std::string("an exception without a name: ") + error.what());
  }
}

bool catches(std::string_view clause, const thrown& what) {
  if (clause == what.kind || clause == "any") return true;
  if (clause != "error") return false;
  try {
    std::rethrow_exception(what.pointer);
  } catch (const std::exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace grove::conformance
