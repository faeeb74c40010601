import json
import re
import subprocess
import sys

from conftest import ROOT

import mmcodec

TOOL = ROOT / "tools" / "demo_page.py"


def test_the_page_holds_what_the_stream_holds(make_clip, tmp_path):
    clip, stream, decoded = make_clip(), tmp_path / "a.mmc", tmp_path / "a b.mp4"
    mmcodec.encode(clip, stream)
    mmcodec.decode(stream, decoded)
    page = tmp_path / "out" / "demo.html"
    page.parent.mkdir()
    subprocess.run([sys.executable, TOOL, clip, stream, decoded, "-o", page], check=True)
    text = page.read_text(encoding="utf-8")
    data = json.loads(re.search(r"const data = (\{.*\});", text)[1].replace("<\\/", "</"))
    info = mmcodec.probe(stream)
    assert data["streamBytes"] == stream.stat().st_size == sum(size for _, size in data["layers"])
    assert [cue["prompt"] for cue in data["cues"]] == [p.cue.prompt.text for p in info.packets]
    assert data["decoded"] == "../a%20b.mp4"
    assert len(data["strips"]) == 2
    assert all(url.startswith("data:image/jpeg;base64,") for pair in data["strips"] for url in pair)
    assert "http" not in text
