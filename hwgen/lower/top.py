"""The two kinds of hardware top: a pure function of its ports, and a streaming kernel with state.

A top is an ``extern "C"`` C++ function whose parameters are references, one a port, in port order:

* function: ``void f(const unsigned _BitInt(8)& a, ..., unsigned _BitInt(12)& y)``; the last is the result;
* kernel: ``void k(hls::stream<...>& a, ..., hls::stream<...>& y)``, called once an activation.

References keep the calling convention out of the picture: whatever the width, a port is a piece of memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwgen.errors import InputError
from hwgen.lower.channels import Channel, Channels
from hwgen.lower.globals import Globals
from hwgen.lower.llvm import Function, Module, parse_module
from hwgen.lower.location import lowering_error
from hwgen.lower.lowering import Lowering
from hwgen.lower.memory import Address, Pointer, Region
from hwgen.lower.rams import MemoryPort
from hwgen.lower.xls_text import Body

__all__ = ["LoweredKernel", "lower_function", "lower_kernel", "lower_proc"]

# Words of the XLS IR grammar that must not become names of nodes.
_GRAMMAR = """
array bits block chan file_number fn init instantiation literal next package param pos proc reg ret token top
tuple u1
"""
_RESERVED = frozenset(_GRAMMAR.split())


def lower_function(
    llvm_ir: str | Module,
    *,
    top: str,
    inputs: Mapping[str, int],
    output: tuple[str, int],
    name: str | None = None,
) -> str:
    """Translate a C++ function into an XLS package with one function.

    Parameters
    ----------
    llvm_ir : str or Module
        What clang printed, with line tables so that errors can name C++ lines; parsed already if several tops
        of one file are wanted.
    top : str
        The ``extern "C"`` function.
    inputs : mapping of str to int
        Input ports in parameter order: name to width in bits.
    output : (str, int)
        The last parameter: name and width in bits.
    name : str, optional
        Name of the XLS package and function; `top` if not given.

    Returns
    -------
    str
        XLS IR, not optimised. Parameters carry the names in `inputs`.

    Raises
    ------
    InputError
        Naming the C++ file and line of what has no hardware form: a loop without constant bound, floating
        point, recursion, a function without a body, state, ...
    """
    title = name or top
    _check_names([title, output[0], *inputs])
    module = llvm_ir if isinstance(llvm_ir, Module) else parse_module(llvm_ir)
    function = _find(module.functions, top, len(inputs) + 1)
    body = Body(reserved=_RESERVED | set(inputs))
    variables = Globals(body, module, stateful=False)
    pointers = []
    for port, width in inputs.items():
        region = Region(port, _memory_size(width))
        parameter = body.parameter(port, width)
        region.write(body, 0, body.zero_extend(parameter, 8 * region.size, hint=f"{port}_padded"))
        pointers.append(Pointer((Address(region),)))
    result = Region(output[0], _memory_size(output[1]))
    Lowering(module, body, variables, None).call(function, [*pointers, Pointer((Address(result),))])
    width = output[1]
    value = body.slice(result.read(body, 0, result.size), 0, width, hint=output[0])
    signature = ", ".join(f"{port}: bits[{bits}]" for port, bits in inputs.items())
    header = f"top fn {title}({signature}) -> bits[{width}] {{"
    final = f"  ret {body.unique('result')}: bits[{width}] = identity({value.name})"
    return "\n".join([f"package {title}", "", header, *body.live_lines([value.name]), final, "}", ""])


@dataclass(frozen=True)
class LoweredKernel:
    """A kernel as an XLS package with one proc.

    Attributes
    ----------
    xls_ir : str
        Not optimised; one channel a port, and two a memory.
    memories : tuple of MemoryPort
        The memories that the kernel needs beside it.
    polls : bool
        Whether it reads a stream without waiting. What such a kernel does may change from cycle to cycle
        while it waits, so it must send nothing before all of its receives are done.
    """

    xls_ir: str
    memories: tuple[MemoryPort, ...]
    polls: bool


def lower_proc(
    llvm_ir: str | Module,
    *,
    top: str,
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
    name: str | None = None,
) -> str:
    """Translate a C++ kernel that stands alone into an XLS package with one proc; see `lower_kernel`.

    Raises
    ------
    InputError
        As for `lower_kernel`, and for a memory, which only kernels of networks have.
    """
    kernel = lower_kernel(llvm_ir, top=top, inputs=inputs, outputs=outputs, name=name)
    if kernel.memories:
        array = kernel.memories[0].request.removesuffix("_request")
        raise InputError(
            f"static array '{array}' is a memory: it has {kernel.memories[0].depth} elements and is indexed "
            "by a variable; only kernels of networks have memories"
        )
    return kernel.xls_ir


def lower_kernel(
    llvm_ir: str | Module,
    *,
    top: str,
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
    name: str | None = None,
) -> LoweredKernel:
    """Translate a C++ streaming kernel into an XLS package with one proc.

    Static variables become state that resets to their initializers, deep static arrays memories; each call of
    the kernel is one activation.

    Parameters
    ----------
    llvm_ir, top, name
        As for `lower_function`.
    inputs, outputs : mapping of str to int
        Streams in parameter order, inputs first: name to width in bits.

    Raises
    ------
    InputError
        As for `lower_function`, and for a port that is not used, read at two places, or may be written twice,
        and for what a memory cannot do in one activation.
    """
    title = name or top
    _check_names([title, *inputs, *outputs])
    module = llvm_ir if isinstance(llvm_ir, Module) else parse_module(llvm_ir)
    function = _find(module.functions, top, len(inputs) + len(outputs))
    ports = [Channel(port, width, output=False) for port, width in inputs.items()]
    ports += [Channel(port, width, output=True) for port, width in outputs.items()]
    body = Body(reserved=_RESERVED | {port.name for port in ports})
    variables = Globals(body, module, stateful=True)
    channels = Channels(body, ports)
    streams = [Pointer((Address(Region(port.name, 0, channel=port.name)),)) for port in ports]
    Lowering(module, body, variables, channels).call(function, streams)
    if unused := channels.unused():
        raise lowering_error(f"kernel '{title}' never uses stream '{unused[0]}'", function.location)
    memories = [port for memory in variables.memories for port in memory.finish(channels.token)]
    for memory in memories:
        ports.append(Channel(memory.request, memory.request_width, output=True))
        ports.append(Channel(memory.response, memory.width, output=False))
    for element in variables.state:
        value = element.region.read(body, element.offset, element.width // 8)
        body.effect("()", f"next_value(param={element.name}, value={value.name})", f"{element.name}_next")
    state = "".join(f"{item.name}: bits[{item.width}], " for item in variables.state)
    reset = ", ".join(str(item.reset) for item in variables.state)
    header = f"top proc {title}({state}init={{{reset}}}) {{"
    declarations = [port.declaration(number) for number, port in enumerate(ports)]
    text = "\n".join([f"package {title}", "", *declarations, "", header, *body.live_lines(), "}", ""])
    return LoweredKernel(text, tuple(memories), channels.polls)


def _find(functions: Mapping[str, Function], top: str, parameters: int) -> Function:
    function = functions.get(top)
    if function is None:
        raise InputError(f"no C++ function '{top}' with C linkage; found: {', '.join(functions) or 'none'}")
    if len(function.arguments) != parameters:
        message = f"'{top}' has {len(function.arguments)} parameters for {parameters} ports"
        raise lowering_error(message, function.location)
    return function


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in _RESERVED:
            raise InputError(
                f"the name {name!r} is a word of the XLS IR; call the operator or port differently"
            )


def _memory_size(width: int) -> int:
    """Bytes of clang's integer of `width` bits on x86-64: a power of two up to 8, then multiples of 8."""
    if width <= 64:
        return max(1, 1 << (((width + 7) // 8) - 1).bit_length())
    return (width + 63) // 64 * 8
