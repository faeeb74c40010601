"""The stream as a target of atheris: ``python tools/fuzz_atheris.py [CORPUS] [libFuzzer options]``.

Start it with ``tests/vectors`` as its corpus. Atheris needs its own instrumentation of the package,
so everything is imported behind it.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> int:
    """Fuzz until something but MMCodecError escapes."""
    try:
        atheris = import_module("atheris")
    except ImportError:
        print("atheris is missing: python -m pip install atheris", file=sys.stderr)
        return 1
    with atheris.instrument_imports(include=["mmcodec"]):
        from fuzz_bitstream import attempt
        from stream_mutations import repaired

    def read(data: bytes) -> None:
        """A stream as it is, then with right checksums."""
        attempt(data)
        attempt(repaired(data))

    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
