"""What has no hardware form is refused with the C++ line that it stands on."""

from __future__ import annotations

from pathlib import Path

import pytest
from lowering_bench import llvm_module

from hwgen.errors import InputError
from hwgen.lower import lower_function, lower_proc

# Each C++ text marks the line that the error must name.
FUNCTIONS = {
    "a loop whose trip count is data": (
        "does not unroll",
        """
        extern "C" void f(const int& a, int& y) {
          int n = 0, x = a;
          while (x != 1) {  // here
            x = x & 1 ? 3 * x + 1 : x >> 1;
            ++n;
          }
          y = n;
        }
        """,
    ),
    "floating point": (
        "has no hardware form",
        """
        extern "C" void f(const int& a, int& y) {
          y = (int)(a * 1.5f);  // here
        }
        """,
    ),
    "a function without a body": (
        "call to 'elsewhere'",
        """
        int elsewhere(int);
        extern "C" void f(const int& a, int& y) {
          y = a;
          if (a > 3) y = elsewhere(a);  // here
        }
        """,
    ),
    "recursion": (
        "recursion",
        """
        __attribute__((noinline)) static int fib(int n) {
          if (n < 2) return n;
          return fib(n - 1) * 3;  // here
        }
        extern "C" void f(const int& a, int& y) { y = fib(a); }
        """,
    ),
    "a large local array at a variable place": (
        "'m' has 4096 elements",
        """
        extern "C" void f(const int& a, int& y) {
          int m[4096];
          for (int i = 0; i < 4096; i += 1024) m[i] = a;
          m[a & 4095] = 3;  // here
          y = m[1024];
        }
        """,
    ),
    "an array of variable length": (
        "variable length",
        """
        void g(int*);
        extern "C" void f(const int& a, int& y) {
          int m[a];  // here
          m[0] = 1;
          g(m);
          y = m[a >> 1];
        }
        """,
    ),
    "state in a function": (
        "'count' keeps its value",
        """
        extern "C" void f(const int& a, int& y) {
          static int count = 0;
          count += a;  // here
          y = count;
        }
        """,
    ),
    "volatile memory": (
        "volatile",
        """
        extern "C" void f(const int& a, int& y) {
          volatile int m = 3;  // here
          y = m + a;
        }
        """,
    ),
    "an address used as a number": (
        "has no hardware form",
        """
        extern "C" void f(const int& a, int& y) {
          y = (int)(long)&a;  // here
        }
        """,
    ),
    "a call through a pointer": (
        "address of a function",
        """
        extern "C" int one(int);
        extern "C" int two(int);
        extern "C" void f(const int& a, int& y) {
          y = (a > 3 ? one : two)(a);  // here
        }
        """,
    ),
    "inline assembly": (
        "has no hardware form",
        """
        extern "C" void f(const int& a, int& y) {
          y = a;
          asm("nop" : "+r"(y));  // here
        }
        """,
    ),
    "reading outside an array": (
        "access to bytes 16..19 of 'm'",
        """
        __attribute__((noinline)) static int at(const int (&m)[4], int i) {
          const int* p = m + i;
          return *p;  // here
        }
        extern "C" void f(const int& a, int& y) {
          const int m[4] = {a, 1, 2, 3};
          y = at(m, 4);
        }
        """,
    ),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_the_error_names_the_line(tmp_path: Path, what: str) -> None:
    message, source = FUNCTIONS[what]
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "// here" in text)
    module = llvm_module(tmp_path, source, "kernel.cpp")
    with pytest.raises(InputError) as caught:
        lower_function(module, top="f", inputs={"a": 32}, output=("y", 32))
    assert message in caught.value.message
    assert (Path(caught.value.file or "").name, caught.value.line) == ("kernel.cpp", line)


def test_an_error_in_an_inlined_function_also_names_its_callers(tmp_path: Path) -> None:
    source = """
        static int inner(int x) { return x / 3.0; }
        static int outer(int x) { return inner(x) + 1; }
        extern "C" void f(const int& a, int& y) { y = outer(a); }
        """
    module = llvm_module(tmp_path, source, "kernel.cpp")
    with pytest.raises(
        InputError, match=r"kernel.cpp:2: .*called from .*kernel.cpp:3, .*kernel.cpp:4"
    ) as caught:
        lower_function(module, top="f", inputs={"a": 32}, output=("y", 32))
    assert caught.value.line == 2


KERNELS = {
    "a stream read twice": (
        "may be read twice",
        """
        extern "C" void k(Stream& a, Stream& y) {
          const auto first = a.read();
          y.write(first +
                  a.read());  // here
        }
        """,
    ),
    "a stream written twice": (
        "written twice",
        """
        extern "C" void k(Stream& a, Stream& y) {
          const auto x = a.read();
          y.write(x);
          if (x > 3) y.write(1);  // here
        }
        """,
    ),
    "a second write that excludes another one, but not the first": (
        "written twice",
        """
        extern "C" void k(Stream& a, Stream& y) {  // here: the compiler makes one call of the two below
          const auto x = a.read();
          if (x > 3) {
            y.write(1);
          } else {
            y.write(x);
            return;
          }
          y.write(3);
        }
        """,
    ),
    "two writes whose conditions overlap": (
        "may be written twice",
        """
        extern "C" void k(Stream& a, Stream& y) {
          const auto x = a.read();
          if (x < 3) y.write(1);
          if (x > 1) y.write(x);  // here
        }
        """,
    ),
    "a read that depends on another read of the same stream": (
        "may be read twice",
        """
        extern "C" void k(Stream& a, Stream& y) {
          static bool first = true;
          unsigned _BitInt(8) x = 0;
          if (first) x = a.read();
          if (x == 0) x = a.read();  // here
          first = !first;
          y.write(x);
        }
        """,
    ),
    "an output that is read": (
        "'y' is read but is an output",
        """
        extern "C" void k(Stream& a, Stream& y) {
          a.read();
          y.read();  // here
        }
        """,
    ),
    "an input that is written": (
        "'a' is written but is an input",
        """
        extern "C" void k(Stream& a, Stream& y) {
          a.write(3);  // here
          y.write(4);
        }
        """,
    ),
    "a stream chosen by data": (
        "'a' is written but is an input",
        """
        extern "C" void k(Stream& a, Stream& y) {
          const auto x = a.read();
          (x > 3 ? a : y).write(x);  // here
        }
        """,
    ),
}

STREAM = """
template <int W> unsigned _BitInt(W) __hwgen_receive(const void* channel);
template <int W> void __hwgen_send(void* channel, unsigned _BitInt(W) data);
struct Stream {
  __attribute__((always_inline, nodebug)) unsigned _BitInt(8) read() { return __hwgen_receive<8>(this); }
  __attribute__((always_inline, nodebug)) void write(unsigned _BitInt(8) x) { __hwgen_send<8>(this, x); }
};
"""


@pytest.mark.parametrize("what", KERNELS)
def test_the_error_in_a_kernel_names_the_line(tmp_path: Path, what: str) -> None:
    message, text = KERNELS[what]
    source = STREAM + text
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "// here" in text)
    module = llvm_module(tmp_path, source, "kernel.cpp")
    with pytest.raises(InputError) as caught:
        lower_proc(module, top="k", inputs={"a": 8}, outputs={"y": 8})
    assert message in caught.value.message
    assert caught.value.line == line


def test_an_error_about_a_stream_of_the_stand_in_names_the_line_that_uses_it(tmp_path: Path) -> None:
    source = """
        #include <hls_stream.h>
        extern "C" void k(hls::stream<ap_uint<200>>& a, hls::stream<ap_uint<200>>& y) {
          y.write(a.read());
          y << a.read();
        }
        """
    module = llvm_module(tmp_path, source, "kernel.cpp")
    with pytest.raises(InputError, match=r"kernel.cpp:5: stream 'a' may be read twice .*kernel.cpp:4"):
        lower_proc(module, top="k", inputs={"a": 200}, outputs={"y": 200})


def test_a_stream_that_is_never_used_is_refused(tmp_path: Path) -> None:
    module = llvm_module(tmp_path, STREAM + 'extern "C" void k(Stream& a, Stream& y) { a.read(); }')
    with pytest.raises(InputError, match="never uses stream 'y'"):
        lower_proc(module, top="k", inputs={"a": 8}, outputs={"y": 8})


def test_a_stream_of_another_width_is_refused(tmp_path: Path) -> None:
    module = llvm_module(tmp_path, STREAM + 'extern "C" void k(Stream& a, Stream& y) { y.write(a.read()); }')
    with pytest.raises(InputError, match="carries 9 bits, but 8 are used"):
        lower_proc(module, top="k", inputs={"a": 9}, outputs={"y": 8})


def test_a_variable_that_needs_code_before_main_is_refused(tmp_path: Path) -> None:
    source = """
        int elsewhere();
        static int start = elsewhere();
        extern "C" void f(const int& a, int& y) { y = a + start; }
        """
    with pytest.raises(InputError, match="'start': a constructor runs before main"):
        lower_function(llvm_module(tmp_path, source), top="f", inputs={"a": 32}, output=("y", 32))


@pytest.mark.parametrize("name", ["fn", "token", "literal"])
def test_a_port_named_as_a_word_of_the_ir_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' is a word of the XLS IR"):
        lower_function("", top="f", inputs={name: 8}, output=("y", 8))


def test_a_top_that_is_missing_or_has_other_ports_is_refused(tmp_path: Path) -> None:
    module = llvm_module(tmp_path, 'extern "C" void f(const int& a, int& y) { y = a; }')
    with pytest.raises(InputError, match=r"no C\+\+ function 'g' with C linkage; found: f"):
        lower_function(module, top="g", inputs={"a": 32}, output=("y", 32))
    with pytest.raises(InputError, match="'f' has 2 parameters for 3 ports"):
        lower_function(module, top="f", inputs={"a": 32, "b": 32}, output=("y", 32))


def test_text_that_is_no_llvm_ir_is_refused() -> None:
    with pytest.raises(InputError, match="LLVM does not accept"):
        lower_function("define nonsense", top="f", inputs={}, output=("y", 8))
