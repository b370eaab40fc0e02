"""Each LLVM instruction and intrinsic, written as IR and checked against arithmetic in Python."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
import xls
from lowering_bench import integer, xls_value

from hwgen.errors import InputError
from hwgen.lower import lower_function

CORNERS = (0, 1, 2, 3, 7, 8, 100, 127, 128, 129, 200, 254, 255)


def evaluator(ir: str, inputs: Sequence[int], output: int) -> Callable[..., int]:
    """Lower ``@g``, a function of integers by value, behind a top that reads and writes ports."""
    names = [f"x{i}" for i in range(len(inputs))]
    pointers = ", ".join([*[f"ptr %{name}" for name in names], "ptr %y"])
    loads = "".join(f"  %{n}v = load i{w}, ptr %{n}\n" for n, w in zip(names, inputs, strict=True))
    values = ", ".join(f"i{w} %{n}v" for n, w in zip(names, inputs, strict=True))
    call = f"  %r = call i{output} @g({values})\n  store i{output} %r, ptr %y\n  ret void\n"
    top = f"define void @f({pointers}) {{\n{loads}{call}}}\n"
    ports = dict(zip(names, inputs, strict=True))
    package = xls.parse_ir_package(lower_function(ir + top, top="f", inputs=ports, output=("y", output)))
    function = package.get_function("f")

    def run(*operands: int) -> int:
        assert package is not None  # the function lives as long as its package
        return integer(function.interpret([xls_value(v, w) for v, w in zip(operands, inputs, strict=True)]))

    return run


def signed(value: int, width: int = 8) -> int:
    return value - (1 << width) if value >> (width - 1) & 1 else value


def quotient(a: int, b: int) -> int:
    """C++ division: towards zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


BINARY: dict[str, Callable[[int, int], int | None]] = {
    "add": lambda a, b: a + b,
    "add nuw nsw": lambda a, b: a + b if a + b < 128 else None,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or disjoint": lambda a, b: a | b if not a & b else None,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b if b < 8 else None,
    "lshr": lambda a, b: a >> b if b < 8 else None,
    "lshr exact": lambda a, b: a >> b if b < 8 and a == a >> b << b else None,
    "ashr": lambda a, b: signed(a) >> b if b < 8 else None,
    "udiv": lambda a, b: a // b if b else None,
    "urem": lambda a, b: a % b if b else None,
    "sdiv": lambda a, b: quotient(signed(a), signed(b)) if b and (a, b) != (128, 255) else None,
    "srem": lambda a, b: (
        signed(a) - signed(b) * quotient(signed(a), signed(b)) if b and (a, b) != (128, 255) else None
    ),
}


@pytest.mark.parametrize("operation", BINARY)
def test_binary_instructions_agree_wherever_llvm_defines_them(operation: str) -> None:
    run = evaluator(
        f"define i8 @g(i8 %a, i8 %b) {{\n %r = {operation} i8 %a, %b\n ret i8 %r\n}}\n", [8, 8], 8
    )
    checked = 0
    for a, b in itertools.product(CORNERS, CORNERS):
        right = BINARY[operation](a, b)
        if right is not None:
            assert run(a, b) == right % 256, (a, b)
            checked += 1
    assert checked > 20


COMPARE: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ult": lambda a, b: a < b,
    "ule": lambda a, b: a <= b,
    "ugt": lambda a, b: a > b,
    "uge": lambda a, b: a >= b,
    "slt": lambda a, b: signed(a) < signed(b),
    "sle": lambda a, b: signed(a) <= signed(b),
    "sgt": lambda a, b: signed(a) > signed(b),
    "sge": lambda a, b: signed(a) >= signed(b),
}


@pytest.mark.parametrize("predicate", COMPARE)
def test_comparisons_agree(predicate: str) -> None:
    ir = f"define i1 @g(i8 %a, i8 %b) {{\n %r = icmp {predicate} i8 %a, %b\n ret i1 %r\n}}\n"
    run = evaluator(ir, [8, 8], 1)
    for a, b in itertools.product(CORNERS, CORNERS):
        assert run(a, b) == COMPARE[predicate](a, b), (a, b)


def test_casts_extend_and_cut() -> None:
    for opcode, source, target, right in (
        ("zext", 5, 9, lambda a: a),
        ("sext", 5, 9, lambda a: signed(a, 5)),
        ("trunc", 9, 5, lambda a: a),
        ("zext nneg", 3, 4, lambda a: a % 4),
    ):
        ir = (
            f"define i{target} @g(i{source} %a) {{\n"
            f" %r = {opcode} i{source} %a to i{target}\n ret i{target} %r\n}}\n"
        )
        run = evaluator(ir, [source], target)
        for a in range(1 << min(source, 2 if "nneg" in opcode else 9)):
            assert run(a) == right(a) % (1 << target), (opcode, a)


def _leading_zeros(a: int, width: int) -> int:
    return width - a.bit_length()


def _trailing_zeros(a: int, width: int) -> int:
    return (a & -a).bit_length() - 1 if a else width


UNARY: dict[tuple[str, int], Callable[[int], int]] = {
    **{("ctlz", w): lambda a, w=w: _leading_zeros(a, w) for w in (1, 2, 3, 8)},
    **{("cttz", w): lambda a, w=w: _trailing_zeros(a, w) for w in (1, 2, 5, 8)},
    **{("ctpop", w): lambda a: a.bit_count() for w in (1, 2, 3, 5, 8)},
    **{("bitreverse", w): lambda a, w=w: int(f"{a:0{w}b}"[::-1], 2) for w in (1, 5, 8)},
    ("bswap", 16): lambda a: int.from_bytes(a.to_bytes(2, "little"), "big"),
}


@pytest.mark.parametrize(("name", "width"), UNARY)
def test_bit_counting_and_reordering_intrinsics_agree(name: str, width: int) -> None:
    flag, declared = (", i1 false", ", i1") if name in ("ctlz", "cttz") else ("", "")
    ir = (
        f"declare i{width} @llvm.{name}.i{width}(i{width}{declared})\n"
        f"define i{width} @g(i{width} %a) {{\n"
        f" %r = call i{width} @llvm.{name}.i{width}(i{width} %a{flag})\n ret i{width} %r\n}}\n"
    )
    run = evaluator(ir, [width], width)
    for a in range(1 << min(width, 8)):
        value = a * 257 if width == 16 else a
        assert run(value) == UNARY[name, width](value), value


TWO_OPERANDS: dict[str, Callable[[int, int], int]] = {
    "smax": lambda a, b: max(signed(a), signed(b)),
    "smin": lambda a, b: min(signed(a), signed(b)),
    "umax": max,
    "umin": min,
    "uadd.sat": lambda a, b: min(a + b, 255),
    "usub.sat": lambda a, b: max(a - b, 0),
    "sadd.sat": lambda a, b: clamp(signed(a) + signed(b), -128, 127),
    "ssub.sat": lambda a, b: clamp(signed(a) - signed(b), -128, 127),
    "ucmp": lambda a, b: (a > b) - (a < b),
    "scmp": lambda a, b: (signed(a) > signed(b)) - (signed(a) < signed(b)),
}


@pytest.mark.parametrize("name", TWO_OPERANDS)
def test_two_operand_intrinsics_agree(name: str) -> None:
    full = f"llvm.{name}.i8" + (".i8" if "cmp" in name else "")
    ir = (
        f"declare i8 @{full}(i8, i8)\n"
        f"define i8 @g(i8 %a, i8 %b) {{\n %r = call i8 @{full}(i8 %a, i8 %b)\n ret i8 %r\n}}\n"
    )
    run = evaluator(ir, [8, 8], 8)
    for a, b in itertools.product(CORNERS, CORNERS):
        assert run(a, b) == TWO_OPERANDS[name](a, b) % 256, (a, b)


def test_the_absolute_value_of_the_smallest_number_wraps() -> None:
    ir = (
        "declare i8 @llvm.abs.i8(i8, i1)\n"
        "define i8 @g(i8 %a) {\n %r = call i8 @llvm.abs.i8(i8 %a, i1 false)\n ret i8 %r\n}\n"
    )
    run = evaluator(ir, [8], 8)
    for a in CORNERS:
        assert run(a) == abs(signed(a)), a


OVERFLOW: dict[str, Callable[[int, int], int]] = {"add": int.__add__, "sub": int.__sub__, "mul": int.__mul__}


@pytest.mark.parametrize("sign", "us")
@pytest.mark.parametrize("name", OVERFLOW)
def test_overflow_intrinsics_give_the_wrapped_result_and_the_flag(name: str, sign: str) -> None:
    full = f"llvm.{sign}{name}.with.overflow.i8"
    ir = (
        f"declare {{ i8, i1 }} @{full}(i8, i8)\n"
        f"define i9 @g(i8 %a, i8 %b) {{\n"
        f" %p = call {{ i8, i1 }} @{full}(i8 %a, i8 %b)\n"
        " %v = extractvalue { i8, i1 } %p, 0\n %o = extractvalue { i8, i1 } %p, 1\n"
        " %w = zext i8 %v to i9\n %f = zext i1 %o to i9\n %s = shl i9 %f, 8\n"
        " %r = or i9 %s, %w\n ret i9 %r\n}\n"
    )
    run = evaluator(ir, [8, 8], 9)
    for a, b in itertools.product(CORNERS, CORNERS):
        exact = OVERFLOW[name](a, b) if sign == "u" else OVERFLOW[name](signed(a), signed(b))
        low, high = (0, 255) if sign == "u" else (-128, 127)
        assert run(a, b) == exact % 256 + 256 * (not low <= exact <= high), (a, b)


@pytest.mark.parametrize("width", [1, 5, 8])
@pytest.mark.parametrize("amount", [None, 0, 3])
@pytest.mark.parametrize("name", ["fshl", "fshr"])
def test_funnel_shifts_take_the_amount_modulo_the_width(name: str, amount: int | None, width: int) -> None:
    third = "%c" if amount is None else str(amount % (1 << width))
    if width == 1 and amount:
        third = "true"
    type_ = f"i{width}"
    ir = (
        f"declare {type_} @llvm.{name}.{type_}({type_}, {type_}, {type_})\n"
        f"define {type_} @g({type_} %a, {type_} %b, {type_} %c) {{\n"
        f" %r = call {type_} @llvm.{name}.{type_}({type_} %a, {type_} %b, {type_} {third})\n"
        f" ret {type_} %r\n}}\n"
    )
    run = evaluator(ir, [width] * 3, width)
    top = (1 << width) - 1
    for a, b in itertools.product({0, 1, top, 0x96 & top}, repeat=2):
        for c in range(1 << width) if width < 8 else range(20):
            shift = (c if amount is None else int(third.replace("true", "1"))) % width
            double = a << width | b
            right = double << shift >> width if name == "fshl" else double >> shift
            assert run(a, b, c) == right & top, (a, b, c)


def test_a_switch_takes_its_default_and_joins_cases() -> None:
    run = evaluator(
        """
        define i8 @g(i8 %a, i8 %b) {
          switch i8 %a, label %other [ i8 0, label %zero
            i8 -1, label %odd
            i8 7, label %odd ]
        zero:
          br label %end
        odd:
          %n = sub i8 0, %b
          br label %end
        other:
          %s = add i8 %a, %b
          br label %end
        end:
          %r = phi i8 [ 5, %zero ], [ %n, %odd ], [ %s, %other ]
          ret i8 %r
        }
        """,
        [8, 8],
        8,
    )
    for a, b in itertools.product(CORNERS, CORNERS):
        assert run(a, b) == {0: 5, 7: -b % 256, 255: -b % 256}.get(a, (a + b) % 256), (a, b)


def test_several_returns_and_unreachable_paths_are_told_apart() -> None:
    run = evaluator(
        """
        define i8 @g(i8 %a, i8 %b) {
          %c = icmp ult i8 %a, 10
          br i1 %c, label %small, label %large
        small:
          %d = icmp eq i8 %b, 0
          br i1 %d, label %never, label %first
        never:
          unreachable
        first:
          ret i8 %b
        large:
          ret i8 %a
        }
        """,
        [8, 8],
        8,
    )
    assert [run(a, b) for a, b in ((3, 9), (9, 1), (10, 0), (200, 77))] == [9, 1, 10, 200]


def test_nested_structs_in_registers_keep_their_fields() -> None:
    run = evaluator(
        """
        define { i8, { i8, i1 } } @make(i8 %a, i8 %b) {
          %p = insertvalue { i8, { i8, i1 } } { i8 undef, { i8, i1 } { i8 1, i1 true } }, i8 %a, 0
          %q = insertvalue { i8, { i8, i1 } } %p, i8 %b, 1, 0
          ret { i8, { i8, i1 } } %q
        }
        define i8 @g(i8 %a, i8 %b) {
          %s = call { i8, { i8, i1 } } @make(i8 %a, i8 %b)
          %x = extractvalue { i8, { i8, i1 } } %s, 0
          %t = extractvalue { i8, { i8, i1 } } %s, 1
          %z = extractvalue { i8, i1 } %t, 0
          %f = extractvalue { i8, { i8, i1 } } %s, 1, 1
          %d = sub i8 %x, %z
          %r = select i1 %f, i8 %d, i8 0
          ret i8 %r
        }
        """,
        [8, 8],
        8,
    )
    assert run(9, 4) == 5


def test_a_phi_takes_the_defined_value_where_another_is_undefined() -> None:
    ir = """
        define i8 @g(i8 %a, i1 %c) {
          br i1 %c, label %l, label %m
        l:
          br label %m
        m:
          %r = phi i8 [ undef, %0 ], [ %a, %l ]
          ret i8 %r
        }
        """
    run = evaluator(ir, [8, 1], 8)
    assert run(42, 1) == 42
    assert run(42, 0) == 42  # any value is right; this one costs no multiplexer


def test_a_failed_assertion_is_a_path_that_never_happens() -> None:
    run = evaluator(
        """
        declare void @__assert_fail()
        define i8 @g(i8 %a) {
          %c = icmp ult i8 %a, 16
          br i1 %c, label %fine, label %fail
        fail:
          call void @__assert_fail()
          unreachable
        fine:
          %r = add i8 %a, 1
          ret i8 %r
        }
        """,
        [8],
        8,
    )
    assert [run(0), run(15)] == [1, 16]


def test_a_function_that_is_undefined_on_every_path_is_refused() -> None:
    with pytest.raises(InputError, match="every path through 'g' is undefined"):
        evaluator("define i8 @g(i8 %a) {\n unreachable\n}\n", [8], 8)
