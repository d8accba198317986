#!/usr/bin/env bash
# A researcher with scripts that read OpenFace's tables: the same columns from a film, read with pandas.
set -euo pipefail
export CLONE=${CLONE:-$(cd "$(dirname "$0")/../.." && pwd)} PATH=$PWD/env/bin:$PATH

# installing.md: in an environment of its own
python3 -m venv env

# coming-from.md: pip install 'edgeau[litert,video]' pandas
pip install --quiet 'edgeau[litert,video]' pandas

# coming-from.md: edgeau-landmarks --fetch
edgeau-landmarks --fetch || edgeau-landmarks --fetch pip

# coming-from.md: edgeau-analyze clip --out results/ --pose --landmarks 68
edgeau-analyze clip --out results/ --pose --landmarks 68

# coming-from.md: table = pandas.read_csv("results/clip.csv")
python3 "$CLONE/tests/newcomers/block.py" coming-from.md "Reading a table" > read.py
python read.py

# coming-from.md: A script that reads
python - <<'PYTHON'
import pandas

table = pandas.read_csv("results/clip.csv")
wanted = ["frame", "face_id", "timestamp", "success", "AU12_c", "AU12_r", "AU04_c", "pose_Rx", "pose_Ry", "pose_Rz", "x_0", "y_67"]
assert not set(wanted) - set(table.columns)
assert table["AU12_c"].sum() > 5
PYTHON

# analyze.md: when AUs came and went
edgeau-analyze clip --out events/ --smooth --events
grep -q AU12 events/clip.events.csv
