"""Options and fixtures that every room's tests share."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import hypothesis
import pytest

from hwgen.resources import templates_dir

# A property is true or false; how long one example takes says how busy the machine is.
hypothesis.settings.register_profile("hwgen", deadline=None)
hypothesis.settings.load_profile("hwgen")


@pytest.fixture(scope="session")
def amd_include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AMD's ap_types, with our hls_stream.h beside them: their open release has none."""
    spec = importlib.util.find_spec("da4ml")
    assert spec is not None
    assert spec.origin is not None
    folder = tmp_path_factory.mktemp("amd") / "include"
    shutil.copytree(Path(spec.origin).parent / "codegen/hls/source/ap_types/include", folder)
    shutil.copy(templates_dir() / "include/open/hls_stream.h", folder)
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the full sweeps (make test-all)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the full sweeps out of the fast suite: deselected, so that no test is reported as skipped."""
    if config.getoption("--run-slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
