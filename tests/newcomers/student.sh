#!/usr/bin/env bash
# A student: a notebook with a table of a film and its curves.
set -euo pipefail
export CLONE=${CLONE:-$(cd "$(dirname "$0")/../.." && pwd)} PATH=$PWD/env/bin:$PATH

# installing.md: in an environment of its own
python3 -m venv env

# in-programs.md: pip install 'edgeau[litert]'
pip install --quiet 'edgeau[litert]'

# in-programs.md: where Google cannot be reached: edgeau-landmarks --fetch pip
edgeau-landmarks --fetch || edgeau-landmarks --fetch pip

# in-programs.md: pip install jupyter pandas matplotlib
pip install --quiet jupyter pandas matplotlib

# in-programs.md: results = list(pipeline.stream(source))
python3 "$CLONE/tests/newcomers/block.py" in-programs.md Jupyter > cells.py
python - <<'PYTHON'
import nbformat

cell = nbformat.v4.new_code_cell("%matplotlib inline\n" + open("cells.py").read())
nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "first.ipynb")
PYTHON
jupyter nbconvert --to notebook --execute first.ipynb
grep -q image/png first.nbconvert.ipynb
