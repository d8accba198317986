#!/usr/bin/env bash
# A web developer: action units of an uploaded picture as JSON, then a page that computes them in the browser.
set -euo pipefail
export CLONE=${CLONE:-$(cd "$(dirname "$0")/../.." && pwd)} PATH=$PWD/env/bin:$PATH

# installing.md: in an environment of its own
python3 -m venv env

# in-programs.md: pip install 'edgeau[litert]'
pip install --quiet 'edgeau[litert]'

# in-programs.md: where Google cannot be reached: edgeau-landmarks --fetch pip
edgeau-landmarks --fetch || edgeau-landmarks --fetch pip

# in-programs.md: curl --data-binary @portrait.jpg http://127.0.0.1:5000/aus
pip install --quiet flask
python3 "$CLONE/tests/newcomers/block.py" in-programs.md "Flask, and other servers with threads" > app.py
cp "$CLONE/docs/portrait.jpg" .
flask --app app run --port 5795 > flask.txt 2>&1 &
server=$!
trap 'kill $server' EXIT
curl --silent --retry 60 --retry-delay 1 --retry-all-errors --fail --data-binary @portrait.jpg http://127.0.0.1:5795/aus > answer.json
grep -q '"AU12"' answer.json

# web.md: pip install 'edgeau[export]'
pip install --quiet 'edgeau[export]'

# web.md: edgeau-export --target web --out site/
edgeau-export --target web --out site/

# web.md: python -m http.server --directory site/
python -m http.server --bind 127.0.0.1 --directory site/ 5796 > http.txt 2>&1 &
server=$!
trap 'kill $server' EXIT
curl --silent --retry 30 --retry-delay 1 --retry-all-errors --fail http://127.0.0.1:5796/ | grep -q '<title>'
