"""Variables that stay in memory: local arrays, tables, structs, pointers that may denote several places."""

from __future__ import annotations

import itertools
from pathlib import Path

from lowering_bench import Lowered, call_native, llvm_module, native_library
from test_instructions import evaluator


def test_a_word_can_be_written_and_its_bytes_read_and_back() -> None:
    run = evaluator(
        """
        define i32 @g(i32 %a, i8 %b) {
          %m = alloca [2 x i32], align 4
          store i32 %a, ptr %m, align 4
          %p = getelementptr i8, ptr %m, i64 1
          store i8 %b, ptr %p, align 1
          %q = getelementptr i8, ptr %m, i64 2
          %h = load i16, ptr %q, align 2
          %r = load i32, ptr %m, align 4
          %w = zext i16 %h to i32
          %x = xor i32 %r, %w
          ret i32 %x
        }
        """,
        [32, 8],
        32,
    )
    a, b = 0x12345678, 0xAB
    assert run(a, b) == 0x1234AB78 ^ 0x1234


def test_a_store_on_a_path_not_taken_leaves_memory_alone() -> None:
    run = evaluator(
        """
        define i8 @g(i8 %a, i1 %c, i1 %d) {
          %m = alloca i8
          store i8 1, ptr %m
          br i1 %c, label %s, label %e
        s:
          store i8 %a, ptr %m
          br i1 %d, label %t, label %e
        t:
          store i8 9, ptr %m
          br label %e
        e:
          %r = load i8, ptr %m
          ret i8 %r
        }
        """,
        [8, 1, 1],
        8,
    )
    assert [run(5, c, d) for c, d in ((0, 0), (0, 1), (1, 0), (1, 1))] == [1, 1, 5, 9]


def test_a_pointer_may_be_chosen_by_select_or_phi() -> None:
    run = evaluator(
        """
        @table = internal constant [4 x i8] c"\\01\\02\\FF\\5C"
        define i8 @g(i8 %a, i1 %c, i1 %d) {
          %m = alloca i8
          %n = alloca i8
          store i8 %a, ptr %m
          store i8 3, ptr %n
          %p = select i1 %c, ptr %m, ptr %n
          store i8 7, ptr %p
          br i1 %d, label %x, label %y
        x:
          br label %y
        y:
          %q = phi ptr [ %m, %0 ], [ getelementptr inbounds (i8, ptr @table, i64 2), %x ]
          %u = load i8, ptr %q
          %v = load i8, ptr %n
          %r = add i8 %u, %v
          ret i8 %r
        }
        """,
        [8, 1, 1],
        8,
    )
    for a, c, d in itertools.product((40, 41), (0, 1), (0, 1)):
        m, n = (7, 3) if c else (a, 7)
        assert run(a, c, d) == ((255 if d else m) + n) % 256, (a, c, d)


def test_tables_are_read_by_scaled_sums_of_variables_and_constants() -> None:
    run = evaluator(
        """
        %pair = type { i16, i8 }
        @pairs = internal constant [3 x %pair]
          [%pair { i16 -2, i8 3 }, %pair { i16 500, i8 6 }, %pair zeroinitializer]
        @grid = internal constant [2 x [3 x i16]]
          [[3 x i16] [i16 1, i16 2, i16 3], [3 x i16] [i16 4, i16 5, i16 6]]
        define i16 @g(i8 %i, i8 %j, i8 %k) {
          %a = zext i8 %i to i64
          %p = getelementptr [3 x %pair], ptr @pairs, i64 0, i64 %a, i32 1
          %u = load i8, ptr %p, align 2
          %q = getelementptr [2 x [3 x i16]], ptr @grid, i64 0, i8 %j, i8 %k
          %s = getelementptr i16, ptr %q, i64 -1
          %v = load i16, ptr %s, align 2
          %d = shl i64 %a, 1
          %t = getelementptr i8, ptr @grid, i64 %d
          %w = load i16, ptr %t, align 2
          %x = zext i8 %u to i16
          %y = shl i16 %v, 4
          %z = shl i16 %w, 8
          %m = or i16 %x, %y
          %r = or i16 %m, %z
          ret i16 %r
        }
        """,
        [8, 8, 8],
        16,
    )
    for i, j, k in itertools.product(range(3), range(2), range(1, 3)):
        assert run(i, j, k) == (3, 6, 0)[i] | (3 * j + k) << 4 | (i + 1) << 8, (i, j, k)


def test_structs_are_copied_and_cleared_as_bytes() -> None:
    run = evaluator(
        """
        declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
        declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
        define i32 @g(i32 %a, i1 %c) {
          %m = alloca [3 x i32]
          %n = alloca [3 x i32]
          call void @llvm.memset.p0.i64(ptr %m, i8 17, i64 12, i1 false)
          store i32 %a, ptr %m
          call void @llvm.memcpy.p0.p0.i64(ptr %n, ptr %m, i64 12, i1 false)
          br i1 %c, label %x, label %y
        x:
          call void @llvm.memset.p0.i64(ptr %n, i8 0, i64 6, i1 false)
          br label %y
        y:
          %u = load i32, ptr %n
          %q = getelementptr i32, ptr %n, i64 1
          %v = load i32, ptr %q
          %r = xor i32 %u, %v
          ret i32 %r
        }
        """,
        [32, 1],
        32,
    )
    assert run(0x01020304, 0) == 0x01020304 ^ 0x11111111
    assert run(0x01020304, 1) == 0x11110000


def test_wide_values_pass_through_memory_in_calls_that_are_not_inlined(tmp_path: Path) -> None:
    source = """
        using wide = unsigned _BitInt(200);
        __attribute__((noinline)) static wide twice(wide x) { return x + x; }
        extern "C" void f(const wide& a, const unsigned _BitInt(130)& b, wide& y) { y = twice(a) + b; }
        """
    lowered = Lowered(llvm_module(tmp_path, source), "f", {"a": 200, "b": 130}, 200)
    a, b = (1 << 199) + 12345, (1 << 130) - 1
    assert set(lowered.results([a, b]).values()) == {(2 * a + b) % (1 << 200)}


def test_local_arrays_can_be_written_and_read_at_variable_places(tmp_path: Path) -> None:
    source = """
        using index = unsigned _BitInt(3);
        using word = unsigned _BitInt(9);
        extern "C" void f(const index& i, const index& j, const word& v, word& y) {
          word m[8] = {10, 11, 12, 13, 14, 15, 16, 17};
          m[i] = v;
          if (v > 100) m[j] += 1;
          y = m[j] ^ m[2];
        }
        """
    lowered = Lowered(llvm_module(tmp_path, source), "f", {"i": 3, "j": 3, "v": 9}, 9)
    for i, j, v in itertools.product(range(8), range(8), (0, 101, 511)):
        m = [10, 11, 12, 13, 14, 15, 16, 17]
        m[i] = v
        if v > 100:
            m[j] = (m[j] + 1) % 512
        assert set(lowered.results([i, j, v]).values()) == {m[j] ^ m[2]}, (i, j, v)


def test_structs_pass_by_value_and_by_reference_through_calls_that_are_not_inlined(tmp_path: Path) -> None:
    source = """
        #include <ap_int.h>
        struct In { ap_uint<40> x; ap_int<9> z; };
        struct Out { unsigned _BitInt(24) a; short b; int c[3]; };
        __attribute__((noinline)) static Out make(In q, unsigned char k) {
          Out p = {};
          p.a = q.x.to_uint();
          p.b = q.z;
          p.c[k & 1] = k;
          return p;
        }
        __attribute__((noinline)) static In back(const Out& p) {
          In q;
          q.x = p.a + p.c[1];
          q.z = p.b;
          return q;
        }
        extern "C" void f(const unsigned _BitInt(40)& a, const unsigned _BitInt(9)& b,
                          unsigned _BitInt(41)& y) {
          In q;
          q.x = a;
          q.z = b;
          const Out p = make(q, b);
          const In r = back(p);
          auto pick = [&](int k) { return r.x + p.c[k & 1]; };
          y = (pick(0) ^ r.z).bits();
        }
        """
    module, library = llvm_module(tmp_path, source), native_library(tmp_path, source)
    lowered = Lowered(module, "f", {"a": 40, "b": 9}, 41)
    for a, b in itertools.product((0, 1, 0xFFFFFFFFFF, 0x123456789A), (0, 1, 2, 256, 511)):
        right = call_native(library, "f", [(a, 40), (b, 9)], 41)
        assert set(lowered.results([a, b]).values()) == {right}, (a, b)
