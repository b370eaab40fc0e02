"""Products of whole tensors on the golden device, against NumPy's integers."""

from __future__ import annotations

import numpy as np
import pytest
from convolutions import forward, gradients, words
from cores import SPLITS, small

from hwgen.errors import CheckError, InputError
from hwgen.trainer import (
    Code,
    Device,
    Fetch,
    Fill,
    GoldenCore,
    Nop,
    Status,
    Store,
    golden,
    layout,
    operands,
    plan,
)
from hwgen.trainer.schedule import best_schedule

DEFAULT = {"kind": "trainer"}


def check_products(seed: int, count: int, device: Device, largest: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        m, n, k = (int(size) for size in rng.integers(1, largest, 3))
        width_a, width_b = (int(width) for width in rng.integers(2, 17, 2))
        a, b = words(rng, width_a, m, k), words(rng, width_b, k, n)
        turned_a, turned_b = bool(rng.integers(2)), bool(rng.integers(2))
        left, right = a.T if turned_a else a, b.T if turned_b else b
        case = (m, n, k, width_a, width_b, turned_a, turned_b)
        assert np.array_equal(device.gemm(left, right, width_a, width_b, turned_a, turned_b), a @ b), case


def check_convolutions(seed: int, count: int, device: Device) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        images, channels, filters = (int(n) for n in rng.integers(1, (4, 40, 40)))
        height, width = (int(n) for n in rng.integers(3, 14, 2))
        kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
        step, padding = int(rng.integers(1, 4)), int(rng.integers(0, min(kernel)))
        width_x, width_w = (int(n) for n in rng.integers(2, 17, 2))
        x, w = (
            words(rng, width_x, images, height, width, channels),
            words(rng, width_w, filters, *kernel, channels),
        )
        y = forward(x, w, step, padding)
        case = (x.shape, w.shape, step, padding)
        assert np.array_equal(device.conv2d(x, w, width_x, width_w, step, padding), y), case
        e = words(rng, width_x, *y.shape)
        of_x, of_w = gradients(x, w, e, step, padding)
        got = device.conv2d_input_gradient(e, w, width_x, width_w, (height, width), step, padding)
        assert np.array_equal(got, of_x), case
        got = device.conv2d_kernel_gradient(e, x, width_x, width_x, kernel, step, padding)
        assert np.array_equal(got, of_w), case


def test_products_of_any_shape_width_and_orientation_are_exact() -> None:
    check_products(1, 16, Device(DEFAULT), 150)


@pytest.mark.parametrize(
    ("digit", "rows", "cols"), [(1, 2, 16), (2, 16, 4), (4, 4, 2), (8, 4, 4), (SPLITS, 4, 8)]
)
def test_products_are_exact_on_cores_of_other_shapes(digit: int | str, rows: int, cols: int) -> None:
    sizes = {"a_kib": 8, "b_kib": 16, "c_kib": 8, "scratch_kib": 8}
    check_products(rows + cols, 5, Device(small(digit, rows, cols, max_k=256, buffers=sizes)), 80)


def test_products_are_exact_when_nothing_fits_the_memories_whole() -> None:
    check_products(5, 6, Device(small(max_k=64)), 90)


def test_convolutions_and_their_gradients_are_exact() -> None:
    check_convolutions(1, 9, Device(DEFAULT))


def test_convolutions_are_exact_when_images_are_cut_into_slabs() -> None:
    sizes = {"a_kib": 8, "b_kib": 8, "c_kib": 8, "scratch_kib": 4}
    check_convolutions(2, 4, Device(small(buffers=sizes, max_k=256)))


def test_a_product_of_a_training_layer_reads_each_tensor_as_it_lies() -> None:
    # Y = X W', dX = dY W, dW = dY' X: the frames are parts of X, W and dY, in their order.
    rng = np.random.default_rng(3)
    x, w, e = words(rng, 8, 20, 48), words(rng, 8, 32, 48), words(rng, 8, 20, 32)
    device = Device(DEFAULT)
    assert np.array_equal(device.gemm(x, w, 8, 8, transpose_b=True), x @ w.T)
    assert np.array_equal(device.gemm(e, w, 8, 8), e @ w)
    assert np.array_equal(device.gemm(e, x, 8, 8, transpose_a=True), e.T @ x)


def test_the_model_of_cycles_adds_up_over_products() -> None:
    device = Device(DEFAULT)
    a = np.ones((32, 32), np.int64)
    device.gemm(a, a, 8, 8)
    once = device.cycles
    device.gemm(a, a, 8, 8)
    assert device.cycles == 2 * once > 0


def test_commands_can_be_queued_by_hand() -> None:
    device = Device(DEFAULT)
    frame = layout.pack(layout.to_words(np.arange(32).reshape(2, 16)), 0)
    device.queue([Nop(), Fetch(0, 5, 2)], frame)
    device.queue(Store(0, 1, 1, 1))
    statuses, sent = device.run()
    assert [status.code for status in statuses] == [Code.OK] * 3
    assert [status.number for status in statuses] == [0, 1, 2]
    assert len(sent) == 1
    device.queue(Nop())
    device.reset()
    assert device.run() == ([], [])


def test_a_frame_that_a_refused_fetch_leaves_is_for_the_next_one() -> None:
    device = Device(DEFAULT)
    frame = layout.pack(layout.to_words(np.arange(32).reshape(2, 16)), 0)
    device.queue([Fetch(3, 0, 2), Fetch(0, 0, 2)], frame)
    statuses, _ = device.run()
    assert [status.code for status in statuses] == [Code.SHAPE, Code.OK]


def test_an_overflow_fails_the_product() -> None:
    device = Device(small(accumulator={"bits": 12}))
    with pytest.raises(CheckError, match=r"1 of \d+ commands failed; .* accumulator overflow"):
        device.gemm(np.full((2, 16), 100), np.full((16, 2), 100), 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.gemm(np.ones((2, 3), int), np.ones((2, 3), int), 8, 8), "do not match: 3 is not 2"),
        (lambda d: d.gemm([[128]], [[1]], 8, 8), "element 128 does not fit 8 bits: legal: -128..127"),
        (lambda d: d.gemm([[1]], [[-9]], 8, 4), "element -9 does not fit 4 bits: legal: -8..7"),
        (lambda d: d.gemm([[1]], [[1]], 17, 4), "width 17 is out of range: legal: 2..16"),
        (lambda d: d.gemm([[1.0]], [[1]], 8, 4), "a tensor of float64 of shape (1, 1) is not legal"),
        (lambda d: d.gemm([1], [[1]], 8, 4), "of shape (1,) is not legal: legal: integers, with 2 axes"),
        (lambda d: d.gemm(np.ones((0, 3), int), np.ones((3, 3), int), 8, 8), "none empty"),
        (
            lambda d: d.conv2d(np.ones((1, 5, 5, 3), int), np.ones((2, 3, 3, 4), int), 8, 8),
            "3 channels of the input are not the 4 of the kernel",
        ),
        (
            lambda d: d.conv2d(np.ones((1, 5, 5, 3), int), np.ones((2, 6, 3, 3), int), 8, 8),
            "kernel height 6 is out of range: legal: 1..5",
        ),
        (
            lambda d: d.conv2d(np.ones((1, 5, 5, 3), int), np.ones((2, 3, 3, 3), int), 8, 8, 0),
            "stride 0 is out of range: legal: 1..15",
        ),
        (
            lambda d: d.conv2d(np.ones((1, 5, 5, 3), int), np.ones((2, 3, 3, 3), int), 8, 8, 1, 3),
            "padding 3 is out of range: legal: 0..2",
        ),
        (
            lambda d: d.conv2d_kernel_gradient(
                np.ones((1, 5, 5, 2), int), np.ones((1, 5, 5, 3), int), 8, 8, (3, 3)
            ),
            "errors of shape (1, 5, 5, 2) are not those of the output, (1, 3, 3, 2)",
        ),
        (
            lambda d: d.conv2d(np.ones((1, 3, 1000, 3), int), np.ones((2, 3, 900, 3), int), 8, 8),
            "kernel width 900 is out of range: legal: 1..63",
        ),
        (lambda d: Device(DEFAULT, "vhdl"), "unknown engine 'vhdl'"),
    ],
)
def test_what_a_device_cannot_do_is_said_with_what_is_legal(call: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        call(Device(DEFAULT))  # type: ignore[operator]
    assert message in caught.value.message


def test_rows_too_far_apart_for_the_scratch_memory_are_refused() -> None:
    device = Device(small(buffers={"a_kib": 2, "b_kib": 1, "c_kib": 2, "scratch_kib": 2}))
    image, kernel = np.ones((1, 1, 300, 1), int), np.ones((1, 1, 1, 1), int)
    assert device.conv2d(image, kernel, 2, 2, step=2).sum() == 150
    with pytest.raises(
        InputError, match="do not fit the memories: legal: larger buffers, such as scratch_kib"
    ):
        device.conv2d(image, kernel, 2, 2, step=15)


class Reordered:
    """The face of a simulated network over the golden core; statuses come in pairs, swapped."""

    def __init__(self, lost: int = 0, early: bool = False) -> None:
        self.spec = Device(DEFAULT).spec
        self.lost, self.early = lost, early
        self.reset()

    def reset(self) -> None:
        self.core = GoldenCore(self.spec)
        self.frames: list[layout.Frame] = []
        self.out: dict[str, list[tuple[int, bool]]] = {"status": [], "dout": []}

    def push(self, stream: str, words: object, last: object = None) -> None:
        if stream == "din":
            beats = np.ascontiguousarray(words).view(np.uint8).reshape(-1, 16)
            self.frames.append(layout.Frame(beats, bool(np.asarray(last)[-1])))
            return
        for word in words:  # type: ignore[attr-defined]
            frame = self.frames.pop(0) if self.core.takes_frame(word) else None
            status, sent = self.core.execute(word, frame)
            at = len(self.out["status"]) // 2 * 2
            self.out["status"].insert(at, (status.encode(), False))
            if sent is not None:
                beats = sent.words()
                self.out["dout"] += [(beat, place == len(beats) - 1) for place, beat in enumerate(beats)]

    def run(self, max_cycles: int, until: dict[str, int] | None = None) -> int:
        assert until is not None
        for stream, count in until.items():
            assert len(self.out[stream]) >= count
        return 7

    def pop(self, stream: str) -> tuple[np.ndarray, np.ndarray]:
        words, self.out[stream] = self.out[stream][self.lost :], []
        rows = np.array([[word & 0xFFFF_FFFF_FFFF_FFFF, word >> 64] for word, _ in words], np.uint64)
        last = np.array([end for _, end in words])
        if self.early and stream == "dout":
            last[0] = True
        return rows.reshape(-1, 2), last


def test_a_simulated_network_gives_what_the_golden_core_gives() -> None:
    from hwgen.trainer import NetworkEngine

    network = Reordered()
    device = Device(DEFAULT, NetworkEngine(network.spec, network))
    check_products(11, 3, device, 80)
    assert device.engine.cycles > 0  # type: ignore[attr-defined]
    device.queue([Nop(), Fill(width=31), Nop()])
    statuses, sent = device.run()
    assert [status.code for status in statuses] == [Code.OK, Code.WIDTH, Code.OK]
    assert sent == []


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Reordered(lost=1), "statuses of commands 0..1 were expected, and came of "),
        (Reordered(early=True), r"frames of \[4\] beats were expected; 4 beats came"),
    ],
)
def test_a_network_that_loses_something_is_caught(network: Reordered, message: str) -> None:
    from hwgen.trainer import NetworkEngine

    device = Device(DEFAULT, NetworkEngine(network.spec, network))
    device.queue([Nop(), Store(0, 1, 1, 1)])
    with pytest.raises(CheckError, match=message):
        device.run()


def fresh() -> Device:
    best_schedule.cache_clear()
    return Device(DEFAULT)


def test_an_operand_without_its_sign_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = golden.GoldenCore._operand

    def unsigned(core: GoldenCore, *place: object) -> np.ndarray:
        operand = exact(core, *place)
        return np.where(operand < 0, operand + 2.0**16, operand)

    monkeypatch.setattr(golden.GoldenCore, "_operand", unsigned)
    with pytest.raises(AssertionError):
        check_products(1, 3, fresh(), 40)


def test_a_slab_a_line_too_low_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = operands.View.slab

    def low(view: operands.View, rows: operands.Box, columns: operands.Box) -> operands.Slab:
        slab = exact(view, rows, columns)
        return slab._replace(fields={**slab.fields, "offset_y": slab.fields["offset_y"] + 1})

    monkeypatch.setattr(operands.View, "slab", low)
    with pytest.raises(AssertionError):
        check_convolutions(1, 3, fresh())


def test_a_kernel_read_forwards_for_the_input_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = operands.View.slab

    def forwards(view: operands.View, rows: operands.Box, columns: operands.Box) -> operands.Slab:
        object.__setattr__(view, "flipped", (False, False, False))
        return exact(view, rows, columns)

    monkeypatch.setattr(operands.View, "slab", forwards)
    with pytest.raises(AssertionError):
        check_convolutions(1, 3, fresh())


def test_slices_that_overwrite_instead_of_adding_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = plan._steps

    def overwriting(*where: object, **order: bool) -> tuple[plan.Step, ...]:
        return tuple(step._replace(first=True) for step in exact(*where, **order))  # type: ignore[arg-type]

    monkeypatch.setattr(plan, "_steps", overwriting)
    with pytest.raises(AssertionError):
        check_products(2, 2, fresh(), 600)


def test_a_status_has_room_for_what_a_command_reports() -> None:
    status = Status(number=65535, opcode=255, code=9, info=2**32 - 1, payload=2**64 - 1)
    assert Status.decode(status.encode()) == status
