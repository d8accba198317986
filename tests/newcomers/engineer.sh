#!/usr/bin/env bash
# An embedded engineer: a checkpoint of their own, made into a bundle with INT8 for a board, measured and tried.
set -euo pipefail
export CLONE=${CLONE:-$(cd "$(dirname "$0")/../.." && pwd)} PATH=$PWD/env/bin:$PATH

# installing.md: in an environment of its own
python3 -m venv env

# export.md: A checkpoint needs `pip install 'edgeau[export,train]'`
pip install --quiet 'edgeau[export,train]'

# installing.md: edgeau-landmarks --fetch
edgeau-landmarks --fetch || edgeau-landmarks --fetch pip

# walk.md: python make_people.py
python3 "$CLONE/tests/newcomers/block.py" walk.md "1. Faces with labels" > make_people.py
python make_people.py

# walk.md: edgeau-export --describe epoch_30.pth
python3 "$CLONE/tests/newcomers/block.py" walk.md "2. A network that is trained already, in ten lines" > nets.py
python nets.py
edgeau-export --describe epoch_30.pth > described.toml

# walk.md: edgeau-export --model model.toml --target raspberrypi
python3 "$CLONE/tests/newcomers/block.py" walk.md "2. A network that is trained already, in ten lines" toml > model.toml
edgeau-export --model model.toml --target raspberrypi --calib people/labels.csv --calib-accept near-duplicates,one-person --out pi/
test -s pi/model.int8.tflite

# walk.md: edgeau-evaluate pi/ --data people/labels.csv
edgeau-evaluate pi/ --data people/labels.csv

# walk.md: edgeau-analyze people/48.jpg --bundle pi/
edgeau-analyze people/48.jpg --bundle pi/ --out results-pi/
head -1 results-pi/48.csv | grep -q smile_c
