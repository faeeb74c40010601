"""``python -m mmcodec``."""

from mmcodec.cli import main

main()
