// SPDX-License-Identifier: Apache-2.0

// continulet: the verbs of worker/greenlet's continulets and generators.

#include "tests/conformance/interpreter/interpreter.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/generator.h"

namespace grove::conformance {

namespace {

class continulet_object final : public object {
 public:
  explicit continulet_object(const std::string& label) : object(label), held(continulet::make()) {}
  continulet_ptr held;
};

/// The first argument of a body: no handle, or the body would keep its own continulet.
class self_object final : public object {
 public:
  self_object(const std::string& label, continulet& of) : object(label), held(of) {}
  continulet& held;
};

class generator_object final : public object {
 public:
  generator_object(const std::string& label, unique_function<void(genlet<value>&)> run)
      : object(label), held(std::move(run)) {}
  std::optional<value> next() {
    if (at_) {
      ++*at_;
    } else {
      at_ = held.begin();
    }
    return *at_ == held.end() ? std::nullopt : std::optional(**at_);
  }
  generator<value> held;

 private:
  std::optional<generator<value>::iterator> at_;
};

/// What `give` gets in a generator's body.
class genlet_object final : public object {
 public:
  explicit genlet_object(genlet<value>& of) : object("generator"), held(of) {}
  genlet<value>& held;
};

template <typename T>
std::shared_ptr<T> object_in(const call& with, const value& held) {
  const auto* pointer = held.get_if<std::shared_ptr<object>>();
  auto of = pointer == nullptr ? nullptr : std::dynamic_pointer_cast<T>(*pointer);
  if (of == nullptr) with.fault("not such an object");
  return of;
}

/// What a word names; only variables keep it, so that a drop is one also while somebody has switched to it.
continulet* target_in(const call& with, const value& held) {
  const auto* pointer = held.get_if<std::shared_ptr<object>>();
  if (pointer != nullptr) {
    if (const auto* owner = dynamic_cast<const continulet_object*>(pointer->get())) return owner->held.get();
    if (const auto* self = dynamic_cast<const self_object*>(pointer->get())) return &self->held;
  }
  with.fault("not a continulet");
}

continulet* target_of(const call& with, std::size_t place = 0) {
  return target_in(with, with.argument(place));
}

continulet* option_to(const call& with) {
  const std::optional<value> to = with.option("to");
  return to ? target_in(with, *to) : nullptr;
}

switch_value sent(value passed) {
  return passed.nothing() ? switch_value() : switch_value(std::move(passed));
}

value received(switch_value passed) {
  return passed.is<value>() ? passed.take<value>() : value{};
}

/// Binds a body, which gets the continulet as its first argument.
void bind_body(call& with, continulet& of, const std::string& label, std::size_t first) {
  world& in = with.from.in;
  of.init(
      [&in, &runs = in.find_body(with.name(first)), label](continulet& self, packed arguments) {
        const value itself{std::shared_ptr<object>(std::make_shared<self_object>(label, self))};
        arguments.places.insert(arguments.places.begin(), itself);
        return sent(as_one_value(in.run_body(label, runs, std::move(arguments))));
      },
      with.rest(first + 1));
}

value make(call& with) {
  auto made = std::make_shared<continulet_object>(with.label());
  bind_body(with, *made->held, made->label(), 0);
  return {std::shared_ptr<object>(made)};
}

value init(call& with) {
  bind_body(with, *target_of(with), with.name(0), 1);
  return {};
}

value switch_to(call& with) {
  value passed = with.count() > 1 ? with.argument(1) : value{};
  return received(target_of(with)->switch_to(sent(std::move(passed)), option_to(with)));
}

value throw_in(call& with) {
  std::exception_ptr thrown = with.from.in.exceptions.make(with.name(1), with.text(2, ""));
  return received(target_of(with)->throw_in(std::move(thrown), option_to(with)));
}

value run_permute(call& with) {
  std::vector<continulet*> all;
  for (std::size_t place = 0; place < with.count(); ++place)
    all.push_back(target_of(with, place));
  permute(all);
  return {};
}

value make_generator(call& with) {
  world& in = with.from.in;
  auto run = [&in, &runs = in.find_body(with.name(0)), label = with.label(),
              arguments = with.rest(1)](genlet<value>& values) mutable {
    arguments.places.insert(arguments.places.begin(),
                            value{std::shared_ptr<object>(std::make_shared<genlet_object>(values))});
    (void)in.run_body(label, runs, std::move(arguments));
  };
  return {std::shared_ptr<object>(std::make_shared<generator_object>(with.label(), std::move(run)))};
}

value give(call& with) {
  value given = with.argument(1);
  object_in<genlet_object>(with, with.argument(0))->held.yield(given);
  return {};
}

value next(call& with) {
  return object_in<generator_object>(with, with.argument(0))->next().value_or(value{std::string("end")});
}

thrown name_continulet_exception(const std::exception_ptr& pointer) {
  try {
    std::rethrow_exception(pointer);
  } catch (const continulet_error&) {
    return {"continulet_error", "", pointer};
  } catch (...) {
    return {};
  }
}

}  // namespace

void add_continulet_verbs(world& to) {
  to.exceptions.add(name_continulet_exception);
  to.verbs.insert(
      {{"continulet", make},
       {"empty",
        [](call& with) { return value{std::shared_ptr<object>(std::make_shared<continulet_object>(with.label()))}; }},
       {"init", init},
       {"switch", switch_to},
       {"throw", throw_in},
       {"pending", [](call& with) { return value{target_of(with)->is_pending()}; }},
       {"permute", run_permute},
       {"generator", make_generator},
       {"give", give},
       {"next", next}});
}

}  // namespace grove::conformance
