#!/usr/bin/env bash
# A maker: an LED that follows a smile, and the camera's numbers over HTTP. Here with mock pins, and the packaged clip as the camera.
set -euo pipefail
export CLONE=${CLONE:-$(cd "$(dirname "$0")/../.." && pwd)} PATH=$PWD/env/bin:$PATH

# installing.md: in an environment of its own
python3 -m venv env

# cookbook.md: pip install 'edgeau[litert]'
pip install --quiet 'edgeau[litert]'

# cookbook.md: where Google cannot be reached: edgeau-landmarks --fetch pip
edgeau-landmarks --fetch || edgeau-landmarks --fetch pip

# cookbook.md: pip install gpiozero
pip install --quiet gpiozero

# cookbook.md: GPIOZERO_PIN_FACTORY=mock python led.py
python3 "$CLONE/tests/newcomers/block.py" cookbook.md "An LED on a smile" | sed 's/"picamera2"/"clip"/' > led.py
echo 'print([bool(state.state) for state in led.pin.states])' >> led.py
GPIOZERO_PIN_FACTORY=mock python led.py | tee states.txt
grep -q True states.txt

# sinks.md: JSON of the newest frame to everybody who asks
pip install --quiet 'edgeau[web]'
edgeau-live --source clip --bundle light --serve 127.0.0.1:8795 --sink http://:8796/aus > live.txt 2>&1 &
server=$!
trap 'kill $server' EXIT
curl --silent --retry 60 --retry-delay 1 --retry-all-errors --fail http://127.0.0.1:8796/aus > newest.json
grep -q '"AU12"' newest.json
