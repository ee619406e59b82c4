# SPDX-License-Identifier: Apache-2.0
"""gdb commands for programs that run Grove's greenlets: `source grove-gdb.py`, then

  greenlets                        lists the greenlets of all threads
  greenlet-backtrace ADDRESS|NAME  prints the stack of a suspended one; of one in a generator, a continulet or
                                   on_big_stack() also those of whoever resumed it, which it prints of the current one

They read memory only, so core files will do, and need names but no types: a program without debug information as
well. The program says where its greenlets are in the constant grove_gdb_layout (worker/greenlet/gdb_layout.cc).
A suspended greenlet on a shared stack whose bytes are on the heap has no frames to show.
"""

import gdb
from gdb.unwinder import Unwinder

FIELDS = ("version first_thread thread_next thread_greenlets thread_current thread_exited greenlet_next greenlet_parent "
          "greenlet_state greenlet_is_main greenlet_name_bytes greenlet_name greenlet_suspended_at own_jump greenlet_flow "
          "continulet_suspended_at continulet_flow").split()
STATES = ("pending", "suspended", "suspended, its bytes on the heap", "dead")
# Where a suspended context has its registers, by the architecture and whether the jump is Grove's own (jump.h) or
# jump_fcontext of Boost.Context: offsets in the jump_point, or on the stack; then the bytes that lie there below the
# frame that has jumped.
REGISTERS = {
    ("i386:x86-64", 1): ({"rsp": 0, "rbp": 8, "rip": 16}, None),
    ("i386:x86-64", 0): ({"r12": 0x10, "r13": 0x18, "r14": 0x20, "r15": 0x28, "rbx": 0x30, "rbp": 0x38, "rip": 0x40},
                         0x48),
}


def read(address, size=8):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size).tobytes(), "little")


def layout():
    try:
        address = int(gdb.parse_and_eval("(unsigned long)&grove_gdb_layout"))
    except gdb.error:
        raise gdb.GdbError("this program has no greenlets: it lacks the symbol grove_gdb_layout") from None
    found = dict(zip(FIELDS, (read(address + 8 * i) for i in range(len(FIELDS)))))
    if found["version"] != 2:
        raise gdb.GdbError(f"grove_gdb_layout has version {found['version']}, this script knows 2")
    return found


class Greenlet:
    def __init__(self, offsets, thread, address):
        def field(name, size=8):
            return read(address + offsets["greenlet_" + name], size)

        self.address = address
        self.thread = thread
        self.parent = field("parent")
        self.suspended_at = address + offsets["greenlet_suspended_at"]
        self.outer = list(self.outer_contexts(offsets, field("flow")))
        self.exited = read(thread + offsets["thread_exited"], 1) != 0
        state = field("state", 1)
        self.state = STATES[state] if state < len(STATES) else f"state {state}"
        if self.exited:
            self.state = "thread exited"
        elif read(thread + offsets["thread_current"]) == address:
            self.state = "current"
        size = field("name_bytes")
        self.name = bytes(gdb.selected_inferior().read_memory(field("name"), size)).decode(errors="replace") if size else ""
        if field("is_main", 1):
            self.state += " main"

    @staticmethod
    def outer_contexts(offsets, flow):
        """Where those are kept who have resumed what the greenlet runs, the innermost first."""
        seen = set()
        while flow and flow not in seen:
            seen.add(flow)
            context = flow + offsets["continulet_suspended_at"]
            if read(context):  # else its body has not started
                yield context
            flow = read(flow + offsets["continulet_flow"])

    def __str__(self):
        return f"{self.address:#x} '{self.name}' {self.state}, parent {self.parent:#x}"


def greenlets():
    offsets = layout()
    thread = read(offsets["first_thread"])
    while thread:
        at = read(thread + offsets["thread_greenlets"])
        while at:
            yield Greenlet(offsets, thread, at)
            at = read(at + offsets["greenlet_next"])
        thread = read(thread + offsets["thread_next"])


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class SuspendedUnwinder(Unwinder):
    """Makes gdb believe that the innermost frame was called by a suspended greenlet."""

    def __init__(self):
        super().__init__("grove-greenlet")
        self.enabled = False
        self.registers = None
        self.context = 0
        self.done = False

    def __call__(self, pending):
        if self.done:
            return None
        self.done = True  # only frame 0 is replaced
        registers, pushed = self.registers
        at = self.context if pushed is None else read(self.context)
        made = pending.create_unwind_info(FrameId(gdb.Value(self.context), gdb.Value(self.context)))
        word = gdb.lookup_type("unsigned long")
        for name, offset in registers.items():
            made.add_saved_register(name, gdb.Value(read(at + offset)).cast(word))
        if pushed is not None:
            made.add_saved_register("rsp", gdb.Value(at + pushed).cast(word))
        return made


unwinder = SuspendedUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


class ListGreenlets(gdb.Command):
    """List the greenlets of all threads: address, name, state and parent."""

    def __init__(self):
        super().__init__("greenlets", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for found in greenlets():
            print(found)


class BacktraceGreenlet(gdb.Command):
    """Print the stack of a suspended greenlet: greenlet-backtrace ADDRESS|NAME."""

    def __init__(self):
        super().__init__("greenlet-backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.strip()
        if not wanted:
            raise gdb.GdbError("usage: greenlet-backtrace ADDRESS|NAME")
        chosen = [one for one in greenlets() if wanted in (one.name, f"{one.address:#x}")]
        if not chosen:
            raise gdb.GdbError(f"there is no greenlet {wanted}")
        for one in chosen:
            print(one)
            is_suspended = one.state in ("suspended", "suspended main")
            contexts = [one.suspended_at] if is_suspended else []
            if is_suspended or one.state.startswith("current"):
                contexts += one.outer
            if not contexts:
                print("  no suspended stack in memory")
            for number, context in enumerate(contexts):
                if number or not is_suspended:
                    print("  resumed by")
                self.print_stack(context)

    @staticmethod
    def print_stack(context):
        architecture = gdb.newest_frame().architecture().name()
        key = (architecture, layout()["own_jump"])
        if key not in REGISTERS:
            raise gdb.GdbError(f"greenlet-backtrace does not know the registers of {architecture}")
        unwinder.registers = REGISTERS[key]
        unwinder.context = context
        unwinder.done = False
        unwinder.enabled = True
        try:
            gdb.invalidate_cached_frames()
            text = gdb.execute("backtrace", to_string=True)
        finally:
            unwinder.enabled = False
            gdb.invalidate_cached_frames()
        # The first frame is the one that was replaced.
        print("\n".join(line for line in text.splitlines() if not line.startswith("#0 ")))


ListGreenlets()
BacktraceGreenlet()
