// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/actor_type.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/hash.h"
#include "base/nearest.h"
#include "base/text.h"
#include "worker/actor/actor_cell.h"

namespace grove {
namespace {

std::string unknown_text(std::string_view what, std::string_view name, const std::vector<std::string_view>& known) {
  constexpr std::size_t shown_max = 64;
  std::string text{"no "};
  text.append(what).append(" '").append(printable(name, shown_max)).append("'");
  if (const std::string_view near = nearest(name, known); !near.empty()) {
    return text.append("; did you mean '").append(near).append("'?");
  }
  text.append("; there are ");
  for (std::size_t i = 0; i < known.size(); ++i)
    text.append(i == 0 ? "" : ", ").append(known[i]);
  return text;
}

std::size_t offset_of_object(const actor_type_definition& definition) noexcept {
  const std::size_t alignment = std::max<std::size_t>(definition.object_alignment, 1);
  return (sizeof(actor_cell) + alignment - 1) / alignment * alignment;
}

}  // namespace

actor_type::actor_type(actor_type_definition definition, std::uint16_t index)
    : definition_{std::move(definition)},
      id_{hash_of_name(definition_.name)},
      object_offset_{offset_of_object(definition_)},
      index_{index},
      interleaves_{std::ranges::any_of(definition_.methods, &actor_method::interleave)} {
  for (actor_method& method : definition_.methods) {
    const std::uint64_t id = hash_of_name(method.name);
    if (const auto same = find_method(id)) {
      throw std::invalid_argument{"the methods '" + definition_.methods[*same].name + "' and '" + method.name +
                                  "' of '" + definition_.name + "' have the same id; rename one of them"};
    }
    method.id = id;
  }
}

std::optional<std::uint16_t> actor_type::find_method(std::uint64_t id) const noexcept {
  const auto found = std::ranges::find(definition_.methods, id, &actor_method::id);
  if (found == definition_.methods.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - definition_.methods.begin());
}

std::optional<std::uint16_t> actor_type::find_method(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < definition_.methods.size(); ++i) {
    if (definition_.methods[i].name == name) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

const actor_type& actor_types::add_definition(actor_type_definition definition) {
  if (find(definition.name) != nullptr) {
    throw std::invalid_argument{"actor type '" + definition.name + "' is registered twice"};
  }
  if (const actor_type* const same = find(hash_of_name(definition.name))) {
    throw std::invalid_argument{"the actor types '" + same->name() + "' and '" + definition.name +
                                "' have the same id; rename one of them"};
  }
  types_.push_back(std::make_unique<actor_type>(std::move(definition), static_cast<std::uint16_t>(types_.size())));
  return *types_.back();
}

const actor_type* actor_types::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(types_, [name](const auto& type) { return type->name() == name; });
  return found == types_.end() ? nullptr : found->get();
}

const actor_type* actor_types::find(std::uint64_t id) const noexcept {
  const auto found = std::ranges::find_if(types_, [id](const auto& type) { return type->id() == id; });
  return found == types_.end() ? nullptr : found->get();
}

std::string unknown_type_text(const actor_types& types, std::string_view name) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < types.size(); ++i)
    known.push_back(types.at(i)->name());
  return unknown_text("actor type", name, known);
}

std::string unknown_method_text(const actor_type& type, std::string_view name) {
  std::vector<std::string_view> known;
  for (const actor_method& method : type.methods())
    known.push_back(method.name);
  return unknown_text("method of " + type.name(), name, known);
}

}  // namespace grove
