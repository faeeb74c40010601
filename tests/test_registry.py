import subprocess
import sys

import pytest

from mmcodec import registry
from mmcodec.errors import BackendError
from mmcodec.registry import Backend, Group, backends, load


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in Group for name in backends(group)]
)
def test_every_backend_that_needs_no_extra_loads(group, name):
    if backends(group)[name].extra is None:
        assert load(group, name) is not None


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendError, match=r"no 'magic'; known: .*rules"):
        load(Group.CAPTIONER, "magic")


def test_a_backend_that_is_not_installed_says_what_installs_it(monkeypatch):
    table = {Group.CAPTIONER: {"big": Backend("a_package_that_is_not_here:Thing", "models")}}
    monkeypatch.setattr(registry, "_BUILT_IN", table)
    with pytest.raises(BackendError, match=r'pip install "mmcodec\[models\]"'):
        load(Group.CAPTIONER, "big")


def test_pytorch_is_whole_before_a_job_starts_its_threads():
    code = (
        "import sys; from mmcodec.registry import Group, load;"
        "load(Group.CAPTIONER, 'rules'); assert 'torch' not in sys.modules;"
        "load(Group.TRANSCRIBER, 'whisper'); assert hasattr(sys.modules['torch'], 'Tensor')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
