// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace google::protobuf {
class Message;
class ServiceDescriptor;
}  // namespace google::protobuf

namespace grove {

class actor;
struct turn;

/// One method of an actor type, as the generated code describes it.
struct actor_method {
  std::string name;
  std::uint64_t id = 0;  ///< The hash of its name; the registry sets it.
  /// The default instances of its messages: a caller whose own are the same ones hands objects over.
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* response = nullptr;
  bool read_only = false;
  bool interleave = false;
  bool streaming = false;

  /// Reads the request of `turn`, calls the handler of `target` and ends the turn with what it returns.
  /// Errors: lets through what the handler throws; status_error for a payload that cannot be read.
  void (*invoke)(actor& target, turn& turn) = nullptr;
};

enum class actor_placement : std::uint8_t {
  hashed,  ///< On the worker that owns the address.
  local,   ///< On whichever worker was asked.
};

/// What a generated class says of its service, and how objects of the user's class are made in given memory.
struct actor_type_definition {
  std::string name;
  const google::protobuf::ServiceDescriptor* service = nullptr;
  /// The comments in the service's .proto file and those that it imports, which compiled descriptors lack: an encoded
  /// FileDescriptorSet with nothing but each file's name and source_code_info. Lifetime: static.
  std::string_view comments = {};
  std::vector<actor_method> methods;
  actor_placement placement = actor_placement::hashed;
  std::optional<std::chrono::milliseconds> idle_timeout;  ///< Empty: the server's default.

  std::size_t object_size = 0;
  std::size_t object_alignment = 0;
  std::function<actor*(void* place)> construct;
};

/// A type of actors that this process can run.
class actor_type {
 public:
  actor_type(actor_type_definition definition, std::uint16_t index);

  [[nodiscard]] const std::string& name() const noexcept { return definition_.name; }
  /// In this process's registry.
  [[nodiscard]] std::uint16_t index() const noexcept { return index_; }
  /// The hash of its name: what it is called between workers, whatever else they have registered.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const actor_type_definition& definition() const noexcept { return definition_; }
  [[nodiscard]] const std::vector<actor_method>& methods() const noexcept { return definition_.methods; }

  /// Whether turns of some method may overlap with others.
  [[nodiscard]] bool interleaves() const noexcept { return interleaves_; }

  [[nodiscard]] std::optional<std::uint16_t> find_method(std::string_view name) const noexcept;
  /// By the hash of its name.
  [[nodiscard]] std::optional<std::uint16_t> find_method(std::uint64_t id) const noexcept;

  /// Where an actor's cell has the object and the key, counted from its own beginning.
  [[nodiscard]] std::size_t object_offset() const noexcept { return object_offset_; }
  [[nodiscard]] std::size_t key_offset() const noexcept { return object_offset_ + definition_.object_size; }

 private:
  actor_type_definition definition_;
  std::uint64_t id_;
  std::size_t object_offset_;
  std::uint16_t index_;
  bool interleaves_;
};

/// All types that a worker serves. Other workers may have others, and in another order: what travels between them are
/// ids. Lifetime: types live as long as the registry.
class actor_types {
 public:
  /// Registers the user's class `Actor`, which derives from a generated base. Its objects are constructed
  /// with `parts`. Errors: std::invalid_argument when the name is taken, or when ids collide. Lifetime: `parts` are borrowed as
  /// long as there are actors.
  template <class Actor, class... Parts>
  const actor_type& add(Parts&... parts) {
    actor_type_definition definition = Actor::grove_definition();
    definition.object_size = sizeof(Actor);
    definition.object_alignment = alignof(Actor);
    definition.construct = [&parts...](void* place) -> actor* { return new (place) Actor{parts...}; };
    return add_definition(std::move(definition));
  }
  const actor_type& add_definition(actor_type_definition definition);

  [[nodiscard]] const actor_type* find(std::string_view name) const noexcept;
  [[nodiscard]] const actor_type* find(std::uint64_t id) const noexcept;
  [[nodiscard]] const actor_type* at(std::size_t index) const noexcept {
    return index < types_.size() ? types_[index].get() : nullptr;
  }
  [[nodiscard]] std::size_t size() const noexcept { return types_.size(); }

 private:
  std::vector<std::unique_ptr<actor_type>> types_;  // A handful: a scan that compares lengths first beats a hash.
};

/// "no actor type 'grove.Conter'; did you mean 'grove.Counter'?": for whoever asked for what does not exist.
[[nodiscard]] std::string unknown_type_text(const actor_types& types, std::string_view name);
[[nodiscard]] std::string unknown_method_text(const actor_type& type, std::string_view name);

}  // namespace grove
