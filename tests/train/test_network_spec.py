"""Networks in YAML: what they become, and how they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.errors import InputError
from hwgen.train import Conv2d, Network, load_network

EXAMPLES = Path(__file__).parents[2] / "examples" / "trainer"
WHOLE = """\
kind: network
name: net
input: [6, 5, 2]
batch: 4
layers:
  - conv2d: {filters: 16, kernel: 3, stride: 2, padding: 1}
  - linear: {outputs: 7}
  - linear: {outputs: 3}
"""


def test_a_file_is_the_network_that_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(WHOLE)
    spec = load_network(file)
    assert (spec.name, spec.batch) == ("net", 4)
    assert spec.network == Network(((6, 5, 2), Conv2d(16, 3, 2, 1), 7, 3))


def test_the_examples_are_the_digits_networks() -> None:
    assert load_network(EXAMPLES / "digits_mlp.yaml").network == Network((64, 48, 10))
    cnn = Network(((8, 8, 1), Conv2d(16, 3, padding=1), Conv2d(32, 3, 2, 1), 10))
    assert load_network(EXAMPLES / "digits_cnn.yaml").network == cnn


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: network", "kind: netwrk", 1, "unknown kind 'netwrk': did you mean 'network'?"),
        ("kind: network\n", "", 1, "the key 'kind' is missing: legal: network"),
        ("[6, 5, 2]", "[6, 5]", 3, r"input: \[6, 5\] is not legal: legal: \[units\] or \[height, width"),
        ("[6, 5, 2]", "[6, 0, 2]", 3, r"input: \[6, 0, 2\] is not legal: .* each 1\.\.4095"),
        ("batch: 4", "batch: 0", 4, r"batch: size 0 is out of range: legal: 1\.\.4095"),
        ("filters: 16", "filters: 12", 6, "12 filters are not legal: legal: multiples of 16"),
        ("kernel: 3", "kernel: 9", 6, r"kernel height 9 is out of range: legal: 1\.\.8"),
        ("kernel: 3", "kernl: 3", 6, "unknown key 'kernl': did you mean 'kernel'?"),
        ("stride: 2", "stride: 4", 6, r"stride 4 is not legal: legal: 1\.\.3"),
        ("- linear: {outputs: 7}", "- dense: {outputs: 7}", 7, "unknown key 'dense': legal: conv2d, linear"),
        ("- linear: {outputs: 7}", "- {}", 7, "a layer is one of these: legal: conv2d, linear"),
        ("linear: {outputs: 3}", "linear: {outputs: 0}", 8, "outputs 0 is out of range"),
        (
            "linear: {outputs: 3}",
            "conv2d: {filters: 16, kernel: 1}",
            8,
            r"Conv2d\(.*\) follows 7 units: legal: after an image",
        ),
    ],
)
def test_faults_have_their_line_and_what_is_legal(
    old: str, new: str, line: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "net.yaml"
    assert WHOLE.count(old) == 1
    file.write_text(WHOLE.replace(old, new))
    with pytest.raises(InputError, match=rf"net\.yaml:{line}: .*{message}"):
        load_network(file)


def test_lists_that_are_none_and_a_convolution_at_the_end_are_refused() -> None:
    with pytest.raises(InputError, match=r"layers: \[\] is not legal: legal: a list of layers"):
        load_network({"kind": "network", "input": [4], "layers": []})
    image = {"kind": "network", "input": [4, 4, 1]}
    with pytest.raises(InputError, match="the last layer is a conv2d: legal: linear"):
        load_network({**image, "layers": [{"conv2d": {"filters": 16, "kernel": 2}}]})
