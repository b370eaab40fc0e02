"""From clang's LLVM IR to XLS IR: the compiler step that no other tool has.

Read the modules in this order: `llvm` parses the IR into records, `location` finds C++ lines; `cfg` orders
the blocks and computes path conditions; `arithmetic` maps instructions; `memory`, `accesses`, `constants` and
`globals` model variables; `memory_rule`, `ram_array` and `rams` turn deep arrays into memories beside the
kernel; `channels` and `stream_calls` model streams; `lowering` walks a function with all of these;
`xls_text` writes the result; `top` is the interface.

What the lowering does not know is an error that names the C++ line, never a guess.
"""

from hwgen.lower.llvm import parse_module
from hwgen.lower.rams import MemoryPort
from hwgen.lower.top import LoweredKernel, lower_function, lower_kernel, lower_proc

__all__ = ["LoweredKernel", "MemoryPort", "lower_function", "lower_kernel", "lower_proc", "parse_module"]
